"""Faults on request: which call goes wrong, how, and how often."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from random import Random

from zixly_sandbox.http import System


class FaultKind(StrEnum):
    """What goes wrong."""

    SLOW = "slow"
    """Answered after `seconds`."""
    TIMEOUT = "timeout"
    """Nothing is done; the connection is dropped after `seconds`."""
    RATE_LIMIT = "429"
    """Refused as over the limit, with `seconds` to wait."""
    BAD_REQUEST = "400"
    """Refused: what was sent is wrong."""
    FORBIDDEN = "403"
    """Refused: the account, its plan or its scopes do not allow it."""
    SERVER_ERROR = "500"
    UNAVAILABLE = "503"
    DISCONNECT_BEFORE = "disconnect_before"
    """The connection is dropped and nothing is done."""
    DISCONNECT_AFTER = "disconnect_after"
    """The work is done, then the connection is dropped: the caller cannot know."""


@dataclass
class FaultRule:
    """Calls of a system whose `METHOD /path` fits the pattern (as in a shell: `*` also stands for slashes)."""

    id: int
    system: System
    pattern: str
    kind: FaultKind
    seconds: float
    probability: float
    left: int | None
    """How many more times; None: until it is removed."""
    hits: int = 0
    text: str | None = None
    """The answer's whole body, where it is another than the vendor's usual one."""

    def fits(self, system: System, call: str) -> bool:
        return self.left != 0 and self.system == system and fnmatchcase(call, self.pattern)


class Faults:
    """The rules in the order in which they were set; the first that fits is used."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._ids = itertools.count(1)
        self._rules: list[FaultRule] = []

    @property
    def rules(self) -> Sequence[FaultRule]:
        return self._rules

    def add(
        self,
        system: System,
        *,
        pattern: str,
        kind: FaultKind,
        seconds: float,
        probability: float = 1,
        count: int | None = None,
        text: str | None = None,
    ) -> FaultRule:
        """A pattern without a method is for all methods."""
        calls = pattern if " " in pattern else f"* {pattern}"
        rule = FaultRule(next(self._ids), system, calls, kind, seconds, probability, count, text=text)
        self._rules.append(rule)
        return rule

    def remove(self, rule_id: int) -> FaultRule | None:
        """The rule, which counts no more; None where there is none of that number."""
        rule = next((one for one in self._rules if one.id == rule_id), None)
        if rule is not None:
            self._rules.remove(rule)
        return rule

    def clear(self) -> None:
        self._rules.clear()

    def next(self, system: System, *, method: str, path: str) -> FaultRule | None:
        """The rule that this call falls under, counted as used."""
        if not self._rules:
            return None
        call = f"{method} {path}"
        for rule in self._rules:
            if rule.fits(system, call) and (rule.probability >= 1 or self._random.random() < rule.probability):
                rule.hits += 1
                rule.left = rule.left - 1 if rule.left is not None else None
                return rule
        return None
