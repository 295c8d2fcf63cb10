"""Facts put into words: one message for what happened, however many issues it is about, and one for a day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from zixly_core.notifications.facts import IssueFacts, IssueNews, Message, Places, Section, TenantDay, WorkflowDay
from zixly_core.notifications.words import Kind
from zixly_core.runbooks import runbook_of

# A message is read on a telephone at night; the rest is a command away.
MAX_SECTIONS = 20
PREFIX = "[Zixly]"
CAME_UP_AGAIN = 2

DONE = {Kind.OPENED: "opened", Kind.REMINDER: "still open", Kind.RESOLVED: "resolved"}
ORDER = (Kind.OPENED, Kind.REMINDER, Kind.RESOLVED)
BECAUSE = "You get this because the channel {channel} is told of it. `zixly notify ls` shows channels, `zixly notify set` changes them."


def news_message(news: Sequence[IssueNews], *, channel: str, zone: ZoneInfo, places: Places) -> Message:
    """One message about all of it: what opened first, then what is still open, then what is over."""
    ordered = sorted(news, key=lambda one: (ORDER.index(one.kind), one.issue.tenant, one.issue.system, one.issue.first_seen_at))
    sections = [issue_section(one, zone=zone, places=places) for one in ordered[:MAX_SECTIONS]]
    if len(ordered) > MAX_SECTIONS:
        sections.append(Section(f"and {len(ordered) - MAX_SECTIONS} more: `zixly issues` lists them"))
    return Message(
        subject=f"{PREFIX} {news_subject(ordered)}",
        opening=news_opening(ordered),
        sections=sections,
        closing=BECAUSE.format(channel=channel),
    )


def news_subject(news: Sequence[IssueNews]) -> str:
    if len(news) == 1:
        one = news[0]
        return f"{one.issue.tenant}: {one.issue.system} {one.issue.operation}, {one.issue.reason} ({DONE[one.kind]})"
    tenants = sorted({one.issue.tenant for one in news})
    where = tenants[0] if len(tenants) == 1 else f"{len(tenants)} tenants"
    return f"{where}: {counted(news)}"


def counted(news: Sequence[IssueNews]) -> str:
    """Such as `40 issues opened, 2 resolved`."""
    counts = Counter(one.kind for one in news)
    parts = [f"{counts[kind]} {DONE[kind]}" for kind in ORDER if counts[kind]]
    first, _, rest = parts[0].partition(" ")
    return ", ".join([f"{first} {'issue' if first == '1' else 'issues'} {rest}", *parts[1:]])


def news_opening(news: Sequence[IssueNews]) -> str:
    if len(news) > 1:
        systems = ", ".join(sorted({one.issue.system for one in news}))
        return f"{counted(news)} ({systems})."
    match news[0].kind:
        case Kind.OPENED:
            return "Something needs a person."
        case Kind.REMINDER:
            return "This is still open, and nobody took it on. You are not reminded again."
        case _:
            return "This is over."


def issue_section(news: IssueNews, *, zone: ZoneInfo, places: Places) -> Section:
    """Everything about one issue that a person needs to decide whether to get up."""
    issue = news.issue
    standing = "resolved meanwhile" if news.kind is not Kind.RESOLVED and issue.status == "RESOLVED" else DONE[news.kind]
    rows = [
        ("tenant", issue.tenant),
        ("system", issue.system),
        ("operation", issue.operation),
        ("reason", issue.reason),
        ("count so far", f"{issue.count:,}"),
        ("first seen", told_time(issue.first_seen_at, zone)),
        ("last seen", told_time(issue.last_seen_at, zone)),
    ]
    if issue.openings >= CAME_UP_AGAIN:
        rows.append(("came up", f"{issue.openings} times in the last 24 hours"))
    rows.append(("look at it", f"zixly issues show {issue.id}"))
    mending = [("mend it", places.bridge.rstrip("/") + issue.link)] if issue.link and news.kind is not Kind.RESOLVED else []
    links = [*mending, ("issue", issue_url(issue, places)), ("runbook", runbook_of(issue.reason, page=places.runbook))]
    return Section(f"{standing.capitalize()}: {issue.title}", rows, links)


def issue_url(issue: IssueFacts, places: Places) -> str:
    return f"{places.bridge.rstrip('/')}/api/issues/{issue.id}"


def digest_message(days: Sequence[TenantDay], *, channel: str, zone: ZoneInfo, places: Places) -> Message:
    """One message about a day of one tenant, or of all; where all is well it is short."""
    well, unwell = [one for one in days if one.is_well], [one for one in days if not one.is_well]
    done = sum(completed_of(one) for one in days)
    day = days[0].day.strftime("%a %d %b %Y")
    who = days[0].tenant if len(days) == 1 else f"{len(days)} tenants"
    if not unwell:
        subject, opening = f"{who}: all is well, {day}", f"All is well. {done:,} jobs completed, none failed, nothing waits for a person."
    else:
        subject = f"{who}: {trouble(unwell)}, {day}"
        opening = f"From {told_time(days[0].begin, zone)} to {told_time(days[0].end, zone)}."
    sections = [day_section(one, places=places) for one in (*unwell, *(well if len(days) == 1 else ()))]
    if well and len(days) > 1:
        sections.append(Section("All is well", [(one.tenant, f"{completed_of(one):,} completed") for one in well]))
    return Message(f"{PREFIX} {subject}", opening, sections, BECAUSE.format(channel=channel))


def trouble(days: Sequence[TenantDay]) -> str:
    """The figures that are not 0, in a few words."""
    failed = sum(line.failed for one in days for line in one.workflows)
    figures = (
        (failed, "failed"),
        (sum(one.open_issue_count for one in days), "open issues"),
        (sum(one.dead_letters for one in days), "dead letters"),
        (sum(one.drifts for one in days), "drifts"),
    )
    return ", ".join(f"{count:,} {words}" for count, words in figures if count)


def completed_of(day: TenantDay) -> int:
    return sum(line.completed for line in day.workflows)


def day_section(day: TenantDay, *, places: Places) -> Section:
    rows = [(line.workflow, told_counts(line)) for line in day.workflows]
    if day.is_well:
        return Section(day.tenant, rows)
    figures = (("open issues", day.open_issue_count), ("dead letters", day.dead_letters), ("drifts found", day.drifts))
    rows += [(words, f"{count:,}") for words, count in figures]
    for issue in day.open_issues:
        rows.append((f"{issue.system} {issue.operation}", f"{issue.reason}, {issue.count:,} times: {issue.title}"))
    return Section(day.tenant, rows, [("runbook", f"{places.runbook}#issues")])


def told_counts(line: WorkflowDay) -> str:
    replayed = f", {line.replayed:,} of them replayed" if line.replayed else ""
    return f"{line.completed:,} completed, {line.failed:,} failed{replayed}"


def trial_message(*, channel: str) -> Message:
    return Message(f"{PREFIX} a test of the channel {channel}", "Somebody asked for this message. It got here, so all is well.")


def told_time(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%d %b %Y %H:%M:%S} ({zone.key})"
