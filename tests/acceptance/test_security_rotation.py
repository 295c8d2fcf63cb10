"""The key that seals secrets is changed on a running stack, while deliveries come and jobs run."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from tests.acceptance.test_operations_reconciliation import sandbox
from tests.support.invoices import new_invoices, pay
from tests.support.stack import StackUnderTest
from zixly_cli.seed import DEMO
from zixly_core.secrets.key_file import read_key_file

NOW = "select now() as at"
MADE_SINCE = "select status, error_reason from zixly.workflow_jobs where created_at > %s"
REFUSED_SINCE = "select verdict from zixly.deliveries where received_at > %s and verdict = 'rejected'"
SEALED_ANEW = "select details from zixly.audit_log where action = 'secrets.resealed' and at > %s"
# As many as a busy machine pays while the key is changed; those that are left stay open.
INVOICES = 2_000
KEY_OF_TOKENS = "select distinct encode(substring(ciphertext from 2 for 8), 'hex') as key from zixly.grants"


def test_a_key_is_changed_under_load_and_the_old_one_is_not_needed_afterwards(running_stack: StackUnderTest) -> None:
    stack = running_stack
    invoices = new_invoices(stack, DEMO.organisation, INVOICES)
    began = stack.rows(NOW)[0]["at"]
    key_file = stack.plan.home.key_file
    old = read_key_file(key_file)[0]
    command = [sys.executable, "-m", "zixly_cli.main", "secrets", "rotate"]
    rotation = subprocess.Popen(command, env=stack.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    while rotation.poll() is None:
        pay(stack, DEMO.organisation, [invoices.pop()])
        time.sleep(0.1)
    said = rotation.communicate()[0]
    assert rotation.returncode == 0, said
    assert f"the old key {old.id.hex()} is no longer needed" in said
    assert stack.rows(SEALED_ANEW, began)

    an_hour_ago = time.time() - 3600
    os.utime(key_file, (an_hour_ago, an_hour_ago))
    dropped = stack.zixly("secrets", "rotate", "--drop-old")
    assert dropped.returncode == 0, dropped.stderr
    (new,) = read_key_file(key_file)
    assert [row["key"] for row in stack.rows(KEY_OF_TOKENS)] == [new.id.hex()]
    # Tokens have to be opened, exchanged and sealed; by processes that never knew the old key, too.
    sandbox(stack, "POST", "/tokens/expire", {"system": "xero"})
    for name in ("worker-1", "bridge"):
        assert stack.zixly("restart", name).returncode == 0
    stack.wait_until(lambda: stack.zixly("send", "xero").returncode == 0, seconds=30, words="the bridge takes deliveries again")
    pay(stack, DEMO.organisation, [invoices.pop()])
    stack.wait_until(lambda: all_ended(stack, began), seconds=60, words="the jobs of the change have ended")
    assert {row["error_reason"] for row in stack.rows(MADE_SINCE, began) if row["status"] != "COMPLETED"} == set()
    assert stack.rows(REFUSED_SINCE, began) == []


def all_ended(stack: StackUnderTest, began: object) -> bool:
    rows = stack.rows(MADE_SINCE, began)
    return len(rows) > 1 and all(row["status"] not in ("QUEUED", "RUNNING") for row in rows)
