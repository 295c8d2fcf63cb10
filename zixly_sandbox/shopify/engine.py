"""Runs GraphQL documents over the sandbox's part of the Admin API schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    execute_sync,
    parse,
    print_ast,
    validate,
)
from graphql.execution.values import get_variable_values

from zixly_sandbox.shopify.points import Pricing
from zixly_sandbox.shopify.query_errors import RULES, error_document, variable_error
from zixly_sandbox.shopify.resolvers import resolve_field, type_name_of

SCHEMA = Path(__file__).parent / "schema.graphql"
Errors = list[dict[str, Any]]


class WrongQuery(Exception):
    """The document or its variables are refused before anything is read."""

    def __init__(self, errors: Errors) -> None:
        super().__init__(str(errors))
        self.errors = errors


@cache
def admin_schema() -> GraphQLSchema:
    return build_schema(SCHEMA.read_text(encoding="utf-8"), assume_valid_sdl=True)


@dataclass(frozen=True)
class Operation:
    """A checked operation with its variables."""

    document: DocumentNode
    node: OperationDefinitionNode
    variables: Mapping[str, Any]
    name: str | None

    @property
    def pricing(self) -> Pricing:
        return Pricing.of(admin_schema(), self.document, self.node, self.variables)

    def result(self, context: object) -> tuple[dict[str, Any] | None, Errors]:
        """Data and errors, with what the resolvers need as `context`."""
        found = execute_sync(
            admin_schema(),
            self.document,
            context_value=context,
            variable_values=dict(self.variables),
            operation_name=self.name,
            field_resolver=resolve_field,
            type_resolver=type_name_of,
        )
        return found.data, [error_document(error) for error in found.errors or ()]


def operation_of(query: str, *, variables: Mapping[str, Any], name: str | None) -> Operation:
    """Raises `WrongQuery`."""
    document, errors = checked_document(query)
    if document is None:
        raise WrongQuery(list(errors))
    node = chosen(document, name)
    check_variables(node, variables)
    return Operation(document, node, variables, name)


@lru_cache(maxsize=256)
def checked_document(query: str) -> tuple[DocumentNode | None, tuple[dict[str, Any], ...]]:
    """The parsed text, or its errors. Clients send the same few texts again and again."""
    try:
        document = parse(query)
    except GraphQLError as error:
        return None, (error_document(error),)
    errors = validate(admin_schema(), document, RULES)
    return (None, tuple(error_document(error) for error in errors)) if errors else (document, ())


def chosen(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    found = [item for item in document.definitions if isinstance(item, OperationDefinitionNode)]
    fitting = [item for item in found if name is None or (item.name and item.name.value == name)]
    if len(fitting) != 1:
        text = f'No operation named "{name}"' if name else "An operation name is required"
        raise WrongQuery([{"message": text}])
    return fitting[0]


def check_variables(node: OperationDefinitionNode, variables: Mapping[str, Any]) -> None:
    found = get_variable_values(admin_schema(), node.variable_definitions, dict(variables))
    if not isinstance(found, list):
        return
    types = {item.variable.name.value: print_ast(item.type) for item in node.variable_definitions}
    errors = [variable_error(name, kind, variables.get(name), found[0].message) for name, kind in types.items() if names(found, name)]
    raise WrongQuery(errors or [error_document(error) for error in found])


def names(errors: list[GraphQLError], variable: str) -> bool:
    return any(f"'${variable}'" in error.message for error in errors)
