"""A vendor's official description (OpenAPI 3.0), as far as checking a request against it goes."""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx2
import orjson
import yaml
from jsonschema import Draft202012Validator, FormatChecker

FOLDER = Path(__file__).parent.parent / "descriptions"


class Description:
    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._components = nullable(document["components"])

    def faults_of(self, request: httpx2.Request, *, base_path: str = "") -> list[str]:
        """What is wrong with a request; empty when the description allows it."""
        path = request.url.raw_path.decode().partition("?")[0].removeprefix(base_path)
        found = self._operation(request.method.lower(), path)
        if found is None:
            return [f"{request.method} {path} is not described"]
        operation, parameters = found
        given = {
            "query": parse_qsl(request.url.query.decode(), keep_blank_values=True),
            "header": list(request.headers.items()),
        }
        faults = [fault for place, pairs in given.items() for fault in self._faults_in(place, pairs, parameters)]
        return faults + self._body_faults(operation, request)

    def _operation(self, method: str, path: str) -> tuple[dict[str, Any], list[dict[str, Any]]] | None:
        """The operation and its parameters; a path without variables wins over one with."""
        for template in sorted(self._document["paths"], key=lambda one: one.count("{")):
            item = self._document["paths"][template]
            if fits(template, path) and method in item:
                parameters = [self._resolved(one) for one in item.get("parameters", []) + item[method].get("parameters", [])]
                return item[method], parameters
        return None

    def _faults_in(self, place: str, pairs: list[tuple[str, str]], parameters: list[dict[str, Any]]) -> list[str]:
        known = {one["name"].lower() if place == "header" else one["name"]: one for one in parameters if one["in"] == place}
        names = {name for name, _ in pairs}
        faults = [f"{place} {name} is missing" for name, one in known.items() if one.get("required") and name not in names]
        for name, text in pairs:
            if name in known:
                faults += self._value_faults(known[name], text)
            elif place == "query":
                faults.append(f"query {name} is not described")
        return faults

    def _value_faults(self, parameter: dict[str, Any], text: str) -> list[str]:
        """A list in one value is separated by commas unless it is exploded (the default), where each value is one item."""
        schema = self._resolved(parameter["schema"])
        if schema["type"] != "array":
            return self._schema_faults(parameter["name"], typed(text, schema["type"]), schema)
        items = [text] if parameter.get("explode", True) else text.split(",")
        return [fault for one in items for fault in self._schema_faults(parameter["name"], one, self._resolved(schema["items"]))]

    def _body_faults(self, operation: dict[str, Any], request: httpx2.Request) -> list[str]:
        if "requestBody" not in operation:
            return ["a body where none is described"] if request.content else []
        kind = request.headers.get("content-type", "").partition(";")[0]
        content = self._resolved(operation["requestBody"])["content"]
        if kind not in content:
            return [f"content type {kind!r} is not described"]
        form = kind == "application/x-www-form-urlencoded"
        body = dict(parse_qsl(request.content.decode())) if form else orjson.loads(request.content)
        schema = content[kind]["schema"]
        return [f"{name} is not described" for name in self._unknown_names(body, schema)] + self._schema_faults("body", body, schema)

    def _unknown_names(self, value: Any, schema: dict[str, Any]) -> list[str]:
        """The names in a body that its schema does not know, at any depth: JSON Schema lets them pass."""
        if isinstance(value, list):
            items = self._resolved(schema).get("items", {})
            return [name for one in value for name in self._unknown_names(one, items)]
        known = self._properties(schema)
        if not isinstance(value, dict) or not known:
            return []
        inside = [name for key, one in value.items() if key in known for name in self._unknown_names(one, known[key])]
        return sorted(set(value) - set(known)) + inside

    def _properties(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The properties of an object and of what it is put together from; empty where it takes any name."""
        resolved = self._resolved(schema)
        if "additionalProperties" in resolved:
            return {}
        parts = [self._properties(part) for part in resolved.get("allOf", [])]
        return {name: one for part in [*parts, resolved.get("properties", {})] for name, one in part.items()}

    def _schema_faults(self, what: str, value: object, schema: dict[str, Any]) -> list[str]:
        whole = {**nullable(schema), "components": self._components}
        checker = Draft202012Validator(whole, format_checker=FormatChecker())
        return [f"{what}: {error.message}" for error in checker.iter_errors(value)]

    def _resolved(self, node: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in node:
            return node
        found: Any = self._document
        for name in node["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        return self._resolved(found)


@cache
def description(name: str) -> Description:
    """The description in `tests/contract/descriptions/{name}.yaml`, which may be packed."""
    return Description(yaml.load(text_of(name), Loader=yaml.CSafeLoader))


def text_of(name: str) -> str:
    plain, packed = FOLDER / f"{name}.yaml", FOLDER / f"{name}.yaml.gz"
    return plain.read_text(encoding="utf-8") if plain.exists() else gzip.decompress(packed.read_bytes()).decode()


def nullable(node: Any) -> Any:
    """OpenAPI 3.0's `nullable` in JSON Schema's words."""
    if isinstance(node, list):
        return [nullable(one) for one in node]
    if not isinstance(node, dict):
        return node
    made = {name: nullable(value) for name, value in node.items()}
    if made.get("nullable") is True and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    return made


def fits(template: str, path: str) -> bool:
    ours, theirs = path.strip("/").split("/"), template.strip("/").split("/")
    return len(ours) == len(theirs) and all(b == a or b.startswith("{") for a, b in zip(ours, theirs, strict=True))


def typed(text: str, kind: str) -> object:
    """A query value as its type says; text that is none stays text and fails the schema."""
    match kind:
        case "integer" if text.lstrip("-").isdecimal():
            return int(text)
        case "boolean" if text in {"true", "false"}:
            return text == "true"
        case _:
            return text
