"""Everything of a running stack is lost but its vendors, who are outside; and it is made anew from a backup."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import httpx2
import psycopg
from psycopg import sql

from tests.support.busy import longest
from tests.support.stack import StackUnderTest
from zixly_cli.control import start_process, stop_process
from zixly_cli.stack.setup_steps import make_databases

# The vendors go on whatever happens to us.
OUTSIDE = ("sandbox",)
DATABASES = ("zixly", "dagster")
DROP_SQL = "drop database {} with (force)"


def our_processes(stack: StackUnderTest) -> list[str]:
    return [name for name in stack.plan.names if name not in OUTSIDE]


def destroy(stack: StackUnderTest) -> None:
    """The databases, the documents, and with the next start what lay in Valkey."""
    for name in our_processes(stack):
        if name != "postgres":
            stop_process(stack.settings, name)
    with psycopg.connect(stack.plan.urls.admin, autocommit=True) as connection:
        for name in DATABASES:
            connection.execute(sql.SQL(DROP_SQL).format(sql.Identifier(name)))
    shutil.rmtree(stack.plan.home.objects)
    stack.plan.home.objects.mkdir(mode=0o700)


def restore(stack: StackUnderTest, backup: Path) -> None:
    """Into new databases on the same server, as somebody does it who has servers of his own; then everything is started."""
    make_databases(stack.plan)
    servers = {
        "ZIXLY_DATABASE_URL_OWNER": stack.plan.urls.owner,
        "ZIXLY_DAGSTER_DATABASE_URL": stack.plan.urls.dagster,
        "ZIXLY_OBJECTS_URL": stack.plan.home.objects.as_uri(),
        "ZIXLY_SECRETS_KEY_FILE": str(stack.plan.home.key_file),
    }
    command = [sys.executable, "-m", "zixly_cli.main", "restore", str(backup)]
    environment = {**stack.environment, **servers}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=longest(120), check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    start_process(stack.settings, "valkey", is_empty=True)
    for name in our_processes(stack):
        start_process(stack.settings, name)
    stack.wait_until(lambda: is_ready(stack.plan.urls.bridge), seconds=60, words="the bridge is ready again")


def is_ready(bridge_url: str) -> bool:
    try:
        return httpx2.get(f"{bridge_url}/ready", timeout=5, trust_env=False).is_success
    except httpx2.HTTPError:
        return False
