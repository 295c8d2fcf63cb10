"""Calls about webhooks and events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zixly_sandbox.asana.answers import Refused, data, unknown
from zixly_sandbox.asana.desk import Visit
from zixly_sandbox.asana.hooks import Webhook
from zixly_sandbox.asana.inputs import body_data, one, page, same_workspace
from zixly_sandbox.http import Answer, Call

FILTER_NAMES = {"resource_type", "resource_subtype", "action", "fields"}
ACTIONS = {"changed", "added", "removed", "deleted", "undeleted"}
SYNC_LOST = (
    "Sync token invalid or too old. If you are attempting to keep resources in sync, you must fetch the full dataset for this query "
    "now and use the new sync token for the next sync."
)


async def create_webhook(call: Call, visit: Visit) -> Answer:
    """Answered only after the target has passed the handshake. The secret is told once more, beside the data."""
    values = body_data(call)
    workspace, hooks = visit.workspace, visit.account.hooks
    resource, kind = resource_of(visit, str(values.get("resource", "")))
    filters = checked_filters(values.get("filters", []), kind=kind)
    target = str(values.get("target", ""))
    made = hooks.new_webhook(workspace.next_gid(), resource=resource, resource_type=kind, target=target, filters=filters)
    await hooks.established(visit.desk.client(), made)
    visit.record("CREATE", "webhook", made.gid, {"resource": resource, "filters": list(filters)})
    return one(call, made.document(), status=201, **{"X-Hook-Secret": made.secret})


def resource_of(visit: Visit, key: str) -> tuple[str, str]:
    """Id and type of what is to be watched. Raises `Refused`."""
    workspace = visit.workspace
    for kind, known in (("project", workspace.projects), ("task", workspace.tasks)):
        if key in known:
            return key, kind
    if key in {workspace.gid, workspace.team}:
        return key, "workspace" if key == workspace.gid else "team"
    raise unknown("resource", key)


def checked_filters(filters: Any, *, kind: str) -> list[Mapping[str, Any]]:
    """Raises `Refused`. Wide resources need filters and tell nothing of tasks."""
    if not isinstance(filters, list) or not all(isinstance(one, dict) for one in filters):
        raise Refused("filters: Expected a list of objects")
    for one_filter in filters:
        if not set(one_filter) <= FILTER_NAMES or "resource_type" not in one_filter:
            raise Refused("filters: Each needs a resource_type and may have resource_subtype, action and fields")
        if one_filter.get("action") not in {None, *ACTIONS}:
            raise Refused(f"filters: Unknown action {one_filter['action']}")
        if one_filter.get("fields") and one_filter.get("action") != "changed":
            raise Refused("filters: fields go with the action changed only")
    if kind in {"workspace", "team"}:
        types = {one_filter["resource_type"] for one_filter in filters}
        if not filters or types & {"task", "story"}:
            raise Refused(f"Webhooks on a {kind} need filters, and cannot be about tasks or stories.", status=403)
    return filters


def webhook_of(visit: Visit, gid: str) -> Webhook:
    found = visit.account.hooks.found.get(gid)
    if found is None:
        raise unknown("webhook", gid)
    return found


def list_webhooks(call: Call, visit: Visit) -> Answer:
    """Those of the app in a workspace, which has to be named."""
    if "workspace" not in call.query:
        raise Refused("workspace: Missing input")
    same_workspace(visit.workspace, call.query["workspace"])
    resource = call.query.get("resource")
    found = [item for item in visit.account.hooks.found.values() if resource in {None, item.resource}]
    return page(call, found, Webhook.document)


def get_webhook(call: Call, visit: Visit) -> Answer:
    return one(call, webhook_of(visit, call.params["webhook"]).document())


def update_webhook(call: Call, visit: Visit) -> Answer:
    """Only the filters can be changed."""
    webhook = webhook_of(visit, call.params["webhook"])
    values = body_data(call)
    if set(values) != {"filters"}:
        raise Refused("filters: Missing input")
    webhook.filters = tuple(checked_filters(values["filters"], kind=webhook.resource_type))
    visit.record("UPDATE", "webhook", webhook.gid, values)
    return one(call, webhook.document())


def delete_webhook(call: Call, visit: Visit) -> Answer:
    webhook = webhook_of(visit, call.params["webhook"])
    visit.account.hooks.remove(webhook)
    visit.record("DELETE", "webhook", webhook.gid, {})
    return data({})


def list_events(call: Call, visit: Visit) -> Answer:
    """What happened since the sync token; 412 with a fresh one for the first call and for a token that is too old."""
    resource, _ = resource_of(visit, call.query.get("resource", ""))
    log, lifetime = visit.account.events, visit.desk.rules.sync_token_seconds
    found = log.since(call.query.get("sync", ""), resource=resource, lifetime=lifetime)
    if found is None:
        raise Refused(SYNC_LOST, status=412, extra={"sync": log.new_token(resource)})
    events, token, has_more = found
    return data([event.document() for event in events], sync=token, has_more=has_more)
