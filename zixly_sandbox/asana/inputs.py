"""What callers send: the envelope, `opt_fields`, pages, and the values of records, each checked."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from zixly_sandbox.asana.answers import Refused, data, unknown
from zixly_sandbox.asana.documents import Document, shown
from zixly_sandbox.asana.workspace import External, Project, Task, Workspace
from zixly_sandbox.http import Answer, Call

MAX_PAGE = 100
# Without a limit a longer list is refused.
MAX_LIST = 1_000
MAX_EXTERNAL_GID, MAX_EXTERNAL_DATA = 1_024, 32_768


def body_data(call: Call) -> dict[str, Any]:
    """What stands in the envelope. Raises `Refused`."""
    try:
        found = call.json().get("data")
    except ValueError:
        raise Refused("Could not parse request data, invalid JSON") from None
    if not isinstance(found, dict):
        raise Refused("Could not interpret data: expected an object in the field data")
    return found


def opt_fields(call: Call) -> list[str] | None:
    return call.values("opt_fields") or None


def one(call: Call, document: Document, *, status: int = 200, **beside: Any) -> Answer:
    """A single record as an answer."""
    return data(shown(document, opt_fields(call), whole=True), status=status, **beside)


def page(call: Call, items: Sequence[Any], document: Callable[[Any], Document]) -> Answer:
    """A list: a page of it when the caller gives a limit, else all, which must not be too many."""
    limit, start = limit_of(call), offset_of(call)
    if limit is None:
        if len(items) > MAX_LIST:
            raise Refused("The result is too large. You should use pagination (may require specifying a workspace)!")
        return data([shown(document(item), opt_fields(call), whole=False) for item in items[start:]])
    end = start + limit
    chosen = [shown(document(item), opt_fields(call), whole=False) for item in items[start:end]]
    return data(chosen, next_page=next_page(call, end) if end < len(items) else None)


def next_page(call: Call, end: int) -> dict[str, str]:
    offset = urlsafe_b64encode(f"offset:{end}".encode()).decode()
    query = urlencode({**dict(call.query_pairs), "offset": offset})
    path = call.path.partition("/api/1.0")[2]
    return {"offset": offset, "path": f"{path}?{query}", "uri": f"https://app.asana.com/api/1.0{path}?{query}"}


def limit_of(call: Call) -> int | None:
    text = call.query.get("limit")
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= MAX_PAGE):
        raise Refused(f"limit: Must be between 1 and {MAX_PAGE}")
    return int(text)


def offset_of(call: Call) -> int:
    text = call.query.get("offset")
    if not text:
        return 0
    try:
        word, _, number = urlsafe_b64decode(text).decode().partition(":")
    except (binascii.Error, ValueError):
        word, number = "", ""
    if word != "offset" or not number.isdecimal():
        raise Refused("offset: Your pagination token is invalid.")
    return int(number)


def task_of(workspace: Workspace, key: str) -> Task:
    found = workspace.find_task(key)
    if found is None:
        raise unknown("task", key)
    return found


def project_of(workspace: Workspace, key: str) -> Project:
    found = workspace.projects.get(key)
    if found is None:
        raise unknown("project", key)
    return found


def same_workspace(workspace: Workspace, key: Any) -> str:
    """403 for another workspace than the token's."""
    if str(key) != workspace.gid:
        raise Refused("workspace: You do not have access to this workspace.", status=403)
    return workspace.gid


def milliseconds(text: str, *, name: str) -> int:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"{name}: Value is not a valid date or time: {text}") from None
    return int((at if at.tzinfo else at.astimezone()).timestamp() * 1000)


def checked(values: Mapping[str, Any], readers: Mapping[str, Callable[[Workspace, Any], Any]], workspace: Workspace) -> dict[str, Any]:
    """The values by our names. Raises `Refused` for a name that cannot be written."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if name not in readers:
            raise Refused(f"{name}: Cannot write this property")
        found[name] = readers[name](workspace, value)
    return found


def text_value(_workspace: Workspace, value: Any) -> str:
    if not isinstance(value, str):
        raise Refused(f"Value is not a string: {value!r}")
    return value


def flag_value(_workspace: Workspace, value: Any) -> bool:
    if not isinstance(value, bool):
        raise Refused(f"Value is not a boolean: {value!r}")
    return value


def day_value(_workspace: Workspace, value: Any) -> str | None:
    """A day, or nothing."""
    if value is None:
        return None
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise Refused(f"due_on: Value is not a valid date: {value}") from None


def user_value(workspace: Workspace, value: Any) -> str | None:
    """`me`, an id, an e-mail address, or nothing."""
    if value is None:
        return None
    if value == "me":
        return workspace.me.gid
    found = next((user for user in workspace.users.values() if value in {user.gid, user.email}), None)
    if found is None:
        raise unknown("assignee", str(value))
    return found.gid


def fields_value(workspace: Workspace, value: Any) -> dict[str, str | None]:
    """Values of text fields by the fields' ids."""
    if not isinstance(value, dict):
        raise Refused("custom_fields: Expected an object")
    for gid, text in value.items():
        if gid not in workspace.fields:
            raise Refused(f"Custom field with ID {gid} is not on given object")
        if text is not None and not isinstance(text, str):
            raise Refused(f"custom_fields: Value of {gid} is not a string")
    return value


def external_value(_workspace: Workspace, value: Any) -> External | None:
    if value is None:
        return None
    if not isinstance(value, dict) or not set(value) <= {"gid", "data"}:
        raise Refused("external: Expected an object with gid and data")
    made = External(value.get("gid"), value.get("data"))
    for text, limit in ((made.gid, MAX_EXTERNAL_GID), (made.data, MAX_EXTERNAL_DATA)):
        if text is not None and (not isinstance(text, str) or len(text) > limit):
            raise Refused(f"external: Must be a string of at most {limit} characters")
    return made
