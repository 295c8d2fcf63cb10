"""What the sweep service answers: how a sweep stands, and its result. Read at the border, frozen from there on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, TypeVar

import orjson
from pydantic import Field, TypeAdapter, ValidationError

from zixly_core.errors import Permanent

T = TypeVar("T")

# An id of the service becomes part of URLs and of the ledger.
SweepId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
MachineWord = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]


class SweepStatus(StrEnum):
    """Where a sweep stands at the service. The last two are ends."""

    PENDING = "pending"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"

    @property
    def is_over(self) -> bool:
        return self in {SweepStatus.FINISHED, SweepStatus.FAILED}


@dataclass(frozen=True)
class SweepState:
    """How a sweep stands; `error` is the service's word for why it failed."""

    job_id: SweepId
    status: SweepStatus
    error: MachineWord | None = None


@dataclass(frozen=True)
class Pair:
    """What one pair of averages would have done. Returns and drawdown are shares of 1, the Sharpe ratio is per year."""

    fast: int
    slow: int
    total_return: float
    sharpe: float
    max_drawdown: float
    trades: int


@dataclass(frozen=True)
class SweepResult:
    """A finished sweep: its pairs, best return first."""

    job_id: SweepId
    ticker: str
    strategy_type: str
    prices: int
    buy_and_hold: float
    pairs: Annotated[tuple[Pair, ...], Field(min_length=1)]

    @property
    def best(self) -> Pair:
        return self.pairs[0]


@dataclass(frozen=True)
class SweepReport:
    """What the service posts to a callback: the state, and the result of a finished sweep."""

    job_id: SweepId
    status: SweepStatus
    error: MachineWord | None = None
    result: SweepResult | None = None


@dataclass(frozen=True)
class StateList:
    """The states of many sweeps; ids that the service does not know are missing."""

    sweeps: tuple[SweepState, ...]


STATE = TypeAdapter(SweepState)
STATES = TypeAdapter(StateList)
RESULT = TypeAdapter(SweepResult)
REPORT = TypeAdapter(SweepReport)


def read_as(kind: TypeAdapter[T], data: bytes | Any, *, what: str) -> T:
    """The answer in our words; `data` is JSON text, or what it says. Raises `Permanent` for one that does not have the agreed form,
    naming the first field that is wrong, never its value."""
    try:
        return kind.validate_python(orjson.loads(data) if isinstance(data, bytes) else data)
    except orjson.JSONDecodeError as error:
        raise Permanent(f"The sweep service's answer is not JSON when asked for {what}.", reason="unexpected_answer") from error
    except ValidationError as error:
        field = ".".join(str(part) for part in error.errors(include_input=False, include_url=False)[0]["loc"])
        raise Permanent(f"The sweep service's answer has no usable {field} when asked for {what}.", reason="unexpected_answer") from None
