"""What a request to the Dagster webserver asks to change. Values in, names out: nothing is sent or refused here.

Only names come out of a document, never a variable or a literal: those hold run config.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qs

from graphql import FieldNode, GraphQLError, OperationDefinitionNode, OperationType, parse

GRAPHQL_PATH = "/graphql"
# The UI sends them by itself, and they change nothing: telemetry is off here, and so is the notice for new users.
HARMLESS = frozenset({"logTelemetry", "setNuxSeen"})
READS = frozenset({"GET", "HEAD", "OPTIONS"})
UNREADABLE = "unreadable"


def writes_asked(method: str, path: str, *, query_string: bytes, body: bytes) -> tuple[str, ...]:
    """The changes that a request asks for: names of mutations, or the path's first part of those other than GraphQL.

    A document counts when any way of reading the request would find it, whatever its content type says.
    """
    if not path.endswith(GRAPHQL_PATH):
        return () if method in READS else (path.strip("/").split("/")[0] or "root",)
    asked = [name for text in documents_in(query_string, body) for name in mutations_in(text)]
    return tuple(dict.fromkeys(name for name in asked if name not in HARMLESS))


def documents_in(query_string: bytes, body: bytes) -> Iterator[str]:
    """What may be read as a GraphQL document: of the query string, of a JSON body, or the body as it is."""
    yield from parse_qs(query_string.decode(errors="replace")).get("query", [])
    try:
        read = json.loads(body) if body else None
    except (ValueError, RecursionError):
        yield body.decode(errors="replace")
        return
    for item in read if isinstance(read, list) else [read]:
        if isinstance(item, Mapping) and isinstance(text := item.get("query"), str):
            yield text


def mutations_in(text: str) -> list[str]:
    """Names of the mutations of a document, of any of its operations."""
    if "mutation" not in text:
        return []
    try:
        document = parse(text, max_tokens=20_000)
    except (GraphQLError, RecursionError):
        return [UNREADABLE]
    operations = (node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    return [
        chosen.name.value if isinstance(chosen, FieldNode) else "fragment"
        for operation in operations
        if operation.operation is OperationType.MUTATION
        for chosen in operation.selection_set.selections
    ]
