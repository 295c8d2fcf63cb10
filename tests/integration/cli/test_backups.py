"""`zixly backup` and `zixly restore` against real databases: everything comes back, and whatever does not fit is refused before it changes
anything."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import psycopg
import pytest
from psycopg import sql

from tests.support.busy import longest
from tests.support.ledger import TestLedger
from tests.support.postgres import PASSWORD, TestDatabase
from tests.support.servers import REGION, AwsServer
from zixly_cli.backups.embedded import keys_for
from zixly_cli.backups.manifest import read_manifest
from zixly_cli.backups.postgres_programs import postgres_programs
from zixly_cli.backups.restoring import checked_backup
from zixly_cli.settings import StackSettings, port_setting
from zixly_cli.stack.databases import DAGSTER, OWNER, make_database
from zixly_cli.stack.home import Home
from zixly_cli.stack.ports import free_stack_ports
from zixly_core.errors import Permanent, SettingsError
from zixly_core.ids import new_id
from zixly_core.objects import open_object_store
from zixly_core.secret_box import SecretBox
from zixly_core.secrets.key_file import create_key_file, read_key_file

SECRET = b"a refresh token"
DOCUMENT = b"%PDF-"


@dataclass
class Site:
    """Where one platform is: a database, Dagster's beside it, documents, keys."""

    database: TestDatabase
    name: str
    folder: Path
    keys: Path
    pg_bin: Path | None = None
    bucket: str | None = None
    """Where its documents are instead of a folder: a URL of S3."""

    @property
    def objects(self) -> Path:
        return self.folder / f"objects-{self.name}"

    def zixly(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        server = self.database.server
        return zixly(
            *arguments,
            ZIXLY_HOME=str(self.folder / "no-home"),
            ZIXLY_DATABASE_URL_OWNER=server.url(self.name, user=OWNER),
            ZIXLY_DAGSTER_DATABASE_URL=server.url(f"{self.name}_dagster", user=DAGSTER, driver="postgresql+psycopg2"),
            ZIXLY_OBJECTS_URL=self.bucket or self.objects.as_uri(),
            ZIXLY_SECRETS_KEY_FILE=str(self.keys),
            **({"ZIXLY_PG_BIN": str(self.pg_bin)} if self.pg_bin else {}),
        )

    def rows(self, query: str) -> list[Any]:
        with psycopg.connect(self.database.server.url(self.name, user=OWNER)) as connection:
            return connection.execute(query).fetchall()


def zixly(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ZIXLY_")}
    command = [sys.executable, "-m", "zixly_cli.main", *arguments]
    return subprocess.run(command, env={**environment, **variables}, capture_output=True, text=True, timeout=120, check=False)


def new_key_file(path: Path) -> Path:
    create_key_file(path)
    return path


@pytest.fixture
def site(database: TestDatabase, ledger: TestLedger, tmp_path: Path) -> Iterator[Site]:
    """A platform with a job, a sealed token, a document, and a run in Dagster's history."""
    made = Site(database, database.name, tmp_path, new_key_file(tmp_path / "secrets.key"))
    make_database(database.server.admin_url, name=f"{made.name}_dagster", owner=DAGSTER)
    with psycopg.connect(database.server.url(f"{made.name}_dagster", user=DAGSTER)) as connection:
        connection.execute("create table runs (id text)")
        connection.execute("insert into runs values ('a run')")
    ledger.add_jobs(3)
    grant = new_id()
    sealed = SecretBox(read_key_file(made.keys)).seal(SECRET, context=str(grant))
    ledger.owner.execute(
        "insert into zixly.grants (id, tenant_id, system, ciphertext) values (%s, %s, 'xero', %s)", (grant, ledger.tenant.id, sealed)
    )
    ledger.owner.commit()
    document = made.objects / str(ledger.tenant.id) / "report.pdf"
    document.parent.mkdir(parents=True)
    document.write_bytes(DOCUMENT)
    yield made
    drop(database, f"{made.name}_dagster")


@pytest.fixture
def target(site: Site) -> Iterator[Site]:
    """Empty databases and documents on the same server."""
    made = Site(site.database, f"{site.name}_restored", site.folder, site.keys)
    make_database(site.database.server.admin_url, name=made.name, owner=OWNER)
    make_database(site.database.server.admin_url, name=f"{made.name}_dagster", owner=DAGSTER)
    yield made
    for name in (made.name, f"{made.name}_dagster"):
        drop(site.database, name)


def drop(database: TestDatabase, name: str) -> None:
    with psycopg.connect(database.server.admin_url, autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def backup(site: Site) -> Path:
    folder = site.folder / "backup"
    done = site.zixly("backup", str(folder))
    assert done.returncode == 0, done.stderr + done.stdout
    assert PASSWORD not in done.stdout + done.stderr
    return folder


def test_a_platform_comes_back_as_it_was_and_knows_that_it_was_restored(site: Site, target: Site, backup: Path) -> None:
    again = site.zixly("backup", str(backup))
    assert (again.returncode, "overwrites nothing" in again.stderr) == (2, True)
    assert {path.stat().st_mode & 0o077 for path in [backup, *backup.rglob("*")]} == {0}, "it holds personal data"

    done = target.zixly("restore", str(backup))
    assert done.returncode == 0, done.stderr + done.stdout

    for table in read_manifest(backup).tables:
        rows = f"select to_jsonb(t) - 'restored_at' from zixly.{table} t order by 1"
        if table not in ("restores", "audit_log"):
            assert target.rows(rows) == site.rows(rows), table
    assert target.rows("select count(*) from zixly.restores") == [(1,)]
    assert target.rows("select action from zixly.audit_log where action like 'backup.%'") == [("backup.restored",)]
    assert [path.read_bytes() for path in target.objects.rglob("*.pdf")] == [DOCUMENT]
    with psycopg.connect(target.database.server.url(f"{target.name}_dagster", user=DAGSTER)) as connection:
        assert connection.execute("select id from runs").fetchall() == [("a run",)]
    with psycopg.connect(target.database.server.url(target.name, user="zixly_runs")) as connection:
        assert connection.execute("select count(*) from zixly.workflow_jobs").fetchall() == [(0,)], "tenants are still apart"
    ((grant, sealed),) = target.rows("select id, ciphertext from zixly.grants")
    assert SecretBox(read_key_file(target.keys)).open(sealed, context=str(grant)) == SECRET

    refused = target.zixly("restore", str(backup))
    assert (refused.returncode, "is not empty" in refused.stderr) == (2, True)


def test_another_key_a_damaged_file_and_an_unknown_version_are_refused_and_nothing_changes(site: Site, target: Site, backup: Path) -> None:
    stranger = Site(target.database, target.name, target.folder, new_key_file(site.folder / "another.key"))
    refused = stranger.zixly("restore", str(backup))
    assert (refused.returncode, "is not at hand; nothing was changed" in refused.stderr) == (2, True)
    manifest = read_manifest(backup)
    keys = set(manifest.keys)
    with pytest.raises(SettingsError, match="the same or a newer one is needed"):
        checked_backup(backup, key_ids=keys, postgres=manifest.postgres - 1, say=str)
    text = (backup / "manifest.json").read_text()
    for name, value, words in (("revision", "9999", "does not know"), ("form", 2, "cannot be understood")):
        (backup / "manifest.json").write_text(json.dumps({**json.loads(text), name: value}))
        with pytest.raises(SettingsError, match=words):
            checked_backup(backup, key_ids=keys, postgres=99, say=str)
    (backup / "manifest.json").write_text(text)
    dump = (backup / "zixly.dump").read_bytes()
    (backup / "zixly.dump").write_bytes(dump[:-1] + bytes([dump[-1] ^ 1]))
    with pytest.raises(Permanent, match="its SHA-256 differs"):
        checked_backup(backup, key_ids=keys, postgres=99, say=str)
    (backup / "manifest.json").unlink()
    with pytest.raises(SettingsError, match="did not come to its end"):
        checked_backup(backup, key_ids=keys, postgres=99, say=str)
    assert target.rows("select count(*) from pg_tables where schemaname = 'zixly'") == [(0,)]
    assert not target.objects.exists()


def programs_that_kill_the_restore(folder: Path) -> Path:
    return programs_that_end(folder, 'case "$*" in *zixly.dump*) kill -9 $PPID ;; esac')


def programs_that_end(folder: Path, ends: str) -> Path:
    """The programs of Postgres, of which `pg_restore` does this when it has given all rows."""
    real = postgres_programs(None).folder
    folder.mkdir()
    for program in ("initdb", "postgres", "pg_dump", "psql"):
        (folder / program).symlink_to(real / program)
    reader = folder / "pg_restore"
    reader.write_text(f'#!/bin/sh\n"{real}/pg_restore" "$@" || exit\n{ends}\n')
    reader.chmod(0o755)
    return folder


def test_a_restore_that_is_killed_leaves_no_rows_without_the_note_by_which_runs_look_before_they_write(
    site: Site, target: Site, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target, "pg_bin", programs_that_kill_the_restore(site.folder / "bin"))
    killed = target.zixly("restore", str(backup))
    assert killed.returncode == -signal.SIGKILL
    nobody_is_in(target)
    assert target.rows("select count(*) from pg_tables where schemaname = 'zixly'") == [(0,)]


@pytest.mark.parametrize(("then", "ends", "words"), [("select 1 / 0;", "", "division by zero"), ("", "exit 3", "it ended with status 3")])
def test_a_restore_that_fails_says_why_and_leaves_nothing(
    target: Site, backup: Path, tmp_path: Path, *, then: str, ends: str, words: str
) -> None:
    programs = postgres_programs(programs_that_end(tmp_path / "bin", ends))
    url = target.database.server.url(target.name, user=OWNER)
    with pytest.raises(Permanent, match=words):
        programs.restore(url, backup / "zixly.dump", with_grants=True, then=then)
    assert target.rows("select count(*) from pg_tables where schemaname = 'zixly'") == [(0,)]


def nobody_is_in(site: Site) -> None:
    """Whoever was left behind by a killed command sees its end, and goes."""
    deadline = time.monotonic() + longest(30)
    with psycopg.connect(site.database.server.admin_url, autocommit=True) as connection:
        while connection.execute("select from pg_stat_activity where datname = %s", (site.name,)).fetchone() is not None:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_documents_in_a_bucket_come_back_into_another_bucket(
    site: Site, target: Site, monkeypatch: pytest.MonkeyPatch, aws_server: AwsServer, aws_credentials: None
) -> None:
    del aws_credentials  # in the environment
    monkeypatch.setattr(site, "bucket", new_bucket(aws_server))
    monkeypatch.setattr(target, "bucket", new_bucket(aws_server))
    kept = {f"tenant/job-{number}/report.pdf": DOCUMENT + str(number).encode() for number in range(3)}
    before = open_object_store(site.bucket or "")
    for key, document in kept.items():
        before.put(key, document, content_type="application/pdf")
    taken = site.zixly("backup", str(site.folder / "of-a-bucket"))
    assert taken.returncode == 0, taken.stderr + taken.stdout
    done = target.zixly("restore", str(site.folder / "of-a-bucket"))
    assert done.returncode == 0, done.stderr + done.stdout
    after = open_object_store(target.bucket or "")
    assert {key: after.get(key) for key in after.list("")} == kept


def new_bucket(server: AwsServer) -> str:
    name = f"backup-{uuid4().hex[:12]}"
    with closing(boto3.client("s3", endpoint_url=server.endpoint, region_name=REGION)) as client:
        client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return f"s3://{name}?endpoint={server.endpoint}&region={REGION}"


def test_the_embedded_stack_is_made_anew_from_a_backup(site: Site, backup: Path, tmp_path: Path) -> None:
    ports = free_stack_ports()
    home = Home(tmp_path / "new-home")
    own = {port_setting(name): str(port) for name, port in reversed(StackSettings.model_validate(ports).ports().items())}
    with pytest.raises(SettingsError, match="A backup holds no keys"):
        keys_for(StackSettings.model_validate({"home": home.path, **ports}), None)
    try:
        done = zixly("restore", str(backup), "--key-file", str(site.keys), ZIXLY_HOME=str(home.path), **own)
        assert done.returncode == 0, done.stderr + done.stdout
        assert home.key_file.read_bytes() == site.keys.read_bytes()
        assert [path.read_bytes() for path in home.objects.rglob("*.pdf")] == [DOCUMENT]
    finally:
        if home.path.exists():
            home.remove()
