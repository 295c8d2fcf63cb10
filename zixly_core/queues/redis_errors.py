"""What a failed call to Redis means. Messages name the queue and the error's kind, never an address with a password."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import AuthenticationError, AuthorizationError, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from zixly_core.errors import Permanent, QueueUnavailable

# First words of replies that only a person can change (valkey.io/topics/acl, /topics/protocol). Everything else that a server
# says passes: LOADING, OOM, MISCONF (its disk), READONLY and MASTERDOWN (a fail-over), ...
REFUSALS = frozenset({"NOAUTH", "WRONGPASS", "NOPERM", "WRONGTYPE", "ERR"})
# Where the server's word stands in the driver's text: first, or after what a pipeline puts before it.
SERVER_WORD = re.compile(r"(?:^|caused error: )([A-Z]+)(?: |$)")


@contextmanager
def translated(name: str, action: str) -> Iterator[None]:
    """Raise the driver's errors as `QueueUnavailable` (another try helps) or `Permanent` (a person has to do something)."""
    try:
        yield
    except RedisError as error:
        if is_refusal(error):
            text = f"Redis refused {action} on queue {name} ({error_word(error)}); check the user, password and rights in ZIXLY_QUEUE_URL."
            raise Permanent(text, reason="queue_refused") from error
        text = f"Redis could not do {action} on queue {name} ({error_word(error)}); it is tried again by itself."
        raise QueueUnavailable(text) from error


def is_group_missing(error: ResponseError) -> bool:
    """The stream or its group is not there: NOGROUP; UNBLOCKED when it vanished while we were waiting."""
    return error_word(error) in {"NOGROUP", "UNBLOCKED"}


def is_refusal(error: RedisError) -> bool:
    if isinstance(error, (AuthenticationError, AuthorizationError)):
        return True
    if isinstance(error, (RedisConnectionError, RedisTimeoutError)):
        return False
    return not isinstance(error, ResponseError) or error_word(error) in REFUSALS


def error_word(error: RedisError) -> str:
    """The server's machine word, or the kind of error when the server did not answer."""
    found = SERVER_WORD.search(str(error)) if isinstance(error, ResponseError) else None
    return error.status_code or (found[1] if found else type(error).__name__)
