"""The embedded Postgres as the tests and the stack use it."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import psycopg
import pytest

from tests.support.postgres import RunningPostgres, TestDatabase
from zixly_cli.stack.postgres import init_cluster
from zixly_cli.stack.postgres import postgres_server as server_of
from zixly_cli.stack.postgres_binaries import copy_libraries_beside, wheel_folders

ROLES = ("intake", "api", "dispatch", "runs", "metrics")


@pytest.mark.parametrize("role", ROLES)
def test_every_role_can_connect_and_owns_no_table(database: TestDatabase, role: str) -> None:
    with psycopg.connect(database.url(role)) as connection:
        owned = connection.execute("select count(*) from pg_tables where tableowner = current_user").fetchone()
        super_user = connection.execute("select rolsuper or rolbypassrls from pg_roles where rolname = current_user").fetchone()
    assert owned == (0,)
    assert super_user == (False,)


def test_a_wrong_password_is_refused(postgres_server: RunningPostgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(f"postgresql://postgres:wrong@127.0.0.1:{postgres_server.port}/postgres")


def test_what_one_test_writes_the_next_does_not_see(database: TestDatabase) -> None:
    with psycopg.connect(database.url("owner")) as connection:
        assert connection.execute("select count(*) from zixly.tenants").fetchone() == (0,)
        connection.execute("insert into zixly.tenants (id, slug, name) values (gen_random_uuid(), 'a', 'A')")


test_and_neither_does_the_one_after_it = test_what_one_test_writes_the_next_does_not_see


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user for Postgres")
def test_folders_that_are_closed_to_the_server_user_stay_closed(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    server = server_of(closed)
    try:
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        assert server.user is not None
        assert server.user.can_enter(server.place)
        assert (closed / "postgres").resolve() == server.place
    finally:
        shutil.rmtree(server.place)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user for Postgres")
def test_programs_in_a_closed_folder_run_from_a_copy(tmp_path: Path) -> None:
    """A clone in a folder that only root enters: the wheel's programs find their libraries in the copy too."""
    (install,) = [folder.parent for folder in wheel_folders()]
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    shutil.copytree(install, closed / install.parent.name / install.name, symlinks=True)
    copy_libraries_beside(install.parent, closed)
    (closed / "home").mkdir()
    server = server_of(closed / "home", bin_setting=closed / install.parent.name / install.name / "bin")
    try:
        assert server.binaries.folder.is_relative_to(server.place)
        init_cluster(server, password="only-for-tests")
        assert server.is_made
    finally:
        shutil.rmtree(server.place)
