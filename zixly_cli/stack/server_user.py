"""Who runs Postgres: it refuses root, so root runs it as an unprivileged user, in a place which that user can reach.

Nothing that exists gets other permissions for this. When a folder on the way is closed to that user, the server lives in a
folder of its own below `/var/tmp`.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from zixly_core.errors import SettingsError

# Debian's, macOS's, and the one that every system has.
CANDIDATES = ("postgres", "_postgres", "nobody")
OUTSIDE = Path("/var/tmp")  # noqa: S108 - survives a restart of the machine; what we make there is checked to be ours


@dataclass(frozen=True)
class ServerUser:
    """An unprivileged user of this machine."""

    name: str
    uid: int
    gid: int

    def can_enter(self, folder: Path) -> bool:
        """True when every folder from the root down to `folder` lets this user through (mode bits; ACLs are not asked)."""
        return all(self._may_pass(step) for step in (folder, *folder.parents))

    def _may_pass(self, folder: Path) -> bool:
        found = folder.stat()
        if found.st_uid == self.uid:
            return bool(found.st_mode & stat.S_IXUSR)
        if found.st_gid == self.gid:
            return bool(found.st_mode & stat.S_IXGRP)
        return bool(found.st_mode & stat.S_IXOTH)


def server_user() -> ServerUser | None:
    """The user to run Postgres as, or None when the present user will do. Raises `SettingsError` when root finds nobody."""
    if os.geteuid() != 0:
        return None
    for name in CANDIDATES:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return ServerUser(name=name, uid=found.pw_uid, gid=found.pw_gid)
    raise SettingsError(f"Postgres refuses to run as root, and none of the users {', '.join(CANDIDATES)} exists to run it as")


def place_for(home: Path, *, user: ServerUser | None) -> Path:
    """The folder for the server's files: below `home`, or outside it when `user` cannot get there. Made if it is missing.

    A folder outside is linked from the home as `postgres`, so that it is found by whoever looks.
    """
    inside = home / "postgres"
    if user is None:
        inside.mkdir(mode=0o700, parents=True, exist_ok=True)
        return inside
    if not inside.is_symlink() and user.can_enter(home):
        inside.mkdir(mode=0o711, exist_ok=True)
        return inside
    outside = outside_of(home)
    make_own_folder(outside)
    if not inside.is_symlink():
        inside.symlink_to(outside)
    return outside


def outside_of(home: Path) -> Path:
    """Where the server of this home lives when it cannot live below it: the same folder each time."""
    digest = hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:16]
    return OUTSIDE / f"zixly-{os.geteuid()}-{digest}"


def make_own_folder(folder: Path) -> None:
    """Make `folder`, or check that the one which is there is ours: everybody may write beside it."""
    try:
        folder.mkdir(mode=0o711)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise SettingsError(f"{folder} belongs to somebody else; remove it, or set ZIXLY_HOME to another folder") from None
