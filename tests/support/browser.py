"""Chromium without a window, driven over its DevTools protocol: what a person sees and clicks in a page, and pictures of it.

Debian's Chromium and the websocket client that Dagster's webserver brings along are enough. Keys and clicks are sent as input events,
as those of a person are, and not as calls of the page's own functions.
"""

from __future__ import annotations

import base64
import itertools
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from websockets.sync.client import ClientConnection, connect

from tests.support.busy import longest

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)
START_SECONDS = 30.0
# For one thing to appear on a page; the machine may be busy.
APPEARS_SECONDS = 20.0

CONTROL = 2

# The innermost visible element that shows a text, as its middle; `within` is a selector that narrows it. Links and buttons come first.
FIND = """
(([text, within, exact]) => {
  const fits = (shown) => exact ? shown === text : shown.includes(text);
  const said = (one) => (one.innerText || one.getAttribute('aria-label') || one.getAttribute('placeholder') || one.title || '').trim();
  const all = [...document.querySelectorAll(within)].filter((one) => one.getClientRects().length > 0 && fits(said(one)));
  const inner = all.filter((one) => !all.some((other) => other !== one && one.contains(other)));
  const one = inner.at(-1);
  if (!one) return null;
  one.scrollIntoView({block: 'center'});
  const box = one.getBoundingClientRect();
  const disabled = one.closest('button,input') ? one.closest('button,input').disabled : false;
  return {x: box.x + box.width / 2, y: box.y + box.height / 2, disabled};
})"""


@dataclass
class Page:
    """One tab."""

    socket: ClientConnection
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    errors: list[str] = field(default_factory=list)
    """What the page threw and nobody caught."""

    def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv(timeout=longest(30)))
            if message.get("method") == "Runtime.exceptionThrown":
                self.errors.append(json.dumps(message["params"]["exceptionDetails"])[:500])
            if message.get("id") == number:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result

    def evaluate(self, script: str) -> Any:
        return self.command("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")

    def size(self, width: int, height: int) -> None:
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def open(self, url: str) -> None:
        self.command("Page.navigate", url=url)

    @property
    def text(self) -> str:
        return str(self.evaluate("document.body ? document.body.innerText : ''"))

    @property
    def address(self) -> str:
        return str(self.evaluate("location.href"))

    def wait_until(self, what: Callable[[], Any], *, words: str, seconds: float = APPEARS_SECONDS) -> Any:
        began = time.monotonic()
        while not (answer := what()):
            assert time.monotonic() - began < longest(seconds), f"{words}: not within {seconds:.0f} s at {self.address}\n{self.text[:3000]}"
            time.sleep(0.05)
        return answer

    def wait_for(self, text: str, *, seconds: float = APPEARS_SECONDS) -> None:
        self.wait_until(lambda: text in self.text, words=f"{text!r} is shown", seconds=seconds)

    def click(self, text: str, *, within: str = "button, a, [role=button], [role=tab], label", exact: bool = True) -> None:
        """Press the last visible element that shows this text, once it can be pressed."""
        script = f"{FIND}({json.dumps([text, within, exact])})"

        def ready() -> dict[str, float] | None:
            found = self.evaluate(script)
            return found if found and not found["disabled"] else None

        self.press(self.wait_until(ready, words=f"{text!r} can be pressed"))

    def press(self, where: dict[str, float]) -> None:
        at = {"x": where["x"], "y": where["y"]}
        self.command("Input.dispatchMouseEvent", type="mouseMoved", **at)
        for kind in ("mousePressed", "mouseReleased"):
            self.command("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **at)

    def type(self, text: str) -> None:
        """Into what has the focus."""
        self.command("Input.insertText", text=text)

    def keys(self, key: str, *, code: int, modifiers: int = 0) -> None:
        for kind in ("keyDown", "keyUp"):
            self.command("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, modifiers=modifiers)

    def replace(self, text: str) -> None:
        """Everything in what has the focus."""
        self.keys("a", code=65, modifiers=CONTROL)
        self.type(text)

    def enter(self) -> None:
        self.keys("Enter", code=13)

    def picture(self, path: Path) -> None:
        """In the form that the file's name ends in; of a small one, such as webp, what nobody sees is left out."""
        form = path.suffix.removeprefix(".")
        quality = {} if form == "png" else {"quality": 80}
        path.write_bytes(base64.b64decode(self.command("Page.captureScreenshot", format=form, **quality)["data"]))


def find_chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextmanager
def page(chromium: str, *, width: int = 1500, height: int = 1000) -> Iterator[Page]:
    """A tab of a fresh browser without history, ended whatever happens."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [chromium, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            with connect(address_of_tab(Path(profile)), max_size=None, compression=None) as socket:
                made = Page(socket)
                made.command("Page.enable")
                made.command("Runtime.enable")
                made.size(width, height)
                yield made
        finally:
            process.terminate()
            process.wait(timeout=longest(20))


def address_of_tab(profile: Path) -> str:
    """Chromium writes the port that it chose into its profile."""
    began = time.monotonic()
    written = profile / "DevToolsActivePort"
    while not (written.exists() and written.read_text().strip()):
        assert time.monotonic() - began < longest(START_SECONDS), "Chromium did not start"
        time.sleep(0.05)
    port = int(written.read_text().splitlines()[0])
    tabs = httpx2.get(f"http://127.0.0.1:{port}/json/list", timeout=10, trust_env=False).raise_for_status().json()
    return str(next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page"))
