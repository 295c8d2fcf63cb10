"""`pg_dump`, `pg_restore` and `psql`, found where the embedded Postgres is found, called so that no password stands in a command line."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, PIPE

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from zixly_cli.stack.postgres import server_environment
from zixly_cli.stack.postgres_binaries import find_binaries
from zixly_core.errors import Permanent, SettingsError

# What libpq may need of our environment to speak TLS; the rest is not its business.
PASSED_ON = ("HOME", "PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY")
# The first mistake ends it, nobody's own settings are read, and no row goes by on the way.
PSQL = ("--no-password", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null", "--file=-")
NEEDED = ("pg_dump", "pg_restore", "psql")


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

    def restore(self, url: str, source: Path, *, with_grants: bool, then: str = "") -> None:
        """All of it or nothing, as the user of the URL, who owns everything afterwards. The statements `then` belong to it: whoever
        sees what was restored sees what they did."""
        grants = [] if with_grants else ["--no-privileges"]
        reader = [str(self.folder / "pg_restore"), "--no-owner", "--file=-", *grants, str(source)]
        known, environment = asked_of(url)
        writer = [str(self.folder / "psql"), *PSQL, f"--dbname={known}"]
        with tempfile.TemporaryFile() as said, subprocess.Popen(writer, stdin=PIPE, stdout=DEVNULL, stderr=said, env=environment) as psql:
            failure = fed(psql, reader, then=then)
            psql.wait()
            said.seek(0)
            words = said.read().decode(errors="replace").strip()
        if psql.returncode != 0 or failure:
            raise failed("pg_restore", url, words if psql.returncode else failure)

    def _run(self, program: str, url: str, arguments: list[str]) -> None:
        known, environment = asked_of(url)
        command = [str(self.folder / program), f"--dbname={known}", "--no-password", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        if done.returncode != 0:
            raise failed(program, url, done.stderr.strip())


def fed(psql: subprocess.Popen[bytes], reader: Sequence[str], *, then: str) -> str:
    """Give psql one transaction; why it is not whole, or nothing. Without its last word psql leaves nothing behind, and it has none
    from whoever is killed before it."""
    if psql.stdin is None:
        raise AssertionError("psql was started without a way to speak to it")
    try:
        psql.stdin.write(b"begin;\n")
        psql.stdin.flush()
        read = subprocess.run(reader, stdin=DEVNULL, stdout=psql.stdin, stderr=PIPE, env=server_environment(), check=False)
        if read.returncode == 0:
            psql.stdin.write(f"{then}\ncommit;\n".encode())
        psql.stdin.close()
    except BrokenPipeError:
        return ""  # psql says itself why it ended
    return "" if read.returncode == 0 else read.stderr.decode(errors="replace").strip() or f"it ended with status {read.returncode}"


def asked_of(url: str) -> tuple[str, dict[str, str]]:
    """Which database, and the environment with the password, which must not stand in a command line."""
    known = conninfo_to_dict(plain(url))
    password = known.pop("password", None)
    environment = {**server_environment(), **{name: os.environ[name] for name in PASSED_ON if name in os.environ}}
    if password is not None:
        environment["PGPASSWORD"] = str(password)
    return make_conninfo("", **known), environment


def failed(program: str, url: str, words: str) -> Permanent:
    name = conninfo_to_dict(plain(url)).get("dbname", "?")
    return Permanent(f"{program} failed for database {name}: {words[-800:]}", reason=f"{program}_failed")


def postgres_programs(setting: Path | None = None) -> PostgresPrograms:
    """Raises `SettingsError` where there are none."""
    found = find_binaries(setting)
    for program in NEEDED:
        if not Path(found.program(program)).is_file():
            raise SettingsError(f"{found.folder} has no {program}; set ZIXLY_PG_BIN to the folder of a whole Postgres")
    return PostgresPrograms(found.folder, found.major)


def plain(url: str) -> str:
    """Without SQLAlchemy's name of a driver, which Dagster's URL bears."""
    _, _, rest = url.partition("://")
    return f"postgresql://{rest}"
