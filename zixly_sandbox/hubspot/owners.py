"""Owners: the people of a portal whom records belong to (developers.hubspot.com/docs/guides/api/crm/owners)."""

from __future__ import annotations

from typing import Any

from zixly_sandbox.http import Answer, Call, json_answer
from zixly_sandbox.hubspot.answers import Refused, refusal
from zixly_sandbox.hubspot.desk import Visit
from zixly_sandbox.hubspot.pipelines import MADE_AT

# Id, user id, given name, family name, e-mail address; the same people in every portal.
OWNERS = (
    ("51100001", 71100001, "Mia", "Harper", "mia.harper@zixly.example.test"),
    ("51100002", 71100002, "Kenji", "Sato", "kenji.sato@zixly.example.test"),
)


def list_owners(call: Call, _visit: Visit) -> Answer:
    """All of them, or the one with an e-mail address."""
    email = call.query.get("email", "").lower()
    return json_answer({"results": [owner_document(*item) for item in OWNERS if email in {"", item[4]}]})


def one_owner(call: Call, _visit: Visit) -> Answer:
    """By id, or by the user's with `idProperty=userId`."""
    key, by_user = call.params["owner"], call.query.get("idproperty") == "userId"
    for item in OWNERS:
        if key == (str(item[1]) if by_user else item[0]):
            return json_answer(owner_document(*item))
    return refusal(Refused(f"Owner {key} was not found.", status=404, category="OBJECT_NOT_FOUND"))


def owner_document(key: str, user: int, first: str, last: str, email: str) -> dict[str, Any]:
    return {
        "id": key,
        "type": "PERSON",
        "userId": user,
        "userIdIncludingInactive": user,
        "firstName": first,
        "lastName": last,
        "email": email,
        "teams": [],
        "createdAt": MADE_AT,
        "updatedAt": MADE_AT,
        "archived": False,
    }
