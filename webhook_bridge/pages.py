"""HTML pages: plain, without scripts, readable narrow and wide, light and dark. What goes in is escaped."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from webhook_bridge.problems import status_of
from zixly_core.errors import ZixlyError

FOLDER = Path(__file__).parent / "templates"
STYLE = (FOLDER / "page.css").read_text()
STYLE_HASH = b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
# No form-action: browsers apply it to the redirects after a form too, and the vendors' sign-in pages redirect as they like.
POLICY = f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; base-uri 'none'; frame-ancestors 'none'"

templates = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
# Our own file, kept as it is: its hash stands in the policy.
templates.globals["style"] = Markup(STYLE)  # noqa: S704


def page(name: str, values: Mapping[str, object], *, status: int = 200) -> HTMLResponse:
    """The page of a template."""
    text = templates.get_template(f"{name}.html").render(values)
    return HTMLResponse(text, status_code=status, headers={"content-security-policy": POLICY})


def problem_page(error: ZixlyError) -> HTMLResponse:
    """One of our errors for somebody at a browser."""
    return page("problem", {"detail": str(error), "reason": error.reason}, status=status_of(error))
