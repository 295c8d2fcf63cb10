"""Adds to the two cut descriptions what they leave out and our clients call.

    python -m tests.contract.descriptions.extend xero_accounting.yaml

Xero: writes and single reads of credit notes, and their allocations, taken from the whole official file to the letter but for
its recursion, which the cut schemas end. HubSpot: pipelines and properties under their dated paths, which have the shapes of the
numbered ones (developers.hubspot.com/docs/api-reference/2026-03/overview: every API has the form /api-name/date/resource).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
XERO, HUBSPOT = HERE / "xero_accounting_subset.yaml", HERE / "hubspot_crm_subset.yaml"
XERO_PATHS = {
    "/CreditNotes": ("put", "post"),
    "/CreditNotes/{CreditNoteID}": ("get", "post"),
    "/CreditNotes/{CreditNoteID}/Allocations": ("put",),
}
DATED = {"/crm/v3/pipelines/": "/crm/pipelines/2026-09/", "/crm/v3/properties/": "/crm/properties/2026-09/"}
# The widths that the files were written with, so that only what is new shows as a change.
WIDTHS = {XERO: 140, HUBSPOT: 200}


def extend_xero(cut: dict[str, Any], whole: dict[str, Any]) -> None:
    limited = cut["paths"]["/Invoices"]["get"]["responses"]["429"]
    for path, methods in XERO_PATHS.items():
        item = cut["paths"].setdefault(path, {})
        for method in methods:
            source = whole["paths"][path]
            parameters = [*source.get("parameters", []), *source[method].get("parameters", [])]
            kept = {name: value for name, value in source[method].items() if not name.startswith("x-")}
            item[method] = {**kept, "parameters": parameters, "responses": {**kept["responses"], "429": limited}}
    for kind, name in sorted(set(missing_in(cut))):
        cut["components"].setdefault(kind, {})[name] = whole["components"][kind][name]


def missing_in(document: dict[str, Any]) -> list[tuple[str, str]]:
    """The components that are named and not there."""
    names = {tuple(ref.removeprefix("#/components/").split("/")) for ref in references(document)}
    return [(kind, name) for kind, name in names if name not in document["components"].get(kind, {})]


def references(node: Any) -> list[str]:
    if isinstance(node, list):
        return [ref for one in node for ref in references(one)]
    if not isinstance(node, dict):
        return []
    own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
    return own + [ref for one in node.values() for ref in references(one)]


def extend_hubspot(cut: dict[str, Any]) -> None:
    for path in list(cut["paths"]):
        for numbered, dated in DATED.items():
            if path.startswith(numbered):
                cut["paths"][path.replace(numbered, dated)] = cut["paths"][path]


class Plain(yaml.SafeDumper):
    """Writes a shared part where it stands instead of naming it once."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return found


def write(path: Path, document: dict[str, Any]) -> None:
    text = yaml.dump(document, Dumper=Plain, sort_keys=False, allow_unicode=True, width=WIDTHS[path])
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    xero, hubspot = read(XERO), read(HUBSPOT)
    extend_xero(xero, read(Path(sys.argv[1])))
    extend_hubspot(hubspot)
    write(XERO, xero)
    write(HUBSPOT, hubspot)
