"""The doctor's checks against real servers."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from tests.support.ledger import TestLedger
from tests.support.postgres import TestDatabase
from zixly_cli.doctor.findings import Problem, all_looked_at
from zixly_cli.doctor.platform import Platform
from zixly_cli.doctor.servers import migration, readiness, server_checks, server_version
from zixly_cli.doctor.trust import postgres_clock
from zixly_cli.doctor.vendors import reached
from zixly_core.settings import Settings


def test_a_database_is_asked_as_each_role_and_compared_with_the_migrations(database: TestDatabase, ledger: TestLedger) -> None:
    assert server_version(database.url("api")).endswith("as zixly_api")
    assert migration(database.url("owner")).isdigit()
    assert postgres_clock(database.url("api")).startswith("within ")
    ledger.owner.execute("update public.alembic_version set version_num = '0001'")
    with pytest.raises(Problem, match="is at migration 0001, this version needs"):
        migration(database.url("owner"))


def test_a_password_that_is_wrong_is_a_problem_that_does_not_show_it(database: TestDatabase) -> None:
    wrong = database.url("api").replace("zixly_api:", "zixly_api:wrong")
    with pytest.raises(Problem, match="does not let us in") as raised:
        server_version(wrong)
    assert "wrong" not in str(raised.value)


def test_servers_that_are_away_are_each_a_problem_with_a_remedy() -> None:
    nowhere = SecretStr("postgresql://zixly_api:secret@127.0.0.1:1/zixly")
    settings = Settings(
        database_url_api=nowhere,  # type: ignore[arg-type]
        queue_url=SecretStr("redis://127.0.0.1:1/0"),  # type: ignore[arg-type]
        dagster_webserver_url="http://127.0.0.1:1",
    )
    findings = all_looked_at(server_checks(Platform(settings, "http://127.0.0.1:1")))
    ill = {one.what: one for one in findings if one.problem}
    assert set(ill) == {"database (api)", "queue", "Dagster UI", "bridge"}
    assert all(one.remedy for one in ill.values())
    assert "secret" not in str([one.as_document() for one in findings])
    for look in (lambda: readiness("http://127.0.0.1:1"), lambda: reached("http://127.0.0.1:1/api")):
        with pytest.raises(Problem, match=r"did not answer|does not answer"):
            look()
