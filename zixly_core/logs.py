"""Logs: one event name with fields on each line, as JSON for machines or coloured for a terminal.

What must not be read in a log is kept out by type, not by care: secrets and raw bytes are never rendered, and of an error that
is not ours only its type and place are, because a driver's text may quote the data it stumbled over. Behind that stands a net for
what looks like a secret, and for names whose values are secret (redaction.py).
"""

from __future__ import annotations

import logging
import os
import re
import sys
import traceback
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TextIO
from uuid import UUID

import orjson
import structlog
from pydantic import SecretBytes, SecretStr
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

from zixly_core.errors import ZixlyError
from zixly_core.log_lines import terminal_line
from zixly_core.redaction import MASK, is_secret_name, masked

FRAMES_SHOWN = 6
# Ids, plain words, moments, names of events and processes, which is most of what lines say: no form of a secret is one (redaction.py),
# and looking costs more than the rest.
PLAIN = re.compile(
    r"[0-9a-f-]{1,36}|[A-Za-z]{1,19}|[0-9TZ:.+-]{1,32}|[a-z]{1,19}-[0-9]{1,3}|(?!zx_|whsec_|shp)[a-z]{1,19}(?:_[a-z]{1,19}){1,5}", re.ASCII
)
# They write each request's URL at level info: with the tokens in our callbacks' paths, and the addresses that vendors are asked for.
TELL_URLS = ("httpx2", "httpcore2")
# Say at level info how they were loaded, each time.
CHATTY = ("alembic",)


def configure_logs(*, log_format: Literal["json", "console"], level: str, process: str, stream: TextIO | None = None) -> None:
    """Send the logs of this process, and of the libraries in it, to `stream` (standard output). `process` names it on each line."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        named(process),
        without_error_texts,
        without_secrets,
    ]
    renderer = as_json if log_format == "json" else for_a_terminal
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    handler.addFilter(ForeignErrors())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in (*TELL_URLS, *CHATTY):
        logging.getLogger(name).setLevel(logging.WARNING)


def named(process: str) -> Processor:
    """Adds which process speaks."""

    def add(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["process"] = process
        return event

    return add


def without_error_texts(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """An exception as its type and place. Only our own errors say more: their texts are written to be read (errors.py)."""
    error = exception_of(event.pop("exc_info", None))
    if error is None:
        return event
    event["error_type"] = type(error).__name__
    event["error_at"] = places_of(error)
    if isinstance(error, ZixlyError):
        event["error"] = str(error)
        event["reason"] = error.reason
    return event


def exception_of(given: bool | BaseException | ExcInfo | None) -> BaseException | None:
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple):
        return given[1]
    return sys.exc_info()[1] if given else None


def places_of(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES_SHOWN:]
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]


def without_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Values of the types that hold secrets and raw bodies, made unreadable wherever they stand."""
    return {name: shown_as(name, value) for name, value in event.items()}


def shown_as(name: object, value: Any) -> Any:
    """A value under its name: of some names every value is a secret, but for yes, no and nothing."""
    return MASK if is_secret_name(name) and not isinstance(value, bool | None) else shown(value)


def shown(value: Any) -> Any:
    if type(value) is str:
        return plain(value)
    match value:
        case int() | float() | None | UUID() | datetime() | date() | timedelta():
            return value
        case Mapping():
            return {str(name): shown_as(name, one) for name, one in value.items()}
        case list() | tuple() | set() | frozenset():
            return [shown(one) for one in value]
        case _:
            return in_words(value)


def in_words(value: Any) -> str:
    match value:
        case SecretStr() | SecretBytes():
            return MASK
        case bytes() | bytearray() | memoryview():
            return f"<{len(value)} bytes>"
        case BaseException():
            return error_word(value)
        case _:
            return plain(str(value))


def plain(text: str) -> str:
    """The text as it may be read."""
    return text if PLAIN.fullmatch(text) else masked(text)


def error_word(error: BaseException) -> str:
    """An error that stands among the values of a line, as its own text only if it is ours."""
    return str(error) if isinstance(error, ZixlyError) else type(error).__name__


class ForeignErrors(logging.Filter):
    """Libraries write errors into their lines as values (`cannot connect to %s: %s`): only the type is let through."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple) and any(isinstance(one, BaseException) for one in record.args):
            record.args = tuple(error_word(one) if isinstance(one, BaseException) else one for one in record.args)
        return True


def as_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def for_a_terminal(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    return terminal_line(event, colours="NO_COLOR" not in os.environ)
