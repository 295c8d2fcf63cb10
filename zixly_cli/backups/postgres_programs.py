"""`pg_dump` and `pg_restore`, found where the embedded Postgres is found, called so that no password stands in a command line."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from zixly_cli.stack.postgres import server_environment
from zixly_cli.stack.postgres_binaries import find_binaries
from zixly_core.errors import Permanent, SettingsError

# What libpq may need of our environment to speak TLS; the rest is not its business.
PASSED_ON = ("HOME", "PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY")


@dataclass(frozen=True)
class PostgresPrograms:
    """The programs of one Postgres, which read servers of their own major version and of older ones."""

    folder: Path
    major: int

    def dump(self, url: str, target: Path, *, snapshot: str | None = None) -> None:
        """The whole database in the custom format. Row-level security stays on: its owner's policies show the owner every row, and
        without it Postgres refuses to dump at all."""
        seen = [f"--snapshot={snapshot}"] if snapshot else []
        self._run("pg_dump", url, ["--format=custom", "--enable-row-security", f"--file={target}", *seen])

    def restore(self, url: str, source: Path, *, with_grants: bool) -> None:
        """All of it or nothing, as the user of the URL, who owns everything afterwards."""
        grants = [] if with_grants else ["--no-privileges"]
        self._run("pg_restore", url, ["--no-owner", "--exit-on-error", "--single-transaction", *grants, str(source)])

    def _run(self, program: str, url: str, arguments: list[str]) -> None:
        known = conninfo_to_dict(plain(url))
        password = known.pop("password", None)
        environment = {**server_environment(), **{name: os.environ[name] for name in PASSED_ON if name in os.environ}}
        if password is not None:
            environment["PGPASSWORD"] = str(password)
        command = [str(self.folder / program), f"--dbname={make_conninfo('', **known)}", "--no-password", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        if done.returncode != 0:
            name = known.get("dbname", "?")
            raise Permanent(f"{program} failed for database {name}: {done.stderr.strip()[-800:]}", reason=f"{program}_failed")


def postgres_programs(setting: Path | None = None) -> PostgresPrograms:
    """Raises `SettingsError` where there are none."""
    found = find_binaries(setting)
    for program in ("pg_dump", "pg_restore"):
        if not Path(found.program(program)).is_file():
            raise SettingsError(f"{found.folder} has no {program}; set ZIXLY_PG_BIN to the folder of a whole Postgres")
    return PostgresPrograms(found.folder, found.major)


def plain(url: str) -> str:
    """Without SQLAlchemy's name of a driver, which Dagster's URL bears."""
    _, _, rest = url.partition("://")
    return f"postgresql://{rest}"
