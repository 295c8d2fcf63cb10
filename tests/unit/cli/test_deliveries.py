"""Deliveries of our own making."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime

import pytest

from zixly_cli.deliveries import SAMPLES, sample_maker
from zixly_cli.seed import Sender
from zixly_core.errors import InvalidSignature, SettingsError
from zixly_core.system import IncomingRequest, ParsedEvent
from zixly_core.systems import SYSTEMS

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SECRET = "whsec_" + b64encode(b"a secret of thirty-two bytes....").decode()
BRIDGE = "http://127.0.0.1:3000"
# What is sent -> its account, record, key, our secret, and the kind of event that it is.
WANTED = {
    "xero": ("org", "inv-1", "key", "key", "INVOICE.UPDATE"),
    "hubspot": ("62515", "901", "key", "key", "deal.propertyChange:dealstage"),
    "shopify": ("zixly-demo.myshopify.com", "12", "key", "key", "orders.paid"),
    "asana": ("1200000000000001", "34", "token key", "key", "task.changed:completed"),
    "callbacks": ("org", "inv-1", f"token {SECRET}", SECRET, "callback.invoice.changed"),
    "trading-sweep": ("org", "BHP.AX", f"token {SECRET}", SECRET, "sweep.requested"),
}


def request_of(what: str, *, at: datetime = NOW) -> IncomingRequest:
    account, record, key, _, _ = WANTED[what]
    made = sample_maker(what)([record], account=account, key=key, now=at, public_url=BRIDGE)
    headers = {name.lower(): value for name, value in made.headers.items()}
    template = made.path.replace("/token", "/{token}")
    return IncomingRequest("POST", f"{BRIDGE}/webhook/{made.path}", headers, made.body, NOW, path=template)


def read(what: str) -> ParsedEvent:
    system = next(one for one in SYSTEMS.values() if request_of(what).path in one.paths)
    request, secret = request_of(what), WANTED[what][3]
    system.profile.verify(request, secrets=[secret])
    (event,) = system.profile.read(request).events
    with pytest.raises(InvalidSignature):
        system.profile.verify(request, secrets=[f"{secret[:-4]}AAA="])
    return event


def test_there_is_a_sample_of_every_system() -> None:
    assert set(SYSTEMS) < set(SAMPLES)
    assert set(SAMPLES) == set(WANTED)


@pytest.mark.parametrize("what", WANTED)
def test_a_sample_is_what_the_system_itself_would_accept_and_no_other_secret_makes_it(what: str) -> None:
    event = read(what)
    assert event.kind == WANTED[what][4]
    assert event.occurred_at == NOW
    if what != "trading-sweep":
        assert event.record_id == WANTED[what][1]


def test_the_demo_sender_has_a_token_and_a_secret_of_its_own_for_asana() -> None:
    sender = Sender("token", SECRET)
    assert len({sender.token, sender.secret, sender.asana_token, sender.asana_secret}) == 4


def test_an_unknown_system_is_answered_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match="xero"):
        sample_maker("myob")


def test_a_sample_of_xero_leaves_xeros_numbers_alone() -> None:
    """It came with number 1 each time: the watchdog took that for a numbering that began anew, and missed all numbers up to Xero's next."""
    assert SYSTEMS["xero"].profile.read(request_of("xero")).numbers is None
