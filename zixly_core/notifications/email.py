"""A message as an e-mail, and its way to an SMTP server. Headers cannot be injected: addresses are checked when they are set, and the
library refuses a header with a line break, which no text keeps here."""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

from zixly_core.errors import Rejected, SettingsError
from zixly_core.notifications.facts import Message
from zixly_core.notifications.forms import as_html, as_text
from zixly_core.notifications.outcome import SENT, Outcome, later, refused

# For each step of the talk. A server that hangs must not hold a worker's slot for long.
TIMEOUT_SECONDS = 10
MAX_RECIPIENTS = 20
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
PORTS = {"smtp": 25, "smtps": 465}
# What RFC 5322 calls dot-atom, at a host name: no quoting, no comments, no display names, and nothing that ends a line.
ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


@dataclass(frozen=True)
class SmtpServer:
    """Where e-mail is handed in."""

    host: str
    port: int
    is_tls: bool
    """TLS from the first byte."""
    wants_starttls: bool
    """Nothing is said before the connection is encrypted."""
    user: str | None = None
    password: str | None = field(default=None, repr=False)


def smtp_server(url: str) -> SmtpServer:
    """`smtp://user:password@host:587?starttls=yes` or `smtps://...`. STARTTLS is demanded unless the server is on this machine or
    the URL says `starttls=no`. Raises `SettingsError`."""
    wrong = SettingsError("ZIXLY_SMTP_URL is wrong: smtp://user:password@host:port or smtps://... is needed, with ?starttls=yes or =no")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise wrong from None
    asked = parse_qs(parts.query).get("starttls", [""])[-1]
    if parts.scheme not in PORTS or not parts.hostname or asked not in {"", "yes", "no"}:
        raise wrong
    is_tls = parts.scheme == "smtps"
    return SmtpServer(
        host=parts.hostname,
        port=port or PORTS[parts.scheme],
        is_tls=is_tls,
        wants_starttls=not is_tls and (asked == "yes" or (not asked and parts.hostname not in LOOPBACK)),
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )


def recipients_in(text: str) -> tuple[str, ...]:
    """The addresses in a text, separated by commas. Raises `Rejected` for what is none."""
    found = tuple(part.strip() for part in text.split(","))
    if not 0 < len(found) <= MAX_RECIPIENTS:
        raise Rejected(f"1 to {MAX_RECIPIENTS} addresses are wanted, separated by commas.", reason="wrong_address")
    for address in found:
        if not ADDRESS.fullmatch(address) or ".." in address:
            raise Rejected(f"{address!r} is not an e-mail address such as ops@example.com.", reason="wrong_address")
    return found


def email_of(message: Message, *, sender: str, recipients: Sequence[str], message_id: UUID, now: datetime) -> EmailMessage:
    """The e-mail. Its id comes from the outbox, so that a mail program sees that a second one is the same."""
    from_address = sender_in(sender)
    made = EmailMessage(policy=SMTP)
    made["Subject"] = one_line(message.subject)
    made["From"] = Address("Zixly", addr_spec=from_address)
    made["To"] = [Address(addr_spec=address) for address in recipients]
    made["Date"] = format_datetime(now)
    made["Message-ID"] = f"<{message_id}@{from_address.rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(as_text(message))
    made.add_alternative(as_html(message), subtype="html")
    return made


def sender_in(text: str) -> str:
    """The address that messages come from. Raises `SettingsError`: that is the operator's to mend, not the recipient's."""
    try:
        (address,) = recipients_in(text)
    except (Rejected, ValueError):
        raise SettingsError(f"ZIXLY_NOTIFY_FROM is {text!r}; one address such as zixly@example.com is needed") from None
    return address


def one_line(text: str) -> str:
    """Without control characters; long ones are cut, since some servers refuse them."""
    plain = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return plain if len(plain) <= 200 else plain[:199] + "…"


def send_email(email: EmailMessage, server: SmtpServer) -> Outcome:
    """Hand an e-mail in. What the server says is put into one machine word; its own words may name people."""
    try:
        with connected(server) as smtp:
            return handed_in(smtp, email)
    except smtplib.SMTPAuthenticationError:
        return later("smtp_login_refused")
    except smtplib.SMTPNotSupportedError:
        return later("smtp_no_starttls")
    except smtplib.SMTPResponseException as error:
        return later(f"smtp_{error.smtp_code}")
    except ssl.SSLError:
        return later("smtp_tls_failed")
    except (OSError, smtplib.SMTPException):
        return later("smtp_unreachable")


def connected(server: SmtpServer) -> smtplib.SMTP:
    """A session that is encrypted and logged in as the settings want it."""
    context = ssl.create_default_context()
    if server.is_tls:
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_SECONDS, context=context)
    else:
        smtp = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_SECONDS)
    try:
        if server.wants_starttls:
            smtp.starttls(context=context)
        if server.user is not None:
            smtp.login(server.user, server.password or "")
    except BaseException:
        smtp.close()
        raise
    return smtp


def handed_in(smtp: smtplib.SMTP, email: EmailMessage) -> Outcome:
    """Only an answer to the message itself tells whether it was taken: a line that breaks here leaves that in doubt."""
    try:
        unknown = smtp.send_message(email)
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        return by_code(max(codes), "recipients_refused") if codes else refused("recipients_refused")
    except smtplib.SMTPResponseException as error:
        return by_code(error.smtp_code, f"smtp_{error.smtp_code}")
    except (OSError, smtplib.SMTPServerDisconnected):
        return later("smtp_cut_off", is_in_doubt=True)
    return Outcome(SENT.ending, "some_recipients_refused") if unknown else SENT


def by_code(code: int, reason: str) -> Outcome:
    """Codes from 500 on are final (RFC 5321, 4.2.1)."""
    return refused(reason) if code >= 500 else later(reason)
