"""Search (developers.hubspot.com/docs/api-reference/legacy/crm/search-the-crm): it lags behind writes and has its own limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from zixly_sandbox.http import Answer, Call, json_answer
from zixly_sandbox.hubspot.answers import Refused, refusal
from zixly_sandbox.hubspot.desk import Visit
from zixly_sandbox.hubspot.documents import record_document
from zixly_sandbox.hubspot.single import body_of
from zixly_sandbox.hubspot.table import ObjectTable, Record

MAX_LIMIT = 200
MAX_RESULTS = 10_000
MAX_GROUPS, MAX_FILTERS, MAX_FILTERS_IN_ALL = 5, 6, 18
MAX_BODY_CHARACTERS = 3_000

Properties = Mapping[str, str]
Found = list[tuple[Record, Properties]]


def search(call: Call, visit: Visit) -> Answer:
    try:
        table = visit.portal.table(call.params["type"])
        body = search_body(call)
        found = matching(table, body, now=visit.now)
        wanted = [str(name) for name in list_of(body, "properties")]
        after, end = span_of(body)
    except Refused as error:
        return refusal(error)
    results = [record_document(record, table, properties=wanted) for record, _ in found[after:end]]
    paging = {"paging": {"next": {"after": str(end)}}} if end < min(len(found), MAX_RESULTS) else {}
    return json_answer({"total": len(found), "results": results, **paging})


def search_body(call: Call) -> dict[str, Any]:
    """Raises `Refused`."""
    if len(call.body) > MAX_BODY_CHARACTERS:
        raise Refused(f"A search takes at most {MAX_BODY_CHARACTERS} characters.")
    return body_of(call)


def span_of(body: Mapping[str, Any]) -> tuple[int, int]:
    """The places of the first result and of the one behind the last. Raises `Refused`."""
    limit, after = whole(body, "limit", 10, most=MAX_LIMIT), whole(body, "after", 0, most=MAX_RESULTS)
    if after + limit > MAX_RESULTS:
        raise Refused(f"Search pages through at most {MAX_RESULTS} results; after and limit go beyond.")
    return after, after + limit


def matching(table: ObjectTable, body: Mapping[str, Any], *, now: int) -> Found:
    """Records of which search sees a state that fits one of the groups and the query, sorted."""
    groups = [[test_of(item, table) for item in group] for group in groups_of(body)]
    words = str(body.get("query") or "").lower()
    found: Found = [
        (record, seen)
        for record, seen in table.searchable(now=now)
        if (not groups or any(all(test(seen) for test in group) for group in groups))
        and (not words or any(words in value.lower() for value in seen.values()))
    ]
    return in_order(found, body.get("sorts"))


def groups_of(body: Mapping[str, Any]) -> list[list[dict[str, Any]]]:
    groups = list_of(body, "filterGroups")
    found = [list_of(group, "filters") for group in groups if isinstance(group, dict)]
    if len(found) < len(groups) or not all(isinstance(item, dict) for group in found for item in group):
        raise Refused("Invalid input JSON: filterGroups cannot be read.")
    if len(found) > MAX_GROUPS or any(len(group) > MAX_FILTERS for group in found) or sum(map(len, found)) > MAX_FILTERS_IN_ALL:
        text = f"A search takes at most {MAX_GROUPS} filter groups of {MAX_FILTERS} filters, {MAX_FILTERS_IN_ALL} in all."
        raise Refused(text)
    return found


def test_of(item: Mapping[str, Any], table: ObjectTable) -> Callable[[Properties], bool]:
    """A filter as a question about a record's properties."""
    name, operator = str(item.get("propertyName")), str(item.get("operator"))
    if table.schema.get(name) is None:
        raise Refused(f'There was a problem with the request. Property "{name}" does not exist', code="PROPERTY_DOESNT_EXIST")
    value, high = comparable(item.get("value")), comparable(item.get("highValue"))
    # Compared as they were sent: with IN, text in capitals is never found.
    values = {as_sent(one) for one in list_of(item, "values")}
    tests: dict[str, Callable[[Any], bool]] = {
        "EQ": lambda own: own == value,
        "NEQ": lambda own: own != value,
        "IN": lambda own: own in values,
        "NOT_IN": lambda own: own not in values,
        "HAS_PROPERTY": lambda own: own != "",
        "NOT_HAS_PROPERTY": lambda own: own == "",
        "CONTAINS_TOKEN": lambda own: str(value).strip("*") in str(own),
        "NOT_CONTAINS_TOKEN": lambda own: str(value).strip("*") not in str(own),
        "LT": lambda own: is_ordered(own, value) and own < value,
        "LTE": lambda own: is_ordered(own, value) and own <= value,
        "GT": lambda own: is_ordered(own, value) and own > value,
        "GTE": lambda own: is_ordered(own, value) and own >= value,
        "BETWEEN": lambda own: is_ordered(own, value) and is_ordered(own, high) and value <= own <= high,
    }
    if operator not in tests:
        raise Refused(f"Invalid operator {operator}.")
    return lambda seen: tests[operator](comparable(seen.get(name)))


def comparable(value: object) -> Any:
    """Numbers and dates (as Unix milliseconds) as numbers, other text without case, nothing as empty text."""
    text = "" if value is None else str(value).strip()
    for read in (float, milliseconds_of):
        try:
            return read(text)
        except ValueError:
            continue
    return text.lower()


def as_sent(value: object) -> Any:
    """Numbers and dates as `comparable`, other text with its case."""
    made = comparable(value)
    return str(value).strip() if isinstance(made, str) else made


def milliseconds_of(text: str) -> float:
    """A date or moment, in UTC where it has no zone. `ValueError` when it is none."""
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000


def is_ordered(own: object, other: object) -> bool:
    return type(own) is type(other) and own != ""


def in_order(found: Found, sorts: object) -> Found:
    """One sort: a property name, with a minus for descending, or an object with `propertyName` and `direction`."""
    first = sorts[0] if isinstance(sorts, list) and sorts else None
    if isinstance(first, dict):
        name, descending = str(first.get("propertyName")), first.get("direction") == "DESCENDING"
    elif isinstance(first, str):
        name, descending = first.lstrip("-"), first.startswith("-")
    else:
        return found
    return sorted(found, key=lambda pair: str(pair[1].get(name, "")), reverse=descending)


def list_of(body: Mapping[str, Any], name: str) -> list[Any]:
    """A list, empty where it is left out. Raises `Refused` for anything else."""
    found = body.get(name) or []
    if not isinstance(found, list):
        raise Refused(f"Invalid input JSON: {name} is no list.")
    return found


def whole(body: Mapping[str, Any], name: str, default: int, *, most: int) -> int:
    """A number that may come as text. Raises `Refused`."""
    try:
        value = int(body.get(name) or default)
    except (TypeError, ValueError):
        value = -1
    if not 0 <= value <= most:
        raise Refused(f"The value of {name} must be between 0 and {most}.")
    return value
