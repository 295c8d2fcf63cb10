"""Errors of queries in the words of Shopify's server (graphql-ruby), found by graphql-core's rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graphql import (
    FieldNode,
    FieldsOnCorrectTypeRule,
    GraphQLError,
    KnownArgumentNamesRule,
    OperationDefinitionNode,
    ValidationRule,
    specified_rules,
)


class KnownFields(ValidationRule):
    """`Field 'x' doesn't exist on type 'Order'`."""

    def enter_field(self, node: FieldNode, _key: Any, _parent: Any, _path: Any, ancestors: Sequence[Any]) -> None:
        kind = self.context.get_parent_type()
        if kind is None or self.context.get_field_def() is not None:
            return
        name = node.name.value
        extensions = {"code": "undefinedField", "typeName": kind.name, "fieldName": name}
        message = f"Field '{name}' doesn't exist on type '{kind.name}'"
        self.report_error(GraphQLError(message, node, extensions=extensions, path=[*labels(ancestors), name]))


class KnownArguments(ValidationRule):
    """`Field 'orders' doesn't accept argument 'x'`."""

    def enter_field(self, node: FieldNode, _key: Any, _parent: Any, _path: Any, ancestors: Sequence[Any]) -> None:
        field = self.context.get_field_def()
        if field is None:
            return
        for argument in node.arguments:
            name = argument.name.value
            if name not in field.args:
                extensions = {"code": "argumentNotAccepted", "name": node.name.value, "typeName": "Field", "argumentName": name}
                message = f"Field '{node.name.value}' doesn't accept argument '{name}'"
                path = [*labels(ancestors), node.name.value, name]
                self.report_error(GraphQLError(message, argument, extensions=extensions, path=path))


RULES = (
    *(rule for rule in specified_rules if rule not in {FieldsOnCorrectTypeRule, KnownArgumentNamesRule}),
    KnownFields,
    KnownArguments,
)


def labels(ancestors: Sequence[Any]) -> list[str]:
    """The way to a field: `query OrderById`, `order`."""
    found: list[str] = []
    for node in ancestors:
        if isinstance(node, OperationDefinitionNode):
            found.append(f"{node.operation.value} {node.name.value}" if node.name else node.operation.value)
        elif isinstance(node, FieldNode):
            found.append(node.alias.value if node.alias else node.name.value)
    return found


def error_document(error: GraphQLError) -> dict[str, Any]:
    """As the real server writes it; an error without a code gets none."""
    found: dict[str, Any] = {"message": error.message}
    if error.locations:
        found["locations"] = [{"line": item.line, "column": item.column} for item in error.locations]
    if error.path:
        found["path"] = list(error.path)
    if error.extensions:
        found["extensions"] = dict(error.extensions)
    return found


def variable_error(name: str, kind: str, value: Any, explanation: str) -> dict[str, Any]:
    return {
        "message": f"Variable ${name} of type {kind} was provided invalid value",
        "extensions": {"value": value, "problems": [{"path": [], "explanation": explanation}]},
    }
