from __future__ import annotations

from typing import Any

import pytest

from tests.contract.sandbox.description import answers_described
from tests.support.sandbox import SandboxCaller
from zixly_sandbox.constants import ADA_EMAIL, ADA_IN_HUBSPOT, APP, DEAL, DEMO

OBJECTS = "/crm/objects/2026-09/{objectType}"
UPDATE = {"id": ADA_IN_HUBSPOT, "objectWriteTraceId": "t", "properties": {"firstname": "Augusta"}}
NOTE = {"properties": {"hs_timestamp": "2026-11-22T10:00:00Z"}}

Case = tuple[str, str, str, Any, int]

# Method, described path, path behind the version, body, status.
CALLS: list[Case] = [
    ("POST", "/batch/read", "contacts/batch/read", {"inputs": [{"id": ADA_IN_HUBSPOT}]}, 200),
    ("POST", "/batch/read", "contacts/batch/read", {"inputs": [{"id": "none"}], "idProperty": "email"}, 207),
    ("POST", "/batch/update", "contacts/batch/update", {"inputs": [UPDATE]}, 200),
    ("POST", "/batch/update", "contacts/batch/update", {"inputs": [UPDATE, {**UPDATE, "id": "0"}]}, 207),
    ("POST", "/batch/update", "contacts/batch/update", {"inputs": [{**UPDATE, "properties": {"x": "1"}}]}, 400),
    ("POST", "/batch/create", "contacts/batch/create", {"inputs": [{"properties": {"email": "a@b.example.test"}}]}, 201),
    ("POST", "/batch/upsert", "contacts/batch/upsert", {"inputs": [{**UPDATE, "id": ADA_EMAIL, "idProperty": "email"}]}, 200),
    ("POST", "/batch/archive", "contacts/batch/archive", {"inputs": [{"id": ADA_IN_HUBSPOT}]}, 204),
    ("POST", "/search", "contacts/search", {"limit": 5}, 200),
    ("POST", "", "notes", NOTE, 201),
    ("POST", "", "contacts", {"properties": {"email": ADA_EMAIL}}, 409),
    ("GET", "", "contacts?limit=3", None, 200),
    ("GET", "/{objectId}", f"deals/{DEAL}?associations=contacts,line_items", None, 200),
    ("GET", "/{objectId}", "contacts/0", None, 404),
    ("PATCH", "/{objectId}", f"contacts/{ADA_EMAIL}?idProperty=email", {"properties": {"firstname": "A"}}, 200),
    ("DELETE", "/{objectId}", f"contacts/{ADA_IN_HUBSPOT}", None, 204),
]


@pytest.mark.parametrize("case", CALLS)
async def test_answers_fit_the_description(caller: SandboxCaller, case: Case) -> None:
    method, described, path, body, status = case
    headers = await caller.hubspot_headers()
    answer = await caller.http.request(method, f"/hubspot/crm/objects/2026-09/{path}", json=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert answers_described("hubspot_crm_subset").faults_of(answer, path=OBJECTS + described) == []


JOINED = "/crm/associations/2026-09/{fromObjectType}/{toObjectType}"
UNDER = "/crm/objects/2026-09/{objectType}/{objectId}/associations/{toObjectType}"
ENDS = {"from": {"id": DEAL}, "to": {"id": ADA_IN_HUBSPOT}}
KINDS = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 3}]

# Method, described path, path, body, status.
OTHER_CALLS: list[Case] = [
    ("POST", f"{JOINED}/batch/read", "/crm/associations/2026-09/deals/companies/batch/read", {"inputs": [{"id": DEAL}]}, 200),
    ("POST", f"{JOINED}/batch/read", "/crm/associations/2026-09/deals/tasks/batch/read", {"inputs": [{"id": DEAL}]}, 207),
    (
        "POST",
        f"{JOINED}/batch/associate/default",
        "/crm/associations/2026-09/deals/contacts/batch/associate/default",
        {"inputs": [ENDS]},
        200,
    ),
    (
        "POST",
        f"{JOINED}/batch/create",
        "/crm/associations/2026-09/deals/contacts/batch/create",
        {"inputs": [{**ENDS, "types": KINDS}]},
        201,
    ),
    (
        "POST",
        f"{JOINED}/batch/archive",
        "/crm/associations/2026-09/deals/contacts/batch/archive",
        {"inputs": [{**ENDS, "to": [{"id": ADA_IN_HUBSPOT}]}]},
        204,
    ),
    ("GET", UNDER, f"/crm/objects/2026-09/deals/{DEAL}/associations/companies", None, 200),
    ("PUT", f"{UNDER}/{{toObjectId}}", f"/crm/objects/2026-09/deals/{DEAL}/associations/contacts/{ADA_IN_HUBSPOT}", KINDS, 201),
    ("DELETE", f"{UNDER}/{{toObjectId}}", f"/crm/objects/2026-09/deals/{DEAL}/associations/contacts/{ADA_IN_HUBSPOT}", None, 204),
    (
        "PUT",
        "/crm/objects/2026-09/{fromObjectType}/{fromObjectId}/associations/default/{toObjectType}/{toObjectId}",
        f"/crm/objects/2026-09/deals/{DEAL}/associations/default/contacts/{ADA_IN_HUBSPOT}",
        None,
        200,
    ),
    ("GET", "/crm/v3/pipelines/{objectType}", "/crm/v3/pipelines/deals", None, 200),
    ("GET", "/crm/v3/pipelines/{objectType}/{pipelineId}", "/crm/v3/pipelines/deals/7100001", None, 200),
    ("GET", "/crm/v3/pipelines/{objectType}/{pipelineId}/stages", "/crm/v3/pipelines/deals/default/stages", None, 200),
    ("GET", "/crm/v3/owners/", "/crm/v3/owners/", None, 200),
    ("GET", "/crm/v3/owners/{ownerId}", "/crm/v3/owners/51100001", None, 200),
    ("GET", "/crm/v3/properties/{objectType}/groups", "/crm/v3/properties/notes/groups", None, 200),
    ("POST", "/crm/v3/properties/{objectType}/groups", "/crm/v3/properties/notes/groups", {"name": "zixly", "label": "Zixly"}, 201),
]


@pytest.mark.parametrize("case", OTHER_CALLS)
async def test_answers_about_associations_pipelines_and_owners_fit_the_description(caller: SandboxCaller, case: Case) -> None:
    method, described, path, body, status = case
    answer = await caller.http.request(method, f"/hubspot{path}", json=body, headers=await caller.hubspot_headers())
    assert answer.status_code == status, answer.text
    assert answers_described("hubspot_crm_subset").faults_of(answer, path=described) == []


@pytest.mark.parametrize("path", ["/crm/v3/properties/{objectType}", "/crm/v3/properties/{objectType}/{propertyName}"])
async def test_properties_fit_the_description(caller: SandboxCaller, path: str) -> None:
    address = path.replace("{objectType}", "contacts").replace("{propertyName}", "email")
    answer = await caller.http.get(f"/hubspot{address}", headers=await caller.hubspot_headers())
    assert answer.status_code == 200
    assert answers_described("hubspot_crm_subset").faults_of(answer, path=path) == []


async def test_the_limits_refusal_fits_the_description(caller: SandboxCaller) -> None:
    await caller.admin("PATCH", "/rules", {"hubspot": {"burst_calls": 0}})
    answer = await caller.http.get("/hubspot/crm/objects/2026-09/contacts", headers=await caller.hubspot_headers())
    assert answer.status_code == 429
    assert answers_described("hubspot_crm_subset").faults_of(answer, path=OBJECTS) == []


@pytest.mark.parametrize("version", ["2026-03", "2026-09", "v3"])
@pytest.mark.parametrize(("refresh_token", "status"), [(DEMO.hubspot_refresh, 200), ("dead", 400)])
async def test_tokens_fit_the_description(caller: SandboxCaller, version: str, refresh_token: str, status: int) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    proof = {"client_id": APP.client_id, "client_secret": APP.client_secret}
    answer = await caller.http.post(f"/hubspot/oauth/{version}/token", data={**form, **proof})
    assert answer.status_code == status
    assert answers_described("hubspot_crm_subset").faults_of(answer, path=f"/oauth/{version}/token") == []
