"""The people one can be here. The embedded stack invites those with a role (zixly_cli/seed.py); the stranger nobody invited."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SandboxPerson:
    subject: str
    email: str
    name: str
    what: str


PEOPLE = tuple(
    SandboxPerson(subject=f"sandbox-{email.partition('@')[0]}-{number}", email=email, name=name, what=what)
    for number, (email, name, what) in enumerate(
        (
            ("admin@zixly.example", "Ada Admin", "ADMIN of the agency"),
            ("editor@zixly.example", "Edda Editor", "EDITOR of the agency"),
            ("viewer@zixly.example", "Vera Viewer", "VIEWER of the agency"),
            ("viewer@demo.example", "Dora Demo", "VIEWER of the client demo"),
            ("stranger@elsewhere.example", "Sam Stranger", "invited by nobody"),
        ),
        start=1,
    )
)


def person_of(subject: str) -> SandboxPerson | None:
    return next((one for one in PEOPLE if one.subject == subject), None)
