"""The file with the keys, one a line, newest first: made once, readable by its owner only, never seen half-written."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from zixly_core.errors import SettingsError
from zixly_core.secrets.keys import KEY_BYTES, SecretKey, keys_in
from zixly_core.secrets.new_keys import like

MAX_FILE_BYTES = 100_000


def create_key_file(path: Path, *, random_bytes: Callable[[int], bytes] = os.urandom) -> bool:
    """Make the file with one new key; true when it was made. One that is already there is checked and left as it is, since
    without its keys what they sealed is lost. Raises `SettingsError`."""
    with beside(path, [SecretKey(random_bytes(KEY_BYTES))]) as written:
        try:
            path.hardlink_to(written)
        except FileExistsError:
            read_key_file(path)
            return False
    return True


def rotate_key_file(path: Path, *, random_bytes: Callable[[int], bytes] = os.urandom) -> SecretKey:
    """Put a new key before the others, kept as the newest one is: from now on it seals, and the others still open. One caller at a
    time. Raises `SettingsError`, and what wrapping raises."""
    keys = read_key_file(path)
    new = like(keys[0], random_bytes=random_bytes)
    replace_keys(path, [new, *keys])
    return new


def drop_older_keys(path: Path) -> int:
    """Leave only the newest key in the file: how many were taken out. What only they open is lost. Raises `SettingsError`."""
    newest, *older = read_key_file(path)
    if older:
        replace_keys(path, [newest])
    return len(older)


def replace_keys(path: Path, keys: Sequence[SecretKey]) -> None:
    """The file with these keys, for the same owner: whoever rotates may be another user than those who read."""
    with beside(path, keys) as written:
        there = path.stat()
        if (there.st_uid, there.st_gid) != (os.geteuid(), os.getegid()):
            os.chown(written, there.st_uid, there.st_gid)
        written.replace(path)


def read_key_file(path: Path) -> tuple[SecretKey, ...]:
    """The keys, newest first. Raises `SettingsError` for a file that is missing, holds no keys, or is open to other users."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(MAX_FILE_BYTES).decode("ascii", errors="replace")
    except OSError as error:
        raise SettingsError(f"The key file {path} cannot be read ({error.strerror}); see ZIXLY_SECRETS_KEY_FILE") from error
    if stat.S_IMODE(mode) & (stat.S_IRWXG | stat.S_IRWXO):
        raise SettingsError(f"The key file {path} is open to other users of this machine; run chmod 600 on it")
    return keys_in(text, source=f"The key file {path}")


@contextmanager
def beside(path: Path, keys: Sequence[SecretKey]) -> Iterator[Path]:
    """The keys on the disk in a file of the same folder (mkstemp gives it to the owner only), removed unless it was renamed."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.writelines(f"{key.text}\n" for key in keys)
                file.flush()
                os.fsync(file.fileno())
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise SettingsError(f"The key file {path} cannot be written ({error.strerror}); see ZIXLY_SECRETS_KEY_FILE") from error
