"""Who is at the Dagster UI: told by the gateway in headers, and believed only where the settings say that nobody gets past it.

An id goes into Dagster's database and logs, never a name or an address of e-mail (promise 8): the console and the API know whose it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

USER_HEADER = "X-Zixly-User"
ROLE_HEADER = "X-Zixly-Role"
USER_TAG = "zixly/launched_by"
# An id of ours, or the name of what is no person (`api-token`). No `@`, so no address of e-mail.
USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._-]{0,63}")
ROLES = frozenset({"ADMIN", "EDITOR", "VIEWER"})


@dataclass(frozen=True)
class GatewayUser:
    """Somebody whom the gateway let through."""

    id: str
    role: str | None


def gateway_user(headers: Mapping[str, str], *, is_trusted: bool) -> GatewayUser | None:
    """Who it is, by the headers of a request; None when they say nothing usable, or are not to be believed."""
    user = headers.get(USER_HEADER)
    if not is_trusted or user is None or not USER.fullmatch(user):
        return None
    role = headers.get(ROLE_HEADER)
    return GatewayUser(id=user, role=role if role in ROLES else None)


def user_tags(user: GatewayUser | None) -> dict[str, str]:
    """What a run of theirs is tagged with. It takes the place of a tag of that name that the request brought."""
    return {USER_TAG: user.id} if user else {}
