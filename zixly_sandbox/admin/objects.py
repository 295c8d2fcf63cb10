"""`/_sandbox/objects`: what callers created, by what tells it apart in the real world, so that a test can prove no doubles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter

from zixly_sandbox.http import System
from zixly_sandbox.sandbox import Sandbox
from zixly_sandbox.usage import Write

Properties = Mapping[str, Any]
Key = tuple[str, str, str, str]


def first_of(*names: str) -> Callable[[Properties], str]:
    """The first of these properties that was given."""
    return lambda given: next((str(given[name]) for name in names if given.get(name)), "")


def all_of(*names: str) -> Callable[[Properties], str]:
    """Those of these properties that were given."""
    return lambda given: " ".join(str(given[name]) for name in names if given.get(name))


def external_or(name: str) -> Callable[[Properties], str]:
    """Asana's `external.gid`, which apps set, else another field."""

    def read(given: Properties) -> str:
        external = given.get("external")
        gid = external.get("gid") if isinstance(external, Mapping) else None
        return str(gid or given.get("external.gid") or given.get(name) or "")

    return read


# System and object type as the log of writes names them -> its natural key.
NATURAL_KEYS: Mapping[tuple[str, str], Callable[[Properties], str]] = {
    ("hubspot", "contacts"): first_of("email"),
    ("hubspot", "companies"): first_of("domain", "name"),
    ("hubspot", "deals"): first_of("zixly_effect", "dealname"),
    ("hubspot", "notes"): first_of("zixly_effect", "hs_note_body"),
    ("hubspot", "tasks"): first_of("zixly_effect", "hs_task_subject"),
    ("xero", "contact"): first_of("Name"),
    ("xero", "invoice"): first_of("InvoiceNumber", "Reference"),
    ("xero", "credit_note"): first_of("CreditNoteNumber", "Reference"),
    ("xero", "payment"): all_of("InvoiceID", "CreditNoteID", "Reference", "Amount"),
    ("xero", "allocation"): all_of("CreditID", "InvoiceID", "Amount"),
    ("asana", "task"): external_or("name"),
    ("asana", "project"): external_or("name"),
    ("asana", "story"): all_of("task", "text"),
}


def objects_router(sandbox: Sandbox) -> APIRouter:
    router = APIRouter(tags=["objects"])

    @router.get("/objects")
    async def objects(
        *, system: System | None = None, account: str | None = None, object_type: str | None = None, doubled: bool = False
    ) -> dict[str, Any]:
        """Everything that callers created, with its natural key and how often that was created; `doubled=true`: only what was
        created more than once. Seeded records are not among them."""
        found = created(sandbox, system=system, account=account, object_type=object_type)
        rows = [row(key, ids) for key, ids in found.items() if len(ids) > 1 or not doubled]
        return {
            "created": sum(len(ids) for ids in found.values()),
            "doubled": sum(1 for ids in found.values() if len(ids) > 1),
            "objects": rows,
        }

    return router


def created(sandbox: Sandbox, *, system: str | None, account: str | None, object_type: str | None) -> dict[Key, list[str]]:
    """System, account, type and natural key -> the ids that were made under it. What has no natural key stands alone."""
    found: dict[Key, list[str]] = defaultdict(list)
    writes = sandbox.writes.select(limit=len(sandbox.writes), operation="CREATE", system=system, account=account, object_type=object_type)
    for write in writes:
        found[write.system, write.account, write.object_type, natural_key(write)].append(write.object_id)
    return found


def natural_key(write: Write) -> str:
    read = NATURAL_KEYS.get((write.system, write.object_type))
    return (read(write.properties) if read else "") or f"id {write.object_id}"


def row(key: Key, ids: list[str]) -> dict[str, Any]:
    return {"system": key[0], "account": key[1], "object_type": key[2], "key": key[3], "count": len(ids), "ids": ids}
