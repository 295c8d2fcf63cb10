"""`zixly send` against a bridge whose database holds the demo tenants."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr

from tests.integration.bridge.running import RunningBridge, settings_for, start_bridge
from tests.support.postgres import TestDatabase
from zixly_cli.deliveries import SAMPLES
from zixly_cli.seed import DEMO, Sender, demo_id, seed_demo
from zixly_cli.send import send_sample
from zixly_cli.settings import StackSettings
from zixly_cli.stack.environment import SANDBOX_CLIENT_SECRET
from zixly_cli.stack.home import Home
from zixly_cli.stack.stack_secrets import StackSecrets, load_or_make_secrets
from zixly_core.secrets.key_file import create_key_file


@pytest.fixture
def home(tmp_path: Path, database: TestDatabase) -> Path:
    """A stack's home with its secrets, and the demo tenants in the database, twice: seeding is safe to repeat."""
    home = Home(tmp_path)
    home.secrets_file.parent.mkdir(parents=True, exist_ok=True)
    made = load_or_make_secrets(home.secrets_file)
    create_key_file(home.key_file)
    for _ in range(2):
        seed_demo(database.url("owner"), key_file=home.key_file, sender=Sender(made.callback_token, made.callback_secret))
    return tmp_path


@pytest.fixture
def stack_bridge(home: Path, database: TestDatabase) -> Iterator[RunningBridge]:
    made: StackSecrets = load_or_make_secrets(Home(home).secrets_file)
    settings = settings_for(
        database,
        bridge_public_url="http://127.0.0.1:3000",
        xero_webhook_keys=SecretStr(made.xero_webhook_key),
        hubspot_client_secret=SecretStr(SANDBOX_CLIENT_SECRET),
        shopify_app_secrets=SecretStr(SANDBOX_CLIENT_SECRET),
        secrets_key=None,
        secrets_key_file=Home(home).key_file,
    )
    running = start_bridge(settings)
    yield running
    running.stop()


@pytest.mark.parametrize("what", SAMPLES)
def test_a_sample_is_taken_as_the_demo_tenants(stack_bridge: RunningBridge, database: TestDatabase, home: Path, what: str) -> None:
    answer = send_sample(
        what,
        records=[],
        account=None,
        url=str(stack_bridge.http.base_url).rstrip("/"),
        settings=StackSettings(home=home),
        variables={"ZIXLY_BRIDGE_PUBLIC_URL": "http://127.0.0.1:3000"},
        now=datetime.now(UTC),
    )
    assert answer.is_success, answer.text
    with psycopg.connect(database.url("owner")) as owner:
        events = owner.execute("select tenant_id, outcome from zixly.events").fetchall()
    assert events == [(demo_id("tenant", DEMO.slug), "filtered")]
