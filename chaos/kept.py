"""What is kept of a run in which a promise was broken: the processes' logs, and the rows of the ledger, before the stack is gone."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import psycopg
from psycopg import sql

from benchmarks.progress import Say
from chaos.findings import Finding
from chaos.ground import Ground

FOLDER = Path(__file__).resolve().parents[1] / "build" / "chaos"
# What tells how a job came to its end; the bodies of deliveries are left where they are.
TABLES = ("events", "workflow_jobs", "job_attempts", "batches", "effects", "record_states", "replays", "holes", "issues")
COPY_SQL = "copy (select * from zixly.{}) to stdout with (format csv, header)"


def keep(ground: Ground, findings: Sequence[Finding], *, folder: Path) -> None:
    """Write the folder anew."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ground.plan.home.logs, folder / "logs")
    (folder / "breaches.txt").write_text("".join(f"{one.trouble}: {one.text}\n" for one in findings))
    with psycopg.connect(ground.plan.urls.owner) as connection:
        for name in TABLES:
            copy_table(connection, name, to=folder / f"{name}.csv")


def keep_what_broke(ground: Ground, found: Sequence[Finding], *, name: str, say: Say) -> None:
    """The same below `build/chaos`, and where that is; nothing when nothing was found."""
    if found:
        keep(ground, found, folder=FOLDER / name)
        say(f"{len(found)} breaches; the logs and rows of this run are in {FOLDER / name}")


def copy_table(connection: psycopg.Connection, name: str, *, to: Path) -> None:
    with to.open("wb") as file, connection.cursor().copy(sql.SQL(COPY_SQL).format(sql.Identifier(name))) as copied:
        for part in copied:
            file.write(part)
