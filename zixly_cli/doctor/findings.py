"""One thing that the doctor looked at: well, or a problem with its remedy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from zixly_core.errors import ZixlyError


@dataclass(frozen=True)
class Finding:
    """`problem` None: it is well. A problem always has a remedy: what to do, as a sentence or a command."""

    what: str
    found: str
    problem: str | None = None
    remedy: str | None = None

    def as_document(self) -> dict[str, object]:
        return {"what": self.what, "well": self.problem is None, "found": self.found, "problem": self.problem, "remedy": self.remedy}


@dataclass(frozen=True)
class Check:
    """How something is looked at. `look` says what it found, or raises an error of ours whose sentence is the problem."""

    what: str
    look: Callable[[], str]
    remedy: str


class Problem(ZixlyError):
    """What a check found wrong, in one sentence; `remedy` where it is another one than the check's."""

    default_reason = "doctor"

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message)
        self.remedy = remedy


def looked_at(check: Check) -> Finding:
    """A check that breaks is a finding too, named by its error alone: texts of drivers hold addresses and passwords."""
    try:
        return Finding(check.what, check.look())
    except Problem as error:
        return Finding(check.what, "", str(error), error.remedy or check.remedy)
    except ZixlyError as error:
        return Finding(check.what, "", str(error), check.remedy)
    except Exception as error:  # the other findings must be told
        return Finding(check.what, "", f"It could not be looked at ({type(error).__name__}).", check.remedy)


def all_looked_at(checks: Sequence[Check]) -> list[Finding]:
    """Side by side, since each may wait for a server that does not answer; told in their order."""
    if not checks:
        return []
    with ThreadPoolExecutor(max_workers=len(checks), thread_name_prefix="doctor") as pool:
        return list(pool.map(looked_at, checks))


def words_of(values: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())
