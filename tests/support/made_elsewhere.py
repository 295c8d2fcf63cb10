"""Queues and a bucket that somebody else made, for the contract suites to run on: those of Terraform (tests/integration/terraform)."""

from __future__ import annotations

import itertools
import json
import os
from dataclasses import asdict, dataclass

VARIABLE = "ZIXLY_TEST_MADE_ELSEWHERE"
_numbers = itertools.count()


@dataclass(frozen=True)
class MadeElsewhere:
    """Where they are. `names` are as many queues as the suite has tests: each takes one that nobody used before."""

    endpoint: str
    region: str
    prefix: str
    names: tuple[str, ...]
    bucket: str

    @property
    def queue_url(self) -> str:
        return f"sqs://{self.region}/{self.prefix}?endpoint={self.endpoint}"

    def next_name(self) -> str:
        return self.names[next(_numbers)]

    def variables(self) -> dict[str, str]:
        """For the environment of the test process that is to use them."""
        return {VARIABLE: json.dumps(asdict(self))}


def made_elsewhere() -> MadeElsewhere | None:
    """What this test process was told to use; None: it makes its own."""
    told = os.environ.get(VARIABLE)
    if told is None:
        return None
    known = json.loads(told)
    return MadeElsewhere(**{**known, "names": tuple(known["names"])})
