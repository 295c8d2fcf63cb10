"""What stands in a backup: which versions made it, how much is in it, and the SHA-256 of every file.

It is written last: a folder without one is a backup that did not come to its end.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zixly_cli.stack.private_files import write_private
from zixly_core.errors import Permanent, SettingsError

MANIFEST = "manifest.json"
PLATFORM_DUMP = "zixly.dump"
DAGSTER_DUMP = "dagster.dump"
OBJECTS = "objects"
# The form that this version writes and reads.
FORM: Literal[1] = 1

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class KeptFile(BaseModel):
    """One file of a backup."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int
    sha256: Sha256


class Manifest(BaseModel):
    """What a backup says of itself. It holds no secret, and nothing about people."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    form: Literal[1] = FORM
    taken_at: datetime
    """By the clock of Postgres: what was committed later is not in it."""
    zixly: str
    """The version of the platform."""
    revision: str
    """The last migration of its database."""
    postgres: int
    """The major version of the server."""
    tables: dict[str, int]
    """Rows of each table of the platform."""
    keys: dict[str, int]
    """Id of each key (not the key) -> how much it seals."""
    files: dict[str, KeptFile]

    @property
    def object_keys(self) -> list[str]:
        return sorted(name.removeprefix(f"{OBJECTS}/") for name in self.files if name.startswith(f"{OBJECTS}/"))


def write_manifest(folder: Path, manifest: Manifest) -> None:
    write_private(folder / MANIFEST, manifest.model_dump_json(indent=2).encode())


def read_manifest(folder: Path) -> Manifest:
    """Raises `SettingsError` for a folder that is no backup, or is one of another form."""
    path = folder / MANIFEST
    if not path.is_file():
        raise SettingsError(f"{folder} is no backup, or one that did not come to its end: it has no {MANIFEST}")
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"{path} cannot be understood ({where}: {first['msg']}); another version may have written it") from None


def check_files(folder: Path, manifest: Manifest) -> None:
    """Raises `Permanent` naming the first file that is missing or is not what was written."""
    for needed in (PLATFORM_DUMP, DAGSTER_DUMP):
        if needed not in manifest.files:
            raise Permanent(f"The manifest of {folder} names no {needed}; it is no whole backup.", reason="backup_damaged")
    for name, kept in manifest.files.items():
        path = folder / name
        if not is_file_in(folder, path):
            raise Permanent(f"{name} is missing in the backup {folder}; nothing was changed.", reason="backup_damaged")
        if file_of(path) != kept:
            text = f"{name} in the backup {folder} is not what was written (its SHA-256 differs); nothing was changed."
            raise Permanent(text, reason="backup_damaged")


def is_file_in(folder: Path, path: Path) -> bool:
    """False for a name that leads out of the folder, and for one that no file can have."""
    try:
        return path.resolve().is_relative_to(folder.resolve()) and path.is_file()
    except (ValueError, OSError):
        return False


def file_of(path: Path) -> KeptFile:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return KeptFile(size=path.stat().st_size, sha256=digest)
