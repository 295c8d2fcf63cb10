"""A vendor's official description (OpenAPI 3.0) as a judge of answers: shapes, and names that it does not know."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import httpx2
import yaml
from jsonschema import Draft202012Validator, FormatChecker

FOLDER = Path(__file__).parent.parent / "descriptions"

# What Xero's own examples hold and its schemas leave out.
UNDESCRIBED = {"Id", "Status", "ProviderName", "DateTimeUTC", "DateString", "DueDateString"}


class Answers:
    """Checks answers against one description."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._paths = document["paths"]
        self._document = strict(document)

    def faults_of(self, answer: httpx2.Response, *, path: str) -> list[str]:
        """What is wrong with an answer to a call of the described path; empty when nothing is."""
        operation = self._paths[path][answer.request.method.lower()]
        described = operation["responses"].get(str(answer.status_code)) or operation["responses"].get("default")
        if described is None:
            return [f"status {answer.status_code} is not described"]
        described = self._resolved(described)
        if "application/json" not in described.get("content", {}):
            return [] if not answer.content or answer.status_code == 429 else ["a body where none is described"]
        schema = strict(described["content"]["application/json"]["schema"])
        whole = {**schema, "components": self._document["components"]}
        checker = Draft202012Validator(whole, format_checker=FormatChecker())
        return [f"{'/'.join(map(str, error.path))}: {error.message}" for error in checker.iter_errors(answer.json())]

    def _resolved(self, node: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in node:
            return node
        found: Any = self._document
        for name in node["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        return self._resolved(found)


@cache
def answers_described(name: str) -> Answers:
    """The description in `tests/contract/descriptions/{name}.yaml`."""
    return Answers(yaml.load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))


def strict(node: Any) -> Any:
    """The schema in JSON Schema's words, taking no names but its own. A reference stands alone, as OpenAPI 3.0 reads it."""
    if isinstance(node, list):
        return [strict(one) for one in node]
    if not isinstance(node, dict):
        return node
    if isinstance(node.get("$ref"), str):
        return {"$ref": node["$ref"]}
    made = {name: strict(value) for name, value in node.items()}
    if made.get("nullable") is True and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    if isinstance(made.get("properties"), dict) and made.get("type") == "object" and "additionalProperties" not in made:
        made["additionalProperties"] = False
        made["properties"] = {**{name: {} for name in UNDESCRIBED}, **made["properties"]}
    return made
