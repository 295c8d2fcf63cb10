"""`zixly doctor`: what is wrong, and what to do about it."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from pydantic import SecretStr

from zixly_cli.doctor import examine, room
from zixly_cli.doctor.findings import Check, Finding, Problem, all_looked_at
from zixly_cli.doctor.platform import Platform, platform_of
from zixly_cli.doctor.room import room_checks
from zixly_cli.doctor.servers import newest_migration
from zixly_cli.doctor.transport import transport_checks
from zixly_cli.doctor.trust import difference, trust_checks
from zixly_cli.doctor.vendors import addresses_of
from zixly_cli.settings import StackSettings
from zixly_cli.settings_of_platform import settings_from
from zixly_core.errors import SettingsError
from zixly_core.settings import Settings

NOW = datetime(2026, 11, 27, 10, 0, tzinfo=UTC)
KEY = SecretStr(b64encode(bytes(range(32))).decode())


def failing() -> str:
    raise Problem("The queue is away.")


def test_findings_keep_their_order_and_a_problem_comes_with_its_remedy() -> None:
    first, second = all_looked_at([Check("queue", failing, "Start it."), Check("python", lambda: "3.13", "Install it.")])
    assert (first.problem, first.remedy, first.as_document()["well"]) == ("The queue is away.", "Start it.", False)
    assert (second.found, second.problem, second.remedy) == ("3.13", None, None)


def broken() -> str:
    raise ImportError("postgresql://user:secret@host")


def test_a_check_that_breaks_is_a_finding_and_tells_no_secret() -> None:
    (finding,) = all_looked_at([Check("worker", broken, "Start it.")])
    assert finding.problem == "It could not be looked at (ImportError)."


def test_without_a_stack_and_without_named_servers_only_the_machine_is_examined(tmp_path: Path) -> None:
    findings = examine({"ZIXLY_HOME": str(tmp_path)})
    assert findings[-1].what == "stack"
    assert findings[-1].problem is None
    assert platform_of({}, StackSettings(home=tmp_path)) is None


def test_a_wrong_value_of_the_platform_is_named(tmp_path: Path) -> None:
    findings = examine({"ZIXLY_HOME": str(tmp_path), "ZIXLY_LEASE_SECONDS": "soon"})
    assert [one.problem for one in findings if one.what == "values"] == [
        "ZIXLY_LEASE_SECONDS is wrong: Input should be a valid number, unable to parse string as a number"
    ]
    with pytest.raises(SettingsError, match="ZIXLY_BRIDGE_WORKERS is wrong"):
        settings_from({"ZIXLY_BRIDGE_WORKERS": "0"})


@pytest.mark.parametrize("seconds", [3.0, -3.0])
def test_a_clock_that_is_wrong_by_seconds_is_said(seconds: float) -> None:
    assert difference(NOW, NOW + timedelta(seconds=1.5), whose="Postgres'", slack_seconds=0) == "within 1.5 s"
    with pytest.raises(Problem, match=r"3\.0 s (before|behind) Postgres'"):
        difference(NOW, NOW + timedelta(seconds=seconds), whose="Postgres'", slack_seconds=0.5)


def test_secrets_that_are_missing_are_named_by_system() -> None:
    settings = Settings(environment="production", secrets_key=KEY, xero_webhook_keys=SecretStr("key"))  # type: ignore[arg-type]
    found = {one.what: one.problem for one in all_looked_at(trust_checks(Platform(settings, "http://127.0.0.1:1")))}
    assert found["sealing key"] is None
    assert (found["signing secrets"] or "").startswith("HubSpot, Shopify: no signing secret is set")
    assert found["API token"] == "There is none and no provider (ZIXLY_OIDC_ISSUER), so the API is off."


def transport_of(**values: object) -> Finding:
    platform = Platform(Settings(**values), "http://127.0.0.1:1")  # type: ignore[arg-type]
    (found,) = all_looked_at(transport_checks(platform))
    return found


@pytest.mark.parametrize(
    ("name", "url", "is_well"),
    [
        ("database_url_api", "postgresql://api:test-password@db.example.com/zixly", False),
        ("database_url_api", "postgresql://api:test-password@db.example.com/zixly?sslmode=prefer", False),
        ("database_url_api", "postgresql://api:test-password@db.example.com/zixly?sslmode=verify-full", True),
        ("database_url_api", "postgresql://api:test-password@127.0.0.1/zixly", True),
        ("database_url_api", "postgresql:///zixly?host=/run/postgresql", True),
        ("dagster_database_url", "postgresql+psycopg2://dagster:test-password@db.example.com/dagster", False),
        ("queue_url", "redis://:test-password@redis.example.com/0", False),
        ("queue_url", "rediss://:test-password@redis.example.com/0", True),
        ("queue_url", "sqs://ap-southeast-2/zixly", True),
        ("broker_url", "redis://:test-password@[::1]:6379/1", True),
        ("bridge_public_url", "http://bridge.example.com", False),
        ("bridge_public_url", "https://bridge.example.com", True),
    ],
)
def test_what_goes_to_another_machine_without_tls_is_named_without_its_value(name: str, url: str, is_well: bool) -> None:
    found = transport_of(environment="production", **{name: url})
    assert (found.problem is None) is is_well
    assert is_well or f"ZIXLY_{name.upper()}" in (found.problem or "")
    assert "test-password" not in f"{found}"
    assert transport_of(**{name: url}).problem is None, "only production must"


def test_each_vendor_with_one_host_for_all_accounts_is_tried() -> None:
    assert set(addresses_of(Settings())) == {"Xero", "HubSpot", "Asana"}
    assert addresses_of(Settings(shopify_api_url="http://127.0.0.1:1/shopify/{shop}"))["Shopify"] == "http://127.0.0.1:1/shopify"


def test_the_newest_migration_is_that_of_the_files() -> None:
    files = sorted(Path("zixly_core/migrations/versions").glob("0*.py"))
    assert files[-1].name.startswith(f"{newest_migration()}_")


def test_a_disk_that_fills_is_said_with_what_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checks = room_checks(Platform(Settings(objects_url=f"file://{tmp_path}/objects"), "http://127.0.0.1:1", postgres_folder=tmp_path))
    assert [one.problem for one in all_looked_at(checks)] == [None, None]
    monkeypatch.setattr(room.shutil, "disk_usage", lambda _: SimpleNamespace(free=12_300_000))
    postgres, objects = all_looked_at(checks)
    assert postgres.problem == f"The disk fills: 12.3 MB are free at {tmp_path}."
    assert objects.problem == f"The disk fills: 12.3 MB are free at {tmp_path}/objects."
    assert "zixly issues replay" in (objects.remedy or "")
