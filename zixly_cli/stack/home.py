"""The folder with all state of one stack (`.zixly/`), and the lock that makes sure that one `zixly up` owns it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import orjson
import psutil

from zixly_cli.stack.server_user import outside_of
from zixly_core.errors import SettingsError

MARKER = "This folder holds the state of a Zixly stack; `zixly reset` removes it.\n"
# sockaddr_un holds 104 bytes on macOS and 108 on Linux, with the closing zero.
MAX_SOCKET_PATH = 100


@dataclass(frozen=True)
class Home:
    """Paths below the folder. `make` before the first use."""

    path: Path

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def objects(self) -> Path:
        return self.path / "objects"

    @property
    def dagster(self) -> Path:
        return self.path / "dagster"

    @property
    def valkey(self) -> Path:
        return self.path / "valkey"

    @property
    def secrets_file(self) -> Path:
        return self.path / "secrets.json"

    @property
    def key_file(self) -> Path:
        return self.path / "secrets.key"

    @property
    def public_url(self) -> str | None:
        """The name of a gateway in front of this stack: under it, commands mean this stack, and no other bridge."""
        return self._public_url_file.read_text() if self._public_url_file.is_file() else None

    def note_public_url(self, url: str | None) -> None:
        if url is None:
            self._public_url_file.unlink(missing_ok=True)
        else:
            self._public_url_file.write_text(url)

    @property
    def _public_url_file(self) -> Path:
        return self.run / "public_url"

    @property
    def socket(self) -> Path:
        """The process manager's socket: below the home, or (a long path does not fit) in the folder for short-lived files."""
        inside = self.run / "supervisor.sock"
        if len(str(inside)) <= MAX_SOCKET_PATH:
            return inside
        digest = hashlib.sha256(str(self.path.resolve()).encode()).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"zixly-{os.getuid()}-{digest}.sock"

    def make(self) -> None:
        """Make what is missing. Root's home lets the unprivileged user of Postgres pass (0711); others' is closed (0700)."""
        if not self.path.exists():
            self.path.mkdir(parents=True)
            self.path.chmod(0o711 if os.geteuid() == 0 else 0o700)
        elif not self.is_ours and any(self.path.iterdir()):
            raise SettingsError(f"{self.path} holds something else; set ZIXLY_HOME to an empty or new folder")
        (self.path / "README").write_text(MARKER)
        for folder in (self.logs, self.run, self.objects, self.dagster, self.valkey):
            folder.mkdir(mode=0o700, exist_ok=True)

    @property
    def is_ours(self) -> bool:
        readme = self.path / "README"
        return readme.is_file() and readme.read_text() == MARKER

    def remove(self) -> None:
        """Remove everything that this stack ever kept. The caller has made sure that it is down."""
        if not self.is_ours:
            raise SettingsError(f"{self.path} is not the home of a stack; nothing was removed")
        shutil.rmtree(outside_of(self.path), ignore_errors=True)
        shutil.rmtree(self.path)


@dataclass(frozen=True)
class Owner:
    """Who holds the lock: the process, and whether `make` started it."""

    pid: int
    by_make: bool

    @property
    def is_leaving(self) -> bool:
        """True when it is gone, or its `make` is: then it stops by itself within seconds."""
        try:
            process = psutil.Process(self.pid)
            return self.by_make and not any(parent.name().endswith("make") for parent in process.parents())
        except psutil.Error:
            return True


class HomeLock:
    """Held by the `zixly up` that owns the home, and let go by the kernel however that process ends."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self._path = home.run / "up.lock"
        self._file: IO[bytes] | None = None

    def take(self, *, by_make: bool = False) -> bool:
        """True when the lock is ours now."""
        handle = self._path.open("a+b")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            handle.close()
            return False
        handle.truncate(0)
        handle.write(orjson.dumps({"pid": os.getpid(), "by_make": by_make}))
        handle.flush()
        self._file = handle
        return True

    def descriptor(self) -> int:
        """Of the file by which the lock is held: whoever has it open holds the lock."""
        if self._file is None:
            raise ValueError("The lock is not held")
        return self._file.fileno()

    def release(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def owner(self) -> Owner | None:
        """Who holds the lock, or None when nobody does (or has only just taken it and not written its name yet)."""
        if self._file is None and self.take():
            self.release()
            return None
        try:
            said = orjson.loads(self._path.read_bytes())
        except (OSError, orjson.JSONDecodeError):
            return None
        return Owner(pid=said["pid"], by_make=said["by_make"])
