"""The bridge's own description of itself, as attacks use it: every operation, and requests made up for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# What anybody may ask for, or what proves itself by a signature: no caller stands behind these.
OPEN = ("/webhook/", "/health", "/ready", "/metrics", "/connect/", "/auth/", "/sign-in", "/sign-out")
Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Operation:
    """One method of one path, with its parameters and the form of its body."""

    method: str
    path: str
    parameters: tuple[Schema, ...] = field(repr=False)
    body: Schema | None = field(repr=False)
    schemas: Schema = field(repr=False)

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def changes(self) -> bool:
        return self.method != "GET"

    def names(self, place: str) -> list[str]:
        return [one["name"] for one in self.parameters if one["in"] == place]

    def form_of(self, parameter: str) -> Schema:
        return self.plain(next(one["schema"] for one in self.parameters if one["name"] == parameter))

    def fields(self) -> dict[str, Schema]:
        return {name: self.plain(form) for name, form in (self.plain(self.body or {}).get("properties") or {}).items()}

    def required(self) -> set[str]:
        return set(self.plain(self.body or {}).get("required", ()))

    def plain(self, form: Schema) -> Schema:
        """A form without references; of alternatives the first, which is never null with us."""
        if "$ref" in form:
            return self.plain(self.schemas[form["$ref"].rpartition("/")[2]])
        if "anyOf" in form:
            return self.plain(form["anyOf"][0])
        return form


def operations(document: Mapping[str, Any]) -> list[Operation]:
    """Every operation for which somebody has to be known."""
    schemas = document["components"]["schemas"]
    return [
        Operation(method.upper(), path, tuple(one.get("parameters", ())), body_of(one), schemas)
        for path, methods in sorted(document["paths"].items())
        for method, one in sorted(methods.items())
        if not path.startswith(OPEN) or path.startswith("/webhook/jobs/")
    ]


def body_of(operation: Schema) -> Schema | None:
    content = operation.get("requestBody", {}).get("content", {})
    return content["application/json"]["schema"] if "application/json" in content else None


def made_up(form: Schema, *, text: str) -> Any:
    """Some value that the form allows."""
    if "const" in form:
        return form["const"]
    if "enum" in form:
        return form["enum"][0]
    if form.get("pattern") == r"^\d{1,30}$":
        return "12345"
    formats = {"date": "2026-11-01", "date-time": "2026-11-01T00:00:00Z", "time": "08:00:00"}
    kinds = {"boolean": True, "integer": form.get("minimum", 1), "number": 1, "array": [], "object": {}, "string": text}
    return formats.get(form.get("format", "")) or kinds[form.get("type", "object")]


@dataclass(frozen=True)
class Attempt:
    """A request that names `named`, which is another tenant's."""

    operation: Operation
    path: str
    named: str
    query: Mapping[str, Any]
    body: Any

    def instead(self, stranger: str) -> Attempt:
        """The same, about what nobody has."""
        query = {name: stranger if value == self.named else value for name, value in self.query.items()}
        return Attempt(self.operation, self.path.replace(self.named, stranger), stranger, query, swapped(self.body, self.named, stranger))


def swapped(value: Any, old: str, new: str) -> Any:
    if isinstance(value, dict):
        return {name: swapped(one, old, new) for name, one in value.items()}
    if isinstance(value, list):
        return [swapped(one, old, new) for one in value]
    return new if value == old else value


def attempts(operation: Operation, *, ids: Mapping[str, str], slug: str, own: str) -> Iterator[Attempt]:
    """Every parameter of the operation with every id and the short name of the other tenant; the rest of the request is good."""
    theirs = [*ids.values(), slug]
    body = {name: made_up(operation.fields()[name], text=own) for name in operation.required()} if operation.body else None
    for name in operation.names("path"):
        others = [one for one in operation.names("path") if one != name]
        for value in theirs if "uuid" not in str(operation.form_of(name)) else list(ids.values()):
            for other in theirs if others and name == "slug" and value == slug else [slug]:
                path = operation.path.replace(f"{{{name}}}", value)
                for one in others:
                    path = path.replace(f"{{{one}}}", other)
                yield Attempt(operation, path, value, {}, body_about(operation, body, slug))
    if operation.names("path"):
        return
    for name in operation.names("query"):
        required = {one["name"]: own for one in operation.parameters if one["in"] == "query" and one.get("required")}
        for value in fitting(operation.form_of(name), theirs):
            for kind in ("tenant", "connection") if "what" in required else ("",):
                query = {**required, name: value} | ({"what": kind} if kind else {})
                yield Attempt(operation, operation.path, value, query, body)
    for name, form in operation.fields().items():
        for value in fitting(form, theirs):
            yield Attempt(operation, operation.path, value, {}, {**(body or {}), name: [value] if form.get("type") == "array" else value})
    yield Attempt(operation, operation.path, slug, {}, body)


def fitting(form: Schema, theirs: Sequence[str]) -> Sequence[str]:
    """Every id where an id is asked for; of ids that are only text the latest few, and the short name."""
    if form.get("format") == "uuid" or form.get("type") == "array":
        return theirs[:-1]
    return theirs[-3:] if form.get("type") == "string" and "enum" not in form and "format" not in form else ()


def body_about(operation: Operation, body: Any, slug: str) -> Any:
    return {**body, "confirm": slug} if body and "confirm" in operation.fields() else body
