"""The request for a trading sweep: moving averages of all fast and slow lengths in two ranges, each pair tried on one ticker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator, model_validator

from zixly_core.errors import MalformedPayload

MAX_PAIRS = 10_000  # about as many as the service computes within its hour
Length = Annotated[int, Field(ge=1, le=1_000, strict=True)]


class SweepRequest(BaseModel):
    """A sweep that can be carried out. Ranges are `[lowest, highest]`, both ends included, in steps of `step`."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    ticker: Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Za-z0-9.^=:_-]{1,20}$")]
    fast_range: tuple[Length, Length]
    slow_range: tuple[Length, Length]
    step: Length
    strategy_type: Literal["SMA", "EMA"]
    callback: bool = False
    """Whether the service calls back when it is done, rather than being asked again and again."""

    @field_validator("fast_range", "slow_range")
    @classmethod
    def in_order(cls, given: tuple[int, int]) -> tuple[int, int]:
        if given[0] > given[1]:
            raise ValueError("the first length is above the second")
        return given

    @model_validator(mode="after")
    def has_some_pairs_and_not_too_many(self) -> SweepRequest:
        count = self.pair_count()
        if count == 0:
            raise ValueError("fast_range: no fast length is below a slow one")
        if count > MAX_PAIRS:
            raise ValueError(f"step: the ranges make {count} pairs, and {MAX_PAIRS} are taken at most; widen it, or narrow the ranges")
        return self

    def fast_lengths(self) -> range:
        return range(self.fast_range[0], self.fast_range[1] + 1, self.step)

    def slow_lengths(self) -> range:
        return range(self.slow_range[0], self.slow_range[1] + 1, self.step)

    def pair_count(self) -> int:
        """How many pairs have a fast length below the slow one."""
        slow = self.slow_lengths()
        return sum(len(slow) - self.position_above(fast) for fast in self.fast_lengths())

    def position_above(self, fast: int) -> int:
        """Where in the slow lengths those above `fast` begin."""
        passed = fast - self.slow_range[0]
        return min(len(self.slow_lengths()), max(0, passed // self.step + 1))


def sweep_request_of(document: Mapping[str, Any]) -> SweepRequest:
    """The request in a body. Raises `MalformedPayload` with the first field that is wrong and why."""
    try:
        return SweepRequest.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise MalformedPayload(f"{place}: {said}." if place else f"{said}.", reason="invalid_request") from error
