"""Whatever the description allows, and much that it does not, is asked of every operation: nothing breaks, and answers are as described."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from tests.integration.bridge.running import PUBLIC_URL, SECRETS_KEY
from tests.integration.hostile.conftest import Start, Target
from tests.integration.operations.planting import Planter
from tests.security.real_proofs import Kind, RealProofs
from tests.support.full import IS_FULL
from tests.support.ledger import WORKFLOW, TestLedger
from tests.support.postgres import TestDatabase
from tests.support.servers import ValkeyServer
from zixly_core.stores.database import Database

pytestmark = pytest.mark.integration
Operation: TypeAlias = APIOperation[Any, Any, Any, Any]
AnyCase: TypeAlias = Case[Any]
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
REQUESTS_EACH = 100 if IS_FULL else 4
NOBODY = "nobody"
CALLERS = (NOBODY, "demo VIEWER", "staff ADMIN")
MANY = "1000000"
# Which table the ids in a path are of.
TABLES = {
    "job_id": "workflow_jobs",
    "delivery_id": "deliveries",
    "replay_id": "replays",
    "reconciliation_id": "reconciliations",
    "drift_id": "drifts",
    "backfill_id": "backfills",
    "connection_id": "connections",
    "consent_id": "oauth_states",
    "channel_id": "notification_channels",
    "issue_id": "issues",
    "export_id": "tenant_exports",
    "search_id": "payload_searches",
    "person_id": "users",
    "token_id": "machine_tokens",
    "wanted": "workflow_jobs",
}
PLAIN = {"workflow": [WORKFLOW], "tenant": ["demo", "other"], "slug": ["demo", "other"], "system": ["xero", "hubspot", "shopify", "asana"]}
# These take away what the others are asked about.
LAST = ("delete", "/erasure", "/stop", "/cancel")


@dataclass
class Asked:
    """What was answered to whom, and what was not as described, with the request that shows it."""

    proofs: RealProofs
    known: Mapping[str, list[str]]
    session: requests.Session = field(default_factory=requests.Session)
    broken: list[str] = field(default_factory=list)
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)

    def ask(self, who: str, case: AnyCase) -> None:
        headers = {} if who == NOBODY else self.proofs.headers(who)
        answer = case.call(session=self.session, headers=headers, allow_redirects=False, timeout=120)
        self.answers[who, answer.status_code] += 1
        try:
            case.validate_response(answer, checks=CHECKS)
        except BaseExceptionGroup as error:
            said = "; ".join(str(one).replace("\n", " ")[:400] for one in error.exceptions)
            self.broken.append(f"{who}: {case.as_curl_command()[:600]} -> {answer.status_code}: {said}")
        if "Traceback" in answer.text:
            self.broken.append(f"{who}: {case.as_curl_command()} tells where the code is")

    def cases(self, operation: Operation) -> st.SearchStrategy[AnyCase]:
        """As described, and not so; about what there is, and about what hypothesis makes up."""
        ids = {one.name: self.known[one.name] for one in operation.path_parameters if one.name in self.known}
        real = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in ids.items()})
        about = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]
        return st.one_of(*about, *(real.flatmap(lambda chosen: operation.as_strategy(path_parameters=chosen)) for _ in about if ids))


@pytest.fixture
def described(
    ledger: TestLedger, database: TestDatabase, valkey_server: ValkeyServer, start_target: Start, tmp_path: Path
) -> Iterator[tuple[Target, Asked]]:
    """A bridge as it is started, that knows who asks, and something of everything in its database."""
    ledger.add_tenant("other")
    planters = [Planter(ledger, tenant, f"word-of-{number}") for number, tenant in enumerate(ledger.tenants)]
    for planter in planters:
        planter.plant_all()
    known = {name: [str(planter.ids[table]) for planter in planters] for name, table in TABLES.items()} | PLAIN
    api = Database(database.url("api"), name="test-api")
    proofs = RealProofs(ledger, api, Kind.TOKEN, {"demo": ledger.tenants[0].id})
    rates = {"ZIXLY_API_REQUESTS_PER_MINUTE": MANY, "ZIXLY_UNKNOWN_REQUESTS_PER_MINUTE": MANY}
    key = {"ZIXLY_SECRETS_KEY": SECRETS_KEY.get_secret_value(), "ZIXLY_BRIDGE_PUBLIC_URL": PUBLIC_URL}
    sign_in = {"ZIXLY_OIDC_ISSUER": "http://127.0.0.1:1", "ZIXLY_OIDC_CLIENT_ID": "test", "ZIXLY_SIGN_IN": "required"}
    places = {"ZIXLY_QUEUE_URL": valkey_server.url, "ZIXLY_OBJECTS_URL": f"file://{tmp_path}"}
    with start_target(**places, **rates, **sign_in, **key) as target:
        yield target, Asked(proofs, known)
    api.close()


@pytest.mark.timeout(3_600 if IS_FULL else 900)
def test_every_operation_answers_as_it_is_described_whatever_it_is_asked(described: tuple[Target, Asked]) -> None:
    target, asked = described
    schema = schemathesis.openapi.from_url(f"{target.address}/openapi.json", timeout=120)
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    for operation in sorted(operations, key=lambda one: any(word in f"{one.method} {one.path}" for word in LAST)):
        ask_about(operation, asked)
    print(dict(asked.answers))
    assert asked.broken == [], "\n\n".join(asked.broken)
    assert "request_failed" not in target.log.read_text()
    assert len(operations) > 100, "hardly anything is described"
    assert sum(count for (_, status), count in asked.answers.items() if status < 300) > 100, "hardly anything was answered well"


def ask_about(operation: Operation, asked: Asked) -> None:
    @settings(
        max_examples=REQUESTS_EACH,
        derandomize=not IS_FULL,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=asked.cases(operation))
    def ask(case: AnyCase) -> None:
        for who in CALLERS:
            asked.ask(who, case)

    ask()
