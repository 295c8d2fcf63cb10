"""The receiver to compare with: Express, Zod, Bull and Prisma or the bare driver of Postgres, on the same servers as ours.

`express/` holds it with its lock. It is installed once, beside its files, by `npm ci`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from benchmarks.bridge import wait_for
from benchmarks.errors import NotMeasured
from benchmarks.progress import Say
from zixly_cli.stack.ports import free_port

FOLDER = Path(__file__).with_name("express")
LOCK = FOLDER / "package-lock.json"
STAMP = FOLDER / "node_modules" / ".ready"
# Through Prisma, as the platform's older shape had it, and through the bare driver.
VARIANTS = ("prisma", "pg")
DATABASE = "express"
TABLES = ("jobs", "execution_logs", "related_records")
INSTALL_SECONDS = 300.0
NODE_AT_LEAST = 20
# Prisma's client is made without the engine for migrations, which would be fetched from elsewhere.
GENERATING = {"CHECKPOINT_DISABLE": "1", "PRISMA_HIDE_UPDATE_MESSAGE": "1", "PRISMA_SCHEMA_ENGINE_BINARY": "/bin/true"}


@dataclass(frozen=True)
class Receiver:
    """One that answers."""

    url: str
    process: subprocess.Popen[bytes]


def missing() -> str | None:
    """Why there is nothing to compare with; None where there is."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, timeout=30, check=False).stdout
    major = said.strip().removeprefix("v").partition(".")[0]
    return None if major.isdigit() and int(major) >= NODE_AT_LEAST else f"Node {NODE_AT_LEAST} or newer is needed"


def install(say: Say) -> None:
    """Once for each lock. Raises `NotMeasured`."""
    if STAMP.is_file() and STAMP.stat().st_mtime >= LOCK.stat().st_mtime:
        return
    say("installing the Express receiver")
    run(["npm", "ci", "--silent"], {})
    run(["npx", "--no-install", "prisma", "generate"], GENERATING)
    STAMP.touch()


def run(command: list[str], more: Mapping[str, str]) -> None:
    done = subprocess.run(
        command, cwd=FOLDER, env={**os.environ, **more}, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
    )
    if done.returncode != 0:
        raise NotMeasured(f"The Express receiver could not be installed: {(done.stderr or done.stdout)[-500:]}")


def make_database(admin_url: str, url: str) -> None:
    """An empty one with its tables, beside ours on the same server."""
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute((FOLDER / "schema.sql").read_bytes())


def environment(variant: str, *, database_url: str, redis_url: str, secret: str) -> dict[str, str]:
    """What receiver and workers are told."""
    kept = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "NODE_ENV": "production"}
    return {**kept, "ORM": variant, "DATABASE_URL": database_url, "REDIS_URL": redis_url, "WEBHOOK_SECRET": secret}


@contextmanager
def running_receiver(told: Mapping[str, str], *, log: Path) -> Iterator[Receiver]:
    """Ready to take deliveries. Raises `NotMeasured`."""
    port = free_port()
    with node("server.js", {**told, "PORT": str(port)}, log=log) as process:
        address = f"http://127.0.0.1:{port}"
        wait_for(address, process, log=log)
        yield Receiver(f"{address}/webhooks/xero", process)


@contextmanager
def node(script: str, told: Mapping[str, str], *, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """One of its programs, ended at the end."""
    with log.open("ab") as output:
        process = subprocess.Popen(["node", script], cwd=FOLDER, env=dict(told), stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
