"""A real SMTP server on a port of this machine, that keeps what it is given and goes wrong on request."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support.busy import longest
from zixly_cli.stack.ports import free_port


class MailServer:
    """What it was given, and how to trouble it."""

    def __init__(self, *, port: int | None = None, login: tuple[str, str] | None = None, certificate: Path | None = None) -> None:
        """`login`: whoever hands in must log in, over TLS. `certificate`: the file for STARTTLS."""
        self.port = port or free_port()
        self.messages: list[EmailMessage] = []
        self.arrived: list[datetime] = []
        self.envelopes: list[Envelope] = []
        self.refused_recipients: set[str] = set()
        self.answers: list[str] = []
        """What is answered to the next messages in place of taking them."""
        self.loses_answer = False
        """The next message is taken, and the line breaks before the answer."""
        self._login = login
        self._certificate = certificate
        self._controller: Controller | None = None

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def subjects(self) -> list[str]:
        return [str(message["Subject"]) for message in self.messages]

    def start(self) -> None:
        options: dict[str, Any] = {}
        if self._login is not None:
            options = {"authenticator": self.authenticated, "auth_required": True}
        if self._certificate is not None:
            options["tls_context"] = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            options["tls_context"].load_cert_chain(self._certificate)
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, ready_timeout=longest(5), **options)
        self._controller.start()

    def stop(self) -> None:
        controller, self._controller = self._controller, None
        if controller is not None:
            controller.stop()

    def authenticated(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
        assert self._login is not None
        is_right = isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode()) == self._login
        return AuthResult(success=is_right, handled=is_right)

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # noqa: N802 - aiosmtpd's name
        if address in self.refused_recipients:
            return "550 5.1.1 no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        if self.answers:
            return self.answers.pop(0)
        assert isinstance(envelope.content, bytes)
        parsed = message_from_bytes(envelope.content, policy=default)
        assert isinstance(parsed, EmailMessage)
        self.messages.append(parsed)
        self.arrived.append(datetime.now(UTC))
        self.envelopes.append(envelope)
        if self.loses_answer:
            self.loses_answer = False
            assert server.transport is not None
            server.transport.abort()
        return "250 OK"


@contextmanager
def mail_server(*, login: tuple[str, str] | None = None, certificate: Path | None = None) -> Iterator[MailServer]:
    """A server for as long as the block lasts."""
    made = MailServer(login=login, certificate=certificate)
    made.start()
    try:
        yield made
    finally:
        made.stop()


def text_of(message: EmailMessage) -> str:
    """The plain text of a message."""
    part = message.get_body(("plain",))
    assert part is not None
    text: str = part.get_content()
    return text


def html_of(message: EmailMessage) -> str:
    part = message.get_body(("html",))
    assert part is not None
    text: str = part.get_content()
    return text
