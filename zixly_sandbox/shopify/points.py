"""The bucket of points that a shop has for an app, and what a query costs.

An object costs 1, a connection as many times its node as `first` or `last` asks for, a mutation 10, scalars nothing
(shopify.dev/docs/apps/build/apis/graphql-admin/rate-limits). Only objects with an id of their own are counted: amounts, tax lines
and page information are free. The real API has been seen to charge less for long connections; it says so in its answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_abstract_type,
    is_composite_type,
)

MUTATION_POINTS = 10


class Bucket:
    """Full at first; refilled as time goes by."""

    def __init__(self) -> None:
        self._missing = 0.0
        self._at = 0.0

    def available(self, now: float, *, size: int, restore: int) -> int:
        self._missing = max(0.0, self._missing - max(0.0, now - self._at) * restore)
        self._at = now
        return int(size - self._missing)

    def spend(self, points: int) -> None:
        self._missing += points

    def give_back(self, points: int) -> None:
        self._missing = max(0.0, self._missing - points)


@dataclass(frozen=True)
class Pricing:
    """What one operation of a document costs, with these variables."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    operation: OperationDefinitionNode
    variables: Mapping[str, Any]

    @classmethod
    def of(cls, schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> Pricing:
        found = {item.name.value: item for item in document.definitions if isinstance(item, FragmentDefinitionNode)}
        return cls(schema, found, operation, variables)

    def requested(self) -> int:
        """Before anything was read, at the most that the arguments allow."""
        return self._cost(self.operation.selection_set, self._root(), data=None)

    def actual(self, data: Mapping[str, Any] | None) -> int:
        """With what was found."""
        return self._cost(self.operation.selection_set, self._root(), data=data or {})

    def _root(self) -> GraphQLObjectType:
        root = self.schema.get_root_type(self.operation.operation)
        assert root is not None  # noqa: S101  # the schema has queries and mutations, and validation has refused subscriptions
        return root

    def _cost(self, selection: SelectionSetNode | None, parent: GraphQLNamedType, *, data: Mapping[str, Any] | None) -> int:
        if selection is None:
            return 0
        return sum(self._one(node, parent, data=data) for node in selection.selections)

    def _one(self, node: Any, parent: GraphQLNamedType, *, data: Mapping[str, Any] | None) -> int:
        """The cost of a field, or of what a fragment brings in."""
        if isinstance(node, FragmentSpreadNode):
            node = self.fragments[node.name.value]
        if not isinstance(node, FieldNode):
            condition = node.type_condition
            kind = self.schema.type_map[condition.name.value] if condition else parent
            return self._cost(node.selection_set, kind, data=data)
        field = getattr(parent, "fields", {}).get(node.name.value)
        if field is None or not is_composite_type(get_named_type(field.type)):
            return MUTATION_POINTS if parent.name == "Mutation" and data is None else 0
        kind = get_named_type(field.type)
        base = MUTATION_POINTS if parent.name == "Mutation" else 0
        if data is None:
            return base + self._asked(node, kind)
        name = node.alias.value if node.alias else node.name.value
        return base + self._found(node, kind, data.get(name))

    def _asked(self, node: FieldNode, kind: GraphQLNamedType) -> int:
        times = self._size(node)
        if kind.name.endswith("Connection"):
            return times * self._node_cost(node.selection_set, kind)
        return times * (own_points(kind) + self._cost(node.selection_set, kind, data=None))

    def _found(self, node: FieldNode, kind: GraphQLNamedType, value: Any) -> int:
        if isinstance(value, Sequence):
            return sum(self._found(node, kind, item) for item in value)
        if not isinstance(value, Mapping):
            return 0
        return own_points(kind) + self._cost(node.selection_set, kind, data=value)

    def _node_cost(self, selection: SelectionSetNode | None, kind: GraphQLNamedType) -> int:
        """A connection's node, whichever way it is asked for; 1 when only page information is."""
        return max(1, self._cost(selection, kind, data=None))

    def _size(self, node: FieldNode) -> int:
        """How many the arguments ask for; 1 where they do not tell."""
        for argument in node.arguments:
            if argument.name.value in {"first", "last"}:
                return max(1, self._number(argument.value))
            if argument.name.value == "ids":
                return max(1, self._count(argument.value))
        return 1

    def _number(self, node: ValueNode) -> int:
        value = self.variables.get(node.name.value) if isinstance(node, VariableNode) else None
        if isinstance(node, IntValueNode):
            return int(node.value)
        return value if isinstance(value, int) else 1

    def _count(self, node: ValueNode) -> int:
        if isinstance(node, VariableNode):
            value = self.variables.get(node.name.value)
            return len(value) if isinstance(value, list) else 1
        return len(node.values) if isinstance(node, ListValueNode) else 1


def own_points(kind: GraphQLNamedType) -> int:
    """1 for an object with an id of its own."""
    if is_abstract_type(kind):
        return 1
    return int(any(item.name == "Node" for item in getattr(kind, "interfaces", ())))
