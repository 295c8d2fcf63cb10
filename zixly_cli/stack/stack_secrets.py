"""The passwords and keys of the embedded stack: made once, kept in the home, readable by their owner only."""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import orjson

from zixly_cli.stack.databases import DAGSTER, OWNER, ROLES
from zixly_cli.stack.postgres import SUPERUSER
from zixly_cli.stack.private_files import write_private
from zixly_core.errors import SettingsError


@dataclass(frozen=True)
class StackSecrets:
    """What the processes authenticate with among themselves, and what the sandbox's webhooks are signed with."""

    postgres: Mapping[str, str] = field(repr=False)
    """Role -> password."""
    valkey: str = field(repr=False)
    xero_webhook_key: str = field(repr=False)
    callback_token: str = field(repr=False)
    """What stands in the path of the demo tenant's own sender."""
    callback_secret: str = field(repr=False)
    """What it signs with (Standard Webhooks)."""
    api_token: str = field(repr=False)
    """With it the stack's own commands call the API where people sign in."""


def load_or_make_secrets(path: Path) -> StackSecrets:
    """The secrets of this home. Raises `SettingsError` when the file is there but cannot be read or others can read it."""
    if not path.exists():
        write_private(path, orjson.dumps(as_document(new_secrets()), option=orjson.OPT_INDENT_2))
    if path.stat().st_mode & 0o077:
        raise SettingsError(f"{path} can be read by others; run `chmod 600 {path}`")
    try:
        document = {"api_token": "", **orjson.loads(path.read_bytes())}
        made = StackSecrets(**{item.name: document[item.name] for item in fields(StackSecrets)})
        return with_what_is_new(made, path=path)
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise SettingsError(f"{path} cannot be read ({error}); mend it, or start empty with `zixly reset`") from error


def with_what_is_new(made: StackSecrets, *, path: Path) -> StackSecrets:
    """A home of an earlier version lacks the passwords of roles that came since, and the API's token: they are made, the others stay."""
    missing = [role for role in ROLES if role not in made.postgres]
    if not missing and made.api_token:
        return made
    passwords = {**made.postgres, **{role: secrets.token_hex(24) for role in missing}}
    known = replace(made, postgres=passwords, api_token=made.api_token or secrets.token_hex(32))
    write_private(path, orjson.dumps(as_document(known), option=orjson.OPT_INDENT_2))
    return known


def new_secrets() -> StackSecrets:
    """Letters and digits only: these stand in URLs."""
    return StackSecrets(
        postgres={role: secrets.token_hex(24) for role in (SUPERUSER, OWNER, DAGSTER, *ROLES)},
        valkey=secrets.token_hex(24),
        xero_webhook_key=secrets.token_hex(32),
        callback_token=secrets.token_hex(24),
        callback_secret="whsec_" + b64encode(secrets.token_bytes(24)).decode(),
        api_token=secrets.token_hex(32),
    )


def as_document(made: StackSecrets) -> dict[str, object]:
    return {item.name: getattr(made, item.name) for item in fields(made)} | {"postgres": dict(made.postgres)}
