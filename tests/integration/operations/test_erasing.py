"""A tenant is erased: its word is found nowhere any more, everybody else's is where it was, and the audit log was not edited."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from tests.integration.operations.planting import MARKED, Planter, counts_of, everything_in
from tests.support.kept import LIMITS, Kept
from tests.support.ledger import Tenant
from tests.support.postgres import TestDatabase
from zixly_core.archive_members import unpacked
from zixly_core.archiving import archive_payloads
from zixly_core.errors import Transient
from zixly_core.personal_data import TABLES
from zixly_core.stores.database import Database
from zixly_core.stores.erasing import Authorised, due_erasures
from zixly_core.stores.jobs_view import Scope, scoped
from zixly_core.stores.tenants import ask_erasure, tenant_view
from zixly_core.tenant_erasure import Hands, JobsStillRun, erase_tenant
from zixly_core.token_store import KeptTokens, TokenSet

MINE, THEIRS = "marker-of-demo", "marker-of-other"
STAFF = Scope(tenant_id=None)
AUDIT_SQL = "insert into zixly.audit_log (id, tenant_id, actor, action, subject) values (gen_random_uuid(), %s, 'a', 'b', 'c')"
USER_SQL = "insert into zixly.users (id, email, name) values (gen_random_uuid(), %s, 'x') returning id"
MEMBERSHIP_SQL = "insert into zixly.memberships (id, user_id, tenant_id, role) values (gen_random_uuid(), %s, %s, 'VIEWER')"
STEPS = ["let_go_of_accounts", "erase_received", "remove_erased", "delete_below", "erase_people", "erase_rows", "note_done"]


class Forgetful:
    """A vault that notes what it forgot."""

    def __init__(self) -> None:
        self.forgotten: list[UUID] = []

    def keep(self, grant_id: UUID, tokens: TokenSet) -> KeptTokens:
        raise NotImplementedError

    def kept(self, grant_id: UUID, where: KeptTokens) -> TokenSet:
        raise NotImplementedError

    def forget(self, grant_id: UUID, where: KeptTokens) -> None:
        self.forgotten.append(grant_id)


@pytest.fixture
def api(database: TestDatabase) -> Iterator[Database]:
    opened = Database(database.url("api"), name="api")
    yield opened
    opened.close()


@pytest.fixture
def other(kept: Kept) -> Tenant:
    return kept.ledger.add_tenant("other")


def hands_for(kept: Kept, *, left: str | None = None) -> Hands:
    def revoke(_tenant_id: UUID, _connection: Authorised) -> str | None:
        return left

    return Hands(kept.ledger.runs, kept.retention, kept.store, Forgetful(), revoke)


def ask(api: Database, slug: str = "demo") -> None:
    with scoped(api, STAFF) as rows:
        ask_erasure(rows, slug, actor="tester")


def in_objects(kept: Kept) -> str:
    return "".join(text_of(kept, key) for key in kept.store.list(""))


def text_of(kept: Kept, key: str) -> str:
    data = kept.store.get(key)
    return b"".join(unpacked(data, key=key).values()).decode() if "/archive/" in key else data.decode()


def plant(kept: Kept, tenant: Tenant, word: str) -> Planter:
    """The word in every column, in archives, in documents, and in what came together with others'."""
    planter = Planter(kept.ledger, tenant, word)
    planter.plant_all()
    for _ in range(3):
        kept.add_job(kept.add(tenant, words=word).events[0], tenant)
    kept.store.put(f"{tenant.id}/{planter._ids['workflow_jobs']}/document.pdf", word.encode(), content_type="application/pdf")
    return planter


def audit_log(kept: Kept) -> list[dict[str, Any]]:
    return kept.ledger.owner.execute("select * from zixly.audit_log order by id").fetchall()


def test_after_an_erasure_the_tenants_word_is_nowhere_and_the_others_are_all_there(kept: Kept, other: Tenant, api: Database) -> None:
    ledger, owner = kept.ledger, kept.ledger.owner
    planted = plant(kept, ledger.tenant, MINE).planted
    plant(kept, other, THEIRS)
    together = kept.add(ledger.tenant, other, words="marker-of-both")
    owner.execute("update zixly.events set payload = %s where id = %s", (f'"{MINE}"'.encode(), together.events[0]))
    owner.execute("update zixly.events set payload = %s where id = %s", (f'"{THEIRS}"'.encode(), together.events[1]))
    before_connecting = kept.add(None, words=MINE, external_id="later-connected")
    owner.execute("update zixly.connections set external_id = 'later-connected' where id = %s", (ledger.tenant.xero,))
    archive_payloads(kept.retention, kept.store, LIMITS)
    recent = kept.add(ledger.tenant, words=MINE, age=LIMITS.older_than / 2)
    owner.execute(AUDIT_SQL, (ledger.tenant.id,))
    assert planted >= {name for name, held in TABLES.items() if held.columns_of(*MARKED)} - {"tenants", "connections"}, "in every table"
    before, counts = everything_in(ledger), counts_of(ledger, ledger.tenant.id)
    log = audit_log(kept)
    assert MINE in in_objects(kept)
    theirs = in_objects(kept).count(THEIRS)

    ask(api)
    erased = erase_tenant(hands_for(kept), ledger.tenant.id)

    assert erased is not None
    after = everything_in(ledger)
    assert [table for table, text in after.items() if MINE in text] == []
    assert MINE not in in_objects(kept)
    assert {table: text.count(THEIRS) for table, text in before.items()} == {table: text.count(THEIRS) for table, text in after.items()}
    assert in_objects(kept).count(THEIRS) == theirs
    assert kept.read(together.events[1]) == {together.events[1]: f'"{THEIRS}"'.encode()}, "what the other's event said is still there"
    assert kept.read(*before_connecting.events, *recent.events) == {}
    assert counts_of(ledger, ledger.tenant.id) == counts, "ids and counts stay"
    assert [row for row in audit_log(kept) if row["action"] == "b"] == log, "the audit log is not edited"
    (tenant,) = owner.execute("select * from zixly.tenants where id = %s", (ledger.tenant.id,)).fetchall()
    assert (tenant["name"], tenant["slug"]) == ("", "demo")
    assert tenant["erased_at"] is not None


def test_erasing_twice_changes_nothing_more(kept: Kept, api: Database) -> None:
    plant(kept, kept.ledger.tenant, MINE)
    ask(api)
    erase_tenant(hands_for(kept), kept.ledger.tenant.id)
    assert erase_tenant(hands_for(kept), kept.ledger.tenant.id) is None, "it is done"
    ask(api)
    assert erase_tenant(hands_for(kept), kept.ledger.tenant.id) == {}


@pytest.mark.parametrize("step", STEPS)
def test_an_erasure_that_was_killed_is_gone_on_with(kept: Kept, api: Database, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    plant(kept, kept.ledger.tenant, MINE)
    archive_payloads(kept.retention, kept.store, LIMITS)
    ask(api)

    def killed(*_: object, **__: object) -> None:
        raise Transient("killed", reason="killed")

    with monkeypatch.context() as patched:
        patched.setattr(f"zixly_core.tenant_erasure.{step}", killed)
        with pytest.raises(Transient, match="killed"):
            erase_tenant(hands_for(kept), kept.ledger.tenant.id)
    assert erase_tenant(hands_for(kept), kept.ledger.tenant.id) is not None
    assert [table for table, text in everything_in(kept.ledger).items() if MINE in text] == []
    assert MINE not in in_objects(kept)


def test_its_work_is_stopped_first_and_running_jobs_are_waited_for(kept: Kept, api: Database) -> None:
    ledger = kept.ledger
    _, jobs = ledger.claimed(1)
    (queued,) = ledger.add_jobs(1)
    came = kept.add(ledger.tenant, words=MINE)
    ask(api)
    assert ledger.job(queued)["status"] == "CANCELLED"
    with pytest.raises(JobsStillRun):
        erase_tenant(hands_for(kept), ledger.tenant.id)
    assert ledger.job(jobs[0].id)["cancel_requested_at"] is not None
    assert kept.read(*came.events), "nothing is erased under a worker's hands"
    ledger.lapse_leases()
    assert erase_tenant(hands_for(kept), ledger.tenant.id)


def test_accounts_are_let_go_of_and_what_a_person_must_do_is_said_once(kept: Kept, api: Database) -> None:
    ledger = kept.ledger
    grant = Planter(ledger, ledger.tenant, MINE)
    grant._plant("grants")
    ledger.owner.execute("update zixly.connections set grant_id = %s where id = %s", (grant._ids["grants"], ledger.tenant.xero))
    ask(api)
    hands = hands_for(kept, left="uninstall the app")
    erase_tenant(hands, ledger.tenant.id)
    assert isinstance(hands.vault, Forgetful)
    assert hands.vault.forgotten == [grant._ids["grants"]]
    rows = ledger.owner.execute("select external_id, status from zixly.connections where tenant_id = %s", (ledger.tenant.id,)).fetchall()
    assert {row["status"] for row in rows} == {"DISCONNECTED"}
    assert all(row["external_id"].startswith("erased:") for row in rows), "what still comes for them finds no tenant"
    with scoped(api, STAFF) as found:
        assert tenant_view(found, "demo")["by_hand"] == [f"xero (connection {ledger.tenant.xero}): uninstall the app"]


def test_people_who_belong_to_others_too_stay(kept: Kept, other: Tenant, api: Database) -> None:
    owner = kept.ledger.owner
    for name, tenants in (("only-here", [kept.ledger.tenant]), ("both", [kept.ledger.tenant, other])):
        user = owner.execute(USER_SQL, (name,)).fetchone()
        assert user is not None
        for tenant in tenants:
            owner.execute(MEMBERSHIP_SQL, (user["id"], tenant.id))
    ask(api)
    erase_tenant(hands_for(kept), kept.ledger.tenant.id)
    assert [row["email"] for row in owner.execute("select email from zixly.users").fetchall()] == ["both"]
    assert kept.count("zixly.memberships") == 1


def test_a_tenant_that_nobody_asked_for_is_not_erased(kept: Kept) -> None:
    came = kept.add(kept.ledger.tenant, words=MINE)
    assert erase_tenant(hands_for(kept), kept.ledger.tenant.id) is None
    assert kept.read(*came.events)


def test_the_sensor_sees_what_was_asked_for_and_waits_a_minute_before_the_next_try(kept: Kept, api: Database) -> None:
    ask(api)
    assert [one.tenant_id for one in due_erasures(kept.ledger.dispatch)] == [kept.ledger.tenant.id]
    kept.ledger.owner.execute("update zixly.tenant_erasures set tried_at = now() - interval '45 seconds'")
    assert due_erasures(kept.ledger.dispatch) == []
    kept.ledger.owner.execute("update zixly.tenant_erasures set tried_at = now() - interval '61 seconds'")
    assert len(due_erasures(kept.ledger.dispatch)) == 1


def test_what_is_asked_for_again_is_due_at_once(kept: Kept, api: Database) -> None:
    ask(api)
    erase_tenant(hands_for(kept), kept.ledger.tenant.id)
    assert due_erasures(kept.ledger.dispatch) == []
    ask(api)
    assert len(due_erasures(kept.ledger.dispatch)) == 1
