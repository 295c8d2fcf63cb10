"""From records to the fields of the schema: a line in a table, or else the attribute or key of that name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from graphql import GraphQLResolveInfo

from zixly_sandbox.shopify import mutations, order_fields, root_fields
from zixly_sandbox.shopify.order_fields import Fields
from zixly_sandbox.shopify.records import Part

TABLES: Mapping[str, Fields] = {**order_fields.TABLES, **root_fields.TABLES, **mutations.TABLES}
KINDS: Mapping[type, str] = {**order_fields.KINDS, **root_fields.KINDS, **mutations.KINDS}
NOTHING: Fields = {}


def resolve_field(source: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
    name = info.field_name
    resolver = TABLES.get(info.parent_type.name, NOTHING).get(name)
    if resolver is not None:
        return resolver(source, info.context, **arguments)
    if isinstance(source, Mapping):
        return source[name]
    return getattr(source, attribute_name(name))


def type_name_of(value: Any, _info: GraphQLResolveInfo, _kind: Any) -> str:
    """Which object type stands behind an interface."""
    return KINDS[type(value.item if isinstance(value, Part) else value)]


@cache
def attribute_name(name: str) -> str:
    """`firstName` is `first_name` in Python."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
