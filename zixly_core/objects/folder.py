"""The object store in a folder: for one machine. A write is on the disk, whole, before `put` returns."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from zixly_core.errors import ObjectNotFound, Transient
from zixly_core.object_store import checked_key


class FolderStore:
    """`ObjectStore` over files below `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, key: str, data: bytes, *, content_type: str) -> None:
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as file:
                self._fill(Path(file.name), file.fileno(), data)
            Path(file.name).replace(path)
        except OSError as error:
            raise Transient(f"The folder of the object store could not keep {key}: {error.strerror}.", reason="object_store") from error

    def get(self, key: str) -> bytes:
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError:
            raise ObjectNotFound(f"There is no object {key} in the folder.") from None
        except OSError as error:
            raise Transient(f"The folder of the object store could not read {key}: {error.strerror}.", reason="object_store") from error

    def exists(self, key: str) -> bool:
        return self._path(key).is_file()

    def delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def list(self, prefix: str) -> Iterator[str]:
        files = (path for path in self._root.rglob("*") if path.is_file() and not path.name.startswith("."))
        keys = sorted(path.relative_to(self._root).as_posix() for path in files)
        return (key for key in keys if key.startswith(prefix))

    def url(self, key: str) -> str:
        return self._path(key).resolve().as_uri()

    def _path(self, key: str) -> Path:
        return self._root / checked_key(key)

    @staticmethod
    def _fill(path: Path, descriptor: int, data: bytes) -> None:
        """Write and flush; what could not be written whole leaves nothing behind."""
        try:
            written = 0
            while written < len(data):
                written += os.write(descriptor, data[written:])
            os.fsync(descriptor)
        except OSError:
            path.unlink(missing_ok=True)
            raise
