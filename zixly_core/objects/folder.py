"""Objects as files below a folder. Files are readable by their owner only: documents are personal data."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from zixly_core.errors import ObjectNotFound, Permanent, SettingsError, Transient
from zixly_core.object_store import ObjectStore, checked_key, folder_of
from zixly_core.setting_addresses import parts_of

# Half-written objects; no key begins with a dot, so it is in nobody's way. What a killed process left there may be removed.
INCOMING = ".incoming"
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
# What a person has to change; other failures (a network disk that is away, too many open files) may pass.
REFUSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG})


class FolderObjectStore:
    """`ObjectStore` in a folder of this machine. What `put` returned from is on the disk."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def __repr__(self) -> str:
        return f"FolderObjectStore({str(self._root)!r})"

    def put(self, key: str, data: bytes, *, content_type: str) -> None:
        """`content_type` is not kept: a file's name says what it is."""
        del content_type
        path = self._path(key)
        with translated("put", key):
            self._make_folder(path.parent)
            self._make_folder(self._root / INCOMING)
            written = self._written(data)
            try:
                written.replace(path)
            except BaseException:
                written.unlink()
                raise
            sync_folder(path.parent)

    def get(self, key: str) -> bytes:
        path = self._path(key)
        with translated("get", key):
            try:
                return path.read_bytes()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
                raise ObjectNotFound(f"There is no object {key}.") from error

    def exists(self, key: str) -> bool:
        path = self._path(key)
        with translated("look for", key):
            try:
                return stat.S_ISREG(path.stat().st_mode)
            except (FileNotFoundError, NotADirectoryError):
                return False

    def delete(self, key: str) -> None:
        path = self._path(key)
        with translated("delete", key):
            try:
                path.unlink(missing_ok=True)
            except (NotADirectoryError, IsADirectoryError):
                return  # another object's name, or the beginning of others: there is no object of this key

    def list(self, prefix: str) -> Iterator[str]:
        start = self._root / folder_of(prefix)
        with translated("list", prefix):
            found = sorted(path.relative_to(self._root).as_posix() for path in files_below(start))
        return (key for key in found if not key.startswith(f"{INCOMING}/"))

    def url(self, key: str) -> str:
        return self._path(key).resolve().as_uri()

    def _path(self, key: str) -> Path:
        return self._root / checked_key(key)

    def _make_folder(self, folder: Path) -> None:
        """Make what is missing, from the top, each on the disk before the next."""
        if folder.is_dir():
            return
        if folder != self._root:
            self._make_folder(folder.parent)
        folder.mkdir(mode=0o700, parents=folder == self._root, exist_ok=True)
        sync_folder(folder.parent)

    def _written(self, data: bytes) -> Path:
        """A file with the data, on the disk, under a name of its own."""
        handle, name = tempfile.mkstemp(dir=self._root / INCOMING)
        written = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            written.unlink()
            raise
        return written


def files_below(start: Path) -> Iterator[Path]:
    """The files of a folder and its folders; a folder that is missing has none, one that cannot be read raises."""
    try:
        for folder, _, names in os.walk(start, onerror=raised):
            yield from (Path(folder, name) for name in names)
    except (FileNotFoundError, NotADirectoryError):
        return


def raised(error: OSError) -> None:
    raise error


def sync_folder(folder: Path) -> None:
    """Put the folder's entries on the disk, so that a new name survives a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def translated(doing: str, key: str) -> Iterator[None]:
    """Raise the system's errors as `Transient` (a full disk too: someone will make room) or `Permanent`."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            text = f"There is no room on the disk to {doing} object {key}; free some, it is tried again by itself."
            raise Transient(text, reason="disk_full") from error
        word = errno.errorcode.get(error.errno or 0, "unknown")
        if error.errno in REFUSED:
            text = f"The folder of objects does not allow to {doing} object {key} ({word}); check its rights and names."
            raise Permanent(text, reason="objects_refused") from error
        text = f"The disk could not {doing} object {key} ({word}); it is tried again by itself."
        raise Transient(text, reason="objects_unavailable") from error


def open_from_url(url: str, *, client: Any = None) -> ObjectStore:
    """`file:///folder`; the folder is made when the first object is put."""
    del client
    parts = parts_of(url, setting="ZIXLY_OBJECTS_URL")
    if parts.netloc not in {"", "localhost"} or not parts.path.startswith("/"):
        raise SettingsError("ZIXLY_OBJECTS_URL must name a folder from the root, as in file:///var/lib/zixly/objects")
    return FolderObjectStore(Path(unquote(parts.path)))
