"""Bulk operations (shopify.dev/docs/api/usage/bulk-operations/queries): a query without page sizes, run in the background, its result
a file of lines. Nested lists become lines of their own that name their parent."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
from graphql import DocumentNode, FieldNode, GraphQLError, OperationDefinitionNode, Visitor, parse, visit

# Records of the outermost list that are read in one go, so that other calls get their turn between.
SLICE = 200
# At once for each shop, since 2026-01.
AT_ONCE = 5
MAX_CONNECTIONS, MAX_DEPTH = 5, 2
OPEN_STATES = {"CREATED", "RUNNING", "CANCELING"}

Run = Callable[[tuple[int, int]], dict[str, Any] | None]
"""Runs the query for a slice of the outermost list."""


@dataclass
class BulkOperation:
    id: int
    query: str
    created_at: int
    status: str = "CREATED"
    completed_at: int | None = None
    objects: int = 0
    root_objects: int = 0
    url: str | None = None
    content: bytes = field(default=b"", repr=False)


class BulkOperations:
    """Those of one shop."""

    def __init__(self, *, base: Callable[[], str]) -> None:
        """`base` is where result files are fetched."""
        self._base = base
        self._ids = itertools.count(147_595_010)
        self.operations: dict[int, BulkOperation] = {}

    def newest(self) -> BulkOperation | None:
        return next(reversed(self.operations.values()), None)

    def is_full(self) -> bool:
        return sum(item.status in OPEN_STATES for item in self.operations.values()) >= AT_ONCE

    def new(self, query: str, *, now: int) -> BulkOperation:
        made = BulkOperation(next(self._ids), query, now)
        self.operations[made.id] = made
        return made

    async def work(self, operation: BulkOperation, run: Run, *, wait: Callable[[], Any], now: Callable[[], int]) -> None:
        """Read slice by slice until one is empty, unless it is cancelled meanwhile."""
        operation.status = "RUNNING"
        lines: list[bytes] = []
        for start in itertools.count(0, SLICE):
            found = list(rows_of(run((start, start + SLICE)) or {}))
            lines += [orjson.dumps(row) for row in found]
            operation.objects = len(lines)
            operation.root_objects += sum("__parentId" not in row for row in found)
            if not found or operation.status == "CANCELING":
                break
            await asyncio.sleep(0)
        await wait()
        is_cancelled = operation.status == "CANCELING"
        operation.status, operation.completed_at = "CANCELED" if is_cancelled else "COMPLETED", now()
        if lines and not is_cancelled:
            operation.content = b"\n".join(lines) + b"\n"
            operation.url = f"{self._base()}/{operation.id}.jsonl"


def rows_of(data: dict[str, Any], parent: str | None = None) -> Iterator[dict[str, Any]]:
    """Each node as a row, followed by the rows of the lists in it."""
    for value in data.values():
        for node in nodes_in(value):
            row = {name: item for name, item in node.items() if not is_connection(item)}
            yield {**row, "__parentId": parent} if parent else row
            nested = {name: item for name, item in node.items() if is_connection(item)}
            yield from rows_of(nested, node.get("id"))


def is_connection(value: Any) -> bool:
    return isinstance(value, dict) and ("edges" in value or "nodes" in value)


def nodes_in(value: Any) -> list[dict[str, Any]]:
    if not is_connection(value):
        return []
    return value["nodes"] if "nodes" in value else [edge["node"] for edge in value["edges"]]


class Connections(Visitor):
    """Counts lists and how deep they lie in one another."""

    def __init__(self) -> None:
        super().__init__()
        self.count = self.depth = self._open = 0

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        if is_list(node):
            self.count += 1
            self._open += 1
            self.depth = max(self.depth, self._open)

    def leave_field(self, node: FieldNode, *_: Any) -> None:
        if is_list(node):
            self._open -= 1


def is_list(node: FieldNode) -> bool:
    inner = node.selection_set.selections if node.selection_set else ()
    return any(isinstance(item, FieldNode) and item.name.value in {"edges", "nodes"} for item in inner)


def fault_in(query: str) -> str | None:
    """Why the query cannot run in bulk; None when it can."""
    try:
        document: DocumentNode = parse(query)
    except GraphQLError as error:
        return f"Bulk queries must be valid: {error.message}"
    operations = [item for item in document.definitions if isinstance(item, OperationDefinitionNode)]
    if len(operations) != 1 or operations[0].operation.value != "query":
        return "Bulk operations must contain exactly one query."
    return fault_in_lists(document, operations[0])


def fault_in_lists(document: DocumentNode, operation: OperationDefinitionNode) -> str | None:
    roots = [item.name.value for item in operation.selection_set.selections if isinstance(item, FieldNode)]
    if roots not in (["orders"], ["customers"]):
        return "The sandbox runs bulk queries over orders or over customers."
    lists = Connections()
    visit(document, lists)
    if not lists.count:
        return "Bulk queries must contain at least one connection."
    if lists.count > MAX_CONNECTIONS:
        return f"Bulk queries cannot contain more than {MAX_CONNECTIONS} connections."
    if lists.depth > MAX_DEPTH + 1:
        return f"Bulk queries cannot contain connections with a nesting depth greater than {MAX_DEPTH}."
    return None
