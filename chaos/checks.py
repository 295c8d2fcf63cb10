"""The checks, each a pure function over the evidence. None of them asks the code under test for its opinion: deliveries are compared
with what the sender sent, effects with the vendors' own records."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from chaos.evidence import Change, ContactWrite, Evidence
from chaos.findings import Finding, Trouble

ENDED = frozenset({"COMPLETED", "FAILED", "CANCELLED"})
MADE_JOBS = "jobs"
Check = Callable[[Evidence], list[Finding]]


def acknowledged_deliveries_are_kept(evidence: Evidence) -> list[Finding]:
    """What was answered with success is in the ledger."""
    missing = [one for one in evidence.sent if one.acknowledged and not evidence.stored.get(one.sha256)]
    return [Finding(Trouble.LOST, f"acknowledged {one.system} delivery {one.sha256[:12]} is in no row") for one in missing]


def acknowledged_events_were_given_jobs_once(evidence: Evidence) -> list[Finding]:
    """Each record that an acknowledged delivery names has one event with jobs in it, however often it was posted: a repetition that
    was taken for another event is a double, one whose first was never given a job is a loss."""
    given: Counter[tuple[str, str]] = Counter((one.sha256, one.record) for one in evidence.events if one.outcome == MADE_JOBS)
    found: list[Finding] = []
    for sent in evidence.sent:
        for record in sent.records:
            times = given[sent.sha256, record]
            if times > 1:
                found.append(Finding(Trouble.DOUBLED, f"delivery {sent.sha256[:12]} was given jobs {times} times for {record}"))
            if not times and sent.acknowledged:
                found.append(Finding(Trouble.LOST, f"delivery {sent.sha256[:12]} was given no job for {record}"))
    return found


def events_have_one_job_for_each_workflow(evidence: Evidence) -> list[Finding]:
    found: list[Finding] = []
    for event in evidence.events:
        if event.outcome == MADE_JOBS and not event.workflows:
            found.append(Finding(Trouble.LOST, f"event {event.id} has no job"))
        found += [
            Finding(Trouble.DOUBLED, f"event {event.id} has {times} jobs of {workflow}")
            for workflow, times in Counter(event.workflows).items()
            if times > 1
        ]
    return found


def jobs_have_ended(evidence: Evidence) -> list[Finding]:
    return [Finding(Trouble.LOST, f"job {one.id} ({one.workflow}) is {one.status}") for one in evidence.jobs if one.status not in ENDED]


def nothing_was_created_twice(evidence: Evidence) -> list[Finding]:
    """By the vendors' own records: an invoice by its number, a contact by its address, a note by its text."""
    return [
        Finding(Trouble.DOUBLED, f"{one.system} {one.account} has {one.count} of {one.kind} {one.key}")
        for one in evidence.creations
        if one.count > 1
    ]


def everything_wanted_was_created(evidence: Evidence) -> list[Finding]:
    there: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for one in evidence.creations:
        there[one.system, one.account, one.kind].append(one.key)
    found: list[Finding] = []
    for want in evidence.wanted:
        times = sum(want.key in key for key in there[want.system, want.account, want.kind])
        if times != 1:
            trouble = Trouble.DOUBLED if times else Trouble.LOST
            found.append(Finding(trouble, f"{want.system} {want.account} has {times} of {want.kind} {want.key}"))
    return found


def no_state_was_written_twice(evidence: Evidence) -> list[Finding]:
    """A contact was told of each standing of an invoice once at most."""
    return [
        Finding(Trouble.DOUBLED, f"{one.account} contact {one.contact_id} was told {times} times that {one.number} is {one.standing}")
        for one, times in Counter(evidence.contact_writes).items()
        if times > 1
    ]


def no_older_state_was_written_over_a_newer_one(evidence: Evidence) -> list[Finding]:
    """In the order in which the vendor took the writes, each tells of a later change than the one before it."""
    at = moments(evidence.changes)
    found: list[Finding] = []
    for (account, contact), writes in by_contact(evidence).items():
        for before, after in pairwise(writes):
            if at.get(key_of(after), 0) < at.get(key_of(before), 0):
                found.append(Finding(Trouble.OUTDATED, f"{account} contact {contact}: {before.number} was overwritten by {after.number}"))
    return found


def newest_version_won(evidence: Evidence) -> list[Finding]:
    """Every contact shows the change that came last among those that were told of."""
    found: list[Finding] = []
    for key, changes in newest_told(evidence).items():
        shown = evidence.contacts.get(key)
        if shown is not None and (shown.number, shown.standing) not in {(one.number, one.standing) for one in changes}:
            wanted = " or ".join(f"{one.number} {one.standing}" for one in changes)
            text = f"{key[0]} shows {shown.number or 'nothing'} {shown.standing}, not {wanted}"
            found.append(Finding(Trouble.OUTDATED if shown.number else Trouble.LOST, text))
    return found


def newest_told(evidence: Evidence) -> Mapping[tuple[str, str], list[Change]]:
    """Of each contact, the change that came last; two that the vendor's clock gives the same moment are both that."""
    newest: dict[tuple[str, str], list[Change]] = {}
    for one in evidence.changes:
        if one.told and one.contact is not None:
            known = newest.setdefault((one.account, one.contact), [one])
            if one.at > known[0].at:
                known[:] = [one]
            elif one.at == known[0].at and one not in known:
                known.append(one)
    return newest


def nothing_is_at_another_tenant(evidence: Evidence) -> list[Finding]:
    """Every write that bears the name of a tenant is in an account of that tenant; every invoice number that a contact was told of
    belongs to an invoice of its tenant's organisation: one that a person paid, or one that the platform made of an order and that a
    reconciliation found, as nobody tells of those."""
    numbers: dict[str, set[str]] = defaultdict(set)
    for change in evidence.changes:
        numbers[change.account].add(change.number)
    portals = {tenant: account for (system, account), tenant in evidence.owners.items() if system == "hubspot"}
    for made in evidence.creations:
        owner = evidence.owners.get((made.system, made.account))
        if (made.system, made.kind) == ("xero", "invoice") and owner in portals:
            numbers[portals[owner]].add(made.key)
    found = [
        Finding(Trouble.MISPLACED, f"{system} {account} of {evidence.owners.get((system, account))} got something of {tenant}")
        for system, account, tenant in evidence.marks
        if evidence.owners.get((system, account)) != tenant
    ]
    strange = [one for one in evidence.contact_writes if one.number not in numbers[one.account]]
    return found + [Finding(Trouble.MISPLACED, f"{one.account} was told of {one.number}, which is not its own") for one in strange]


def ledger_balances(evidence: Evidence) -> list[Finding]:
    """By the metric that operators watch."""
    if evidence.unaccounted is None:
        return [Finding(Trouble.UNACCOUNTED, "the metric is missing")]
    return [Finding(Trouble.UNACCOUNTED, "unaccounted")] * evidence.unaccounted


def nothing_was_restarted_by_hand(evidence: Evidence) -> list[Finding]:
    """One process manager from the beginning to the end; the suite itself has no way to start a process but to leave it to that one."""
    others = set(evidence.managers)
    return [Finding(Trouble.BY_HAND, f"{len(others)} process managers were seen")] if len(others) != 1 else []


def moments(changes: Sequence[Change]) -> Mapping[tuple[str, str, str], int]:
    """When each invoice came to each standing, by account, number and standing."""
    return {(one.account, one.number, one.standing): one.at for one in changes}


def by_contact(evidence: Evidence) -> Mapping[tuple[str, str], list[ContactWrite]]:
    found: dict[tuple[str, str], list[ContactWrite]] = defaultdict(list)
    for one in evidence.contact_writes:
        found[one.account, one.contact_id].append(one)
    return found


def key_of(write: ContactWrite) -> tuple[str, str, str]:
    return write.account, write.number, write.standing


CHECKS: Mapping[str, Check] = {
    "acknowledged deliveries are kept": acknowledged_deliveries_are_kept,
    "acknowledged events were given jobs, once": acknowledged_events_were_given_jobs_once,
    "each event has one job for each workflow": events_have_one_job_for_each_workflow,
    "each job has ended": jobs_have_ended,
    "nothing was created twice at a vendor": nothing_was_created_twice,
    "everything wanted was created": everything_wanted_was_created,
    "no state was written twice": no_state_was_written_twice,
    "no older state was written over a newer one": no_older_state_was_written_over_a_newer_one,
    "the newest version won on every record": newest_version_won,
    "no tenant's data is at another": nothing_is_at_another_tenant,
    "the ledger balances": ledger_balances,
    "nothing was restarted by hand": nothing_was_restarted_by_hand,
}


def judged(evidence: Evidence) -> dict[str, list[Finding]]:
    """Every check by name, with what it found."""
    return {name: check(evidence) for name, check in CHECKS.items()}
