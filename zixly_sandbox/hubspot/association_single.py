"""Associations of one record, under its own address, and the labels that there are."""

from __future__ import annotations

from typing import Any

from zixly_sandbox.clock import iso_milliseconds
from zixly_sandbox.http import Answer, Call, json_answer
from zixly_sandbox.hubspot.answers import Refused, batch, refusal
from zixly_sandbox.hubspot.association_calls import join_default, joined_document, kinds_of, note, page_of, pair_of, part
from zixly_sandbox.hubspot.association_types import AssociationType
from zixly_sandbox.hubspot.desk import Visit
from zixly_sandbox.hubspot.single import body_of, number

MAX_LIST = 500


def list_partners(call: Call, visit: Visit) -> Answer:
    try:
        pair = pair_of(call, visit)
        record = visit.portal.partner(pair.source, call.params["id"])
        limit = min(number(call, "limit", default=visit.desk.rules.association_page), MAX_LIST)
        partners = record.associations.get(pair.target.type, {})
        listed, paging = page_of(visit, pair, partners, after=call.query.get("after") or "0", limit=max(1, limit))
    except Refused as error:
        return refusal(error)
    return json_answer({"results": listed, **paging})


def put_default(call: Call, visit: Visit) -> Answer:
    """Join without a label."""
    now = iso_milliseconds(visit.now)
    try:
        ends = {"from": {"id": call.params["id"]}, "to": {"id": call.params["partner"]}}
        results, _ = join_default(visit, pair_of(call, visit), [ends])
    except Refused as error:
        return refusal(error)
    return batch(results, started_at=now, completed_at=now, done=200)


def put_labelled(call: Call, visit: Visit) -> Answer:
    """Join; the body is a list of kinds."""
    key = call.params["partner"]
    try:
        pair = pair_of(call, visit)
        record = visit.portal.partner(pair.source, call.params["id"])
        kinds = kinds_of(visit, pair, call.json_list())
        for kind in kinds:
            visit.portal.join(record, kind, key)
    except Refused as error:
        return refusal(error)
    note(visit, pair, record, key, operation="ASSOCIATE")
    return json_answer(joined_document(pair, record.id, key, kinds), status=201)


def delete_all(call: Call, visit: Visit) -> Answer:
    """Part two records; 204 whether they were joined or not."""
    try:
        pair = pair_of(call, visit)
    except Refused as error:
        return refusal(error)
    part(visit, pair, pair.source.records.get(call.params["id"]), call.params["partner"])
    return Answer(204)


def list_labels(call: Call, visit: Visit) -> Answer:
    try:
        pair = pair_of(call, visit)
    except Refused as error:
        return refusal(error)
    return json_answer({"results": [label_document(item) for item in visit.portal.kinds.between(pair.source.type, pair.target.type)]})


def create_label(call: Call, visit: Visit) -> Answer:
    """A label of the portal's own; the answer holds both directions."""
    try:
        pair = pair_of(call, visit)
        made = visit.portal.kinds.add_label(pair.source.type, pair.target.type, label=label_from(body_of(call)))
    except Refused as error:
        return refusal(error)
    return json_answer({"results": [label_document(item) for item in made]}, status=201)


def label_from(body: dict[str, object]) -> str:
    """Raises `Refused`."""
    label = body.get("label")
    if not isinstance(label, str) or not label:
        raise Refused("Invalid input JSON: the label is missing.")
    return label


def label_document(kind: AssociationType) -> dict[str, Any]:
    return {"category": kind.category, "typeId": kind.number, "label": kind.label}
