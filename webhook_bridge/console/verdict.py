"""Whether all is well, in one sentence, and what is not, the worst first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from webhook_bridge.console.words import count, duration
from zixly_core.stores.ledger_balance import Balance
from zixly_core.stores.overview import Overview

# A job that is due is taken within seconds; a run that vanished is noticed within two minutes (DESIGN.md, promise 4).
DUE_TOO_LONG = timedelta(minutes=2)
# A sensor compares every minute; prometheus/alerts.yml waits as long.
UNCOMPARED_TOO_LONG = timedelta(minutes=10)


@dataclass(frozen=True)
class Trouble:
    """Something that somebody should look at: `bad` is wrong, `wait` is held by somebody's will. `path` is the page about it."""

    words: str
    path: str
    query: str = ""
    tone: str = "bad"
    hint: str = ""

    @property
    def href(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path


@dataclass(frozen=True)
class Verdict:
    sentence: str
    tone: str
    troubles: Sequence[Trouble]


def verdict_of(found: Overview, *, unreachable: Sequence[str], balance: Balance | None = None) -> Verdict:
    """`balance` is that of all tenants, for staff."""
    troubles = [*troubles_of_balance(balance), *troubles_of(found, unreachable)]
    wrong = [one for one in troubles if one.tone == "bad"]
    if wrong:
        others = f", and {count(len(wrong) - 1)} more" if len(wrong) > 1 else ""
        return Verdict(f"Not well: {wrong[0].words}{others}.", "bad", troubles)
    if troubles:
        return Verdict(f"Well, but held: {troubles[0].words}.", "wait", troubles)
    return Verdict("All is well.", "good", troubles)


def troubles_of_balance(balance: Balance | None) -> Iterator[Trouble]:
    if balance is None:
        return
    if balance.difference:
        yield Trouble(told(balance.difference, "row of the ledger does not add up", "rows of the ledger do not add up"), "/console/ledger")
    if balance.age_seconds is not None and balance.age_seconds > UNCOMPARED_TOO_LONG.total_seconds():
        text = f"no sensor has compared the ledger for {duration(balance.age_seconds)}"
        yield Trouble(text, "/console/ledger", hint="Look whether Dagster's daemon and code server run.")


def troubles_of(found: Overview, unreachable: Sequence[str]) -> Iterator[Trouble]:
    amiss = found.amiss
    lost = sum(one.jobs for one in found.open_jobs if one.state == "unaccounted")
    if lost:
        yield Trouble(told(lost, "job is unaccounted for", "jobs are unaccounted for"), "/console/ledger")
    if unreachable:
        yield Trouble(f"{', '.join(unreachable)} cannot be reached", "/console/ledger")
    late = max((one.oldest_seconds for one in found.open_jobs if one.state == "due"), default=0.0)
    if late > DUE_TOO_LONG.total_seconds():
        text = f"a job has been due for {duration(late)}, and nothing takes it"
        yield Trouble(text, "/console/jobs", "status=QUEUED", hint="Look whether Dagster's daemon runs, and its sensors with it.")
    if amiss.dead_letters:
        words = told(amiss.dead_letters, "job has failed for good", "jobs have failed for good")
        yield Trouble(words, "/console/jobs", "status=FAILED")
    if amiss.open_issues:
        yield Trouble(told(amiss.open_issues, "issue is open", "issues are open"), "/console/issues", "status=OPEN")
    yield from troubles_of_accounts(found)
    if amiss.switched_off:
        words = told(amiss.switched_off, "system's sensor is switched off", "systems' sensors are switched off")
        yield Trouble(words, "/console/holding", tone="wait")
    if amiss.paused:
        yield Trouble(told(amiss.paused, "pause holds jobs back", "pauses hold jobs back"), "/console/holding", tone="wait")


def troubles_of_accounts(found: Overview) -> Iterator[Trouble]:
    amiss = found.amiss
    for number, one, several in (
        (amiss.disconnected, "account is disconnected", "accounts are disconnected"),
        (amiss.unheard, "account's webhooks are lost or silent", "accounts' webhooks are lost or silent"),
        (amiss.resting, "account rests because its vendor fails", "accounts rest because their vendors fail"),
        (amiss.holes, "time in which webhooks may be missing", "times in which webhooks may be missing"),
    ):
        if number:
            yield Trouble(told(number, one, several), "/console/connections")


def told(number: int, one: str, several: str) -> str:
    return f"{count(number)} {one if number == 1 else several}"
