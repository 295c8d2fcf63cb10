"""`zixly secrets` against a database: what it says, and what it leaves in the key file."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from tests.support.ledger import TestLedger
from tests.support.postgres import TestDatabase
from zixly_core.ids import new_id
from zixly_core.secret_box import SecretBox
from zixly_core.secrets.key_file import create_key_file, read_key_file

SECRET = b"a refresh token"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "secrets.key"
    create_key_file(path)
    return path


def zixly(*arguments: str, database: TestDatabase, key_file: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ZIXLY_")}
    environment |= {
        "ZIXLY_HOME": str(key_file.parent / "home"),
        "ZIXLY_DATABASE_URL_RESEAL": database.url("reseal"),
        "ZIXLY_SECRETS_KEY_FILE": str(key_file),
    }
    command = [sys.executable, "-m", "zixly_cli.main", "secrets", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_a_key_is_changed_from_beginning_to_end(database: TestDatabase, ledger: TestLedger, key_file: Path) -> None:
    (old,) = read_key_file(key_file)
    grant = new_id()
    ledger.owner.execute(
        "insert into zixly.grants (id, tenant_id, system, ciphertext) values (%s, %s, 'xero', %s)",
        (grant, ledger.tenant.id, SecretBox([old]).seal(SECRET, context=str(grant))),
    )
    done = zixly("rotate", database=database, key_file=key_file)
    assert done.returncode == 0, done.stderr
    assert "1 values were sealed anew" in done.stdout
    assert f"the old key {old.id.hex()} is no longer needed: it seals nothing" in done.stdout
    new, kept = read_key_file(key_file)
    assert kept == old
    for key in (old, new):
        assert key.text not in done.stdout + done.stderr

    early = zixly("rotate", "--drop-old", database=database, key_file=key_file)
    assert early.returncode == 1
    assert "may still keep what it sealed before" in early.stderr
    an_hour_ago = time.time() - 3600
    os.utime(key_file, (an_hour_ago, an_hour_ago))
    assert zixly("rotate", "--drop-old", database=database, key_file=key_file).returncode == 0
    assert read_key_file(key_file) == (new,)
    with psycopg.connect(database.url("owner")) as connection:
        row = connection.execute("select ciphertext from zixly.grants where id = %s", (grant,)).fetchone()
    assert row is not None
    assert SecretBox([new]).open(row[0], context=str(grant)) == SECRET
    assert zixly("show", database=database, key_file=key_file).returncode == 0


def test_an_older_key_that_is_still_needed_is_not_dropped(database: TestDatabase, ledger: TestLedger, key_file: Path) -> None:
    from zixly_core.secrets.key_file import rotate_key_file

    grant = new_id()
    ledger.owner.execute(
        "insert into zixly.grants (id, tenant_id, system, ciphertext) values (%s, %s, 'xero', %s)",
        (grant, ledger.tenant.id, SecretBox(read_key_file(key_file)).seal(SECRET, context=str(grant))),
    )
    rotate_key_file(key_file)
    os.utime(key_file, (0, 0))
    refused = zixly("rotate", "--drop-old", database=database, key_file=key_file)
    assert refused.returncode == 1
    assert "still sealed with an older key" in refused.stderr
    assert len(read_key_file(key_file)) == 2
    assert zixly("show", database=database, key_file=key_file).returncode == 1
