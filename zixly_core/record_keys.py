"""How outside records are named where order matters: one name for each record, whoever tells of it.

Jobs about one name never run side by side, and what is created for a record is created once under its name.
"""

from __future__ import annotations


def record_key(system: str, *, account: str, category: str, record_id: str) -> str:
    """The name of a record, such as `hubspot:62515:deal:17812345601`. Xero's categories are in capitals, as its events have them;
    Asana's ids are unique across workspaces."""
    match system:
        case "xero":
            return f"xero:{account}:{category.upper()}:{record_id}"
        case "asana":
            return f"asana:{category.lower()}:{record_id}"
        case _:
            return f"{system}:{account}:{category.lower()}:{record_id}"
