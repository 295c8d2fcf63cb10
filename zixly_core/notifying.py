"""Sending what the outbox holds for one channel: claim, put into words, send, note the end; again until nothing is due."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx2
import structlog

from zixly_core.errors import Permanent, Rejected, SettingsError
from zixly_core.http_client import new_client
from zixly_core.notifications.conversation import Pace
from zixly_core.notifications.digest_times import zone_named, zone_or
from zixly_core.notifications.email import email_of, recipients_in, send_email, smtp_server
from zixly_core.notifications.facts import IssueNews, Message, Places, TenantDay
from zixly_core.notifications.forms import as_slack
from zixly_core.notifications.outcome import Ending, Outcome, later, refused
from zixly_core.notifications.slack import send_to_slack, slack_target
from zixly_core.notifications.wording import digest_message, news_message, trial_message
from zixly_core.notifications.words import ABOUT_ISSUES, ChannelKind, Kind
from zixly_core.outgoing import to_the_public
from zixly_core.secret_box import SecretBox
from zixly_core.settings import Settings
from zixly_core.stores.database import Database
from zixly_core.stores.notification_facts import day_of, issues_of, time_zone_of
from zixly_core.stores.outbox_sending import ClaimedLine, ClaimedMessage, claim, note_end

log = structlog.get_logger()
# Of one run; what is left waits for the next one.
MAX_MESSAGES = 20
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=15), timedelta(minutes=30)


@dataclass(frozen=True)
class Sent:
    """What a run came to."""

    sent: int = 0
    later: int = 0
    failed: int = 0


class Sender:
    """Sends for channels. `open_box` is asked only when a sealed address has to be opened."""

    def __init__(
        self, runs: Database, settings: Settings, *, open_box: Callable[[], SecretBox], client: httpx2.Client | None = None
    ) -> None:
        """`runs`: the database as role `runs`."""
        self._runs = runs
        self._settings = settings
        self._open_box = open_box
        self._client = client

    def send_due(self, channel_id: UUID, *, tenant_id: UUID | None) -> Sent:
        """All that is due for a channel. Another run for the same channel finds nothing to do. Raises `StoreUnavailable`."""
        counts = dict.fromkeys(Ending, 0)
        gather = pace_of(self._settings).gather
        for _ in range(MAX_MESSAGES):
            message = claim(self._runs, channel_id, tenant_id=tenant_id, gather=gather)
            if message is None:
                break
            counts[self._settle(message)] += 1
        return Sent(sent=counts[Ending.SENT], later=counts[Ending.LATER], failed=counts[Ending.REFUSED])

    def _settle(self, message: ClaimedMessage) -> Ending:
        # One that breaks whoever sends it never comes to its end, and must not keep the channel from what comes after it.
        outcome = self._sent(message) if message.attempts <= self._settings.notify_max_attempts else refused("given_up")
        pause = pause_after(message.attempts, outcome) if outcome.ending is Ending.LATER else None
        ending = outcome.ending
        if pause is not None and message.attempts >= self._settings.notify_max_attempts:
            pause, ending = None, Ending.REFUSED
        note_end(self._runs, message, outcome, pause=pause)
        log.info("notification_sent" if ending is Ending.SENT else "notification_not_sent", **told(message, outcome))
        return ending

    def _sent(self, message: ClaimedMessage) -> Outcome:
        """A mistake of ours or in the settings ends the message like any other trouble: the next one may be right."""
        try:
            words = self._words(message)
            if words is None:
                return refused("nothing_left_to_say")
            match ChannelKind(message.channel.kind):
                case ChannelKind.EMAIL:
                    return self._by_email(message, words)
                case ChannelKind.SLACK:
                    return self._by_slack(message, words)
        except SettingsError:
            return later("settings_missing")
        except (Permanent, Rejected) as error:
            return refused(error.reason)

    def _by_email(self, message: ClaimedMessage, words: Message) -> Outcome:
        server = smtp_server(self._settings.required("smtp_url"))
        recipients = recipients_in(message.channel.address)
        email = email_of(
            words, sender=self._settings.required("notify_from"), recipients=recipients, message_id=message.id, now=datetime.now(UTC)
        )
        return send_email(email, server)

    def _by_slack(self, message: ClaimedMessage, words: Message) -> Outcome:
        if message.channel.secret is None:
            return refused("address_missing")
        opened = self._open_box().open(message.channel.secret, context=str(message.channel.id)).decode()
        target = slack_target(opened, self._settings)
        if self._client is not None:
            return send_to_slack(as_slack(words), target, self._client)
        with new_client(to_the_public(self._settings)) as client:
            return send_to_slack(as_slack(words), target, client)

    def _words(self, message: ClaimedMessage) -> Message | None:
        """None when all that it was about is gone."""
        name, zone, kind = message.channel.name, self._zone(message), message.lines[0].kind
        if kind is Kind.TEST:
            return trial_message(channel=name)
        if kind is Kind.DIGEST:
            days = list(self._days(message))
            return digest_message(days, channel=name, zone=zone, places=self._places) if days else None
        news = list(self._news(message))
        return news_message(news, channel=name, zone=zone, places=self._places) if news else None

    def _news(self, message: ClaimedMessage) -> Iterator[IssueNews]:
        """What happened to the issues that there are, read tenant by tenant: nobody sees two tenants at once."""
        lines = [line for line in message.lines if line.kind in ABOUT_ISSUES]
        for tenant_id in dict.fromkeys(line.about_tenant_id for line in lines):
            if tenant_id is None:
                continue
            own = [line for line in lines if line.about_tenant_id == tenant_id]
            issues = issues_of(self._runs, tenant_id, [line.issue_id for line in own if line.issue_id])
            yield from (IssueNews(line.kind, issues[line.issue_id]) for line in own if line.issue_id in issues)

    def _days(self, message: ClaimedMessage) -> Iterator[TenantDay]:
        for line in message.lines:
            day = self._day(line)
            if day is not None:
                yield day

    def _day(self, line: ClaimedLine) -> TenantDay | None:
        if line.about_tenant_id is None or line.day is None or line.covers_from is None or line.covers_until is None:
            return None
        return day_of(self._runs, line.about_tenant_id, day=line.day, begin=line.covers_from, end=line.covers_until)

    def _zone(self, message: ClaimedMessage) -> ZoneInfo:
        tenant_id = message.channel.tenant_id
        name = time_zone_of(self._runs, tenant_id) if tenant_id is not None else None
        return zone_or(name, agency_zone(self._settings))

    @property
    def _places(self) -> Places:
        return Places(bridge=self._settings.bridge_public_url, runbook=self._settings.runbook_url)


def pause_after(attempts: int, outcome: Outcome) -> timedelta:
    """Until the next try: 15 s, doubled, at most half an hour; longer where the other side asked for it."""
    doubled: timedelta = FIRST_PAUSE * 2 ** min(attempts - 1, 20)
    return max(min(doubled, LONGEST_PAUSE), outcome.retry_after or timedelta())


def pace_of(settings: Settings) -> Pace:
    return Pace(
        gather=timedelta(seconds=settings.notify_gather_seconds),
        settle=timedelta(seconds=settings.notify_settle_seconds),
        quiet=timedelta(seconds=settings.notify_quiet_seconds),
        reminder=timedelta(seconds=settings.notify_reminder_seconds),
    )


def agency_zone(settings: Settings) -> ZoneInfo:
    """Raises `SettingsError`."""
    return zone_named(settings.notify_time_zone, whose="ZIXLY_NOTIFY_TIME_ZONE")


def told(message: ClaimedMessage, outcome: Outcome) -> dict[str, object]:
    """For the log: ids and counts."""
    return {
        "channel_id": str(message.channel.id),
        "channel": message.channel.kind,
        "message_id": str(message.id),
        "lines": len(message.lines),
        "attempt": message.attempts,
        "reason": outcome.reason,
    }
