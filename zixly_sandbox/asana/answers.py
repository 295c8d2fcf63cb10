"""Asana's envelope and errors (developers.asana.com/docs/errors)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zixly_sandbox.http import Answer, Headers, header, json_answer

HELP = "For more information on API status codes and how to handle them, read the docs on errors: https://developers.asana.com/docs/errors"
# A 500 carries a phrase by which Asana finds it again.
PHRASE = "6 sad squid snuggle softly"


class Refused(Exception):
    """The call is refused. `extra` stands beside the errors."""

    def __init__(self, message: str, *, status: int = 400, extra: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.extra = dict(extra or {})


def unknown(kind: str, gid: str) -> Refused:
    """404 for an id that could be one, 400 for a text that could not."""
    if gid.isascii() and (gid.isdecimal() or gid.startswith("external:")):
        return Refused(f"{kind}: Unknown object: {gid}", status=404)
    return Refused(f"{kind}: Not a recognized ID: {gid}")


def refusal(error: Refused) -> Answer:
    return json_answer({**error_document(str(error)), **error.extra}, status=error.status)


def error_document(message: str) -> dict[str, Any]:
    return {"errors": [{"message": message, "help": HELP}]}


def data(document: Any, *, status: int = 200, **beside: Any) -> Answer:
    return json_answer({"data": document, **beside}, status=status)


def too_many(retry_after: int) -> Answer:
    message = "You have made too many requests recently. Please, be chill."
    return json_answer(error_document(message), status=429, headers=retry_header(retry_after))


def retry_header(seconds: int) -> Headers:
    return (header("Retry-After", seconds),)


def server_error(status: int) -> Answer:
    error = {"message": "Server Error", "help": HELP, "phrase": PHRASE}
    return json_answer({"errors": [error]}, status=status)
