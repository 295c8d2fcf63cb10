"""A person connects accounts at the sandbox, through the bridge's pages, into a real Postgres."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pydantic import SecretStr

from tests.integration.bridge.running import RunningBridge, settings_for, start_bridge
from tests.integration.connecting.browser import Browser, on_bridge
from tests.integration.connecting.conftest import Office, vendor_settings
from tests.integration.workflows.sandbox_server import SandboxServer
from tests.support.outgoing import HERE
from tests.support.postgres import TestDatabase
from zixly_core.http_client import new_client
from zixly_core.oauth import TokenExchange
from zixly_core.secrets.vaults import open_vault
from zixly_core.settings import Settings
from zixly_core.stores.database import Database
from zixly_core.stores.tokens import PostgresTokenStore
from zixly_core.token_store import Connection
from zixly_core.tokens import TokenKeeper
from zixly_core.vendor_clients import APPS
from zixly_sandbox.constants import DEMO, SECOND

pytestmark = pytest.mark.integration

BOTH = (("account", DEMO.organisation), ("account", SECOND.organisation))
SHOP = DEMO.shop


@contextmanager
def keeper(settings: Settings, database: TestDatabase) -> Iterator[TokenKeeper]:
    """The tokens as a worker has them."""
    runs, http = Database(database.url("runs"), name="runs"), new_client(HERE)
    try:
        yield TokenKeeper(PostgresTokenStore(runs, open_vault(settings)), lambda system: TokenExchange(http, APPS[system](settings)))
    finally:
        http.close()
        runs.close()


def connection_of(office: Office, external_id: str) -> Connection:
    row = next(row for row in office.connections() if row["external_id"] == external_id)
    return Connection(row["id"], row["tenant_id"], row["system"], row["external_id"])


def token_of(settings: Settings, database: TestDatabase, office: Office, external_id: str) -> str:
    """An access token of a connection, as a worker gets it."""
    with keeper(settings, database) as tokens:
        return tokens.current(connection_of(office, external_id))


def test_one_organisation_is_connected_at_once_and_its_token_works(
    browser: Browser, office: Office, settings: Settings, database: TestDatabase, sandbox: SandboxServer
) -> None:
    page = browser.connect("/connect/xero?tenant=demo", ("account", DEMO.organisation))
    assert (page.status_code, "Connected" in page.text, DEMO.name in page.text) == (200, True, True)
    assert office.accounts() == [("demo", DEMO.organisation, "ACTIVE")]
    assert sandbox.sandbox.xero.tokens.accounts_of(token_of(settings, database, office, DEMO.organisation)) == (DEMO.organisation,)


def test_several_organisations_are_offered_and_those_chosen_share_one_grant(browser: Browser, office: Office) -> None:
    page = browser.connect("/connect/xero?tenant=demo", *BOTH)
    assert "reaches 2" in page.text
    assert office.accounts() == [], "nothing is connected before the choice"
    done = browser.choose(page, "xero", DEMO.organisation, SECOND.organisation)
    assert done.status_code == 200
    assert len(office.connections()) == 2
    assert len({row["grant_id"] for row in office.connections()}) == 1
    assert office.consent()["status"] == "DONE"
    assert (office.consent()["tokens"], office.consent()["verifier"]) == (None, None)


def test_of_several_organisations_only_those_chosen_are_connected_and_a_choice_is_made_once(browser: Browser, office: Office) -> None:
    page = browser.connect("/connect/xero?tenant=demo", *BOTH)
    assert browser.choose(page, "xero", SECOND.organisation).status_code == 200
    again = browser.choose(page, "xero", DEMO.organisation)
    assert (again.status_code, "choice_over" in again.text) == (400, True)
    assert office.accounts() == [("demo", SECOND.organisation, "ACTIVE")]


def test_an_account_that_was_not_offered_cannot_be_chosen(browser: Browser, office: Office) -> None:
    page = browser.connect("/connect/xero?tenant=demo", *BOTH)
    refused = browser.choose(page, "xero", "11111111-1111-4111-8111-111111111111")
    assert (refused.status_code, "nothing_chosen" in refused.text) == (400, True)
    assert office.accounts() == []


def test_a_portal_is_connected_by_what_the_token_answer_names(browser: Browser, office: Office) -> None:
    page = browser.connect("/connect/hubspot?tenant=demo", ("account", DEMO.portal))
    assert page.status_code == 200, page.text
    assert office.accounts() == [("demo", DEMO.portal, "ACTIVE")]


def test_a_shop_is_typed_asked_for_its_name_and_gets_expiring_tokens(
    browser: Browser, office: Office, settings: Settings, database: TestDatabase
) -> None:
    page = browser.connect("/connect/shopify?tenant=demo", account=f"https://{SHOP}/")
    assert page.status_code == 200, page.text
    assert office.accounts() == [("demo", SHOP, "ACTIVE")]
    row = office.connections()[0]
    kept = office.rows("select expires_at < now() + interval '2 hours' as is_short from zixly.grants where id = %s", row["grant_id"])
    assert kept == [{"is_short": True}]
    assert token_of(settings, database, office, SHOP)


def test_what_is_typed_and_is_no_shop_is_refused_before_anything_is_sent_there(browser: Browser, office: Office) -> None:
    asked = browser.begin("/connect/shopify?tenant=demo", account="shop.evil.example")
    assert (asked.status_code, "not_a_shop" in asked.text) == (400, True)
    assert office.accounts() == []


@pytest.mark.parametrize("tampered", ["shop", "code", "timestamp", "hmac"])
def test_a_shops_answer_with_anything_changed_is_refused(browser: Browser, office: Office, tampered: str) -> None:
    back = browser.consent(browser.begin("/connect/shopify?tenant=demo", account=SHOP))
    changed = back.replace(f"{tampered}=", f"{tampered}=0", 1)
    page = browser.bridge.get(changed)
    assert (page.status_code, "callback_not_signed" in page.text) == (401, True)
    assert office.accounts() == []
    assert office.consent()["reason"] == "callback_not_signed"


def test_an_account_of_another_client_is_refused_in_clear_words_and_stays_where_it_is(browser: Browser, office: Office) -> None:
    browser.connect("/connect/hubspot?tenant=second", ("account", DEMO.portal))
    page = browser.connect("/connect/hubspot?tenant=demo", ("account", DEMO.portal))
    assert (page.status_code, "connected for another client" in page.text) == (400, True)
    assert office.accounts() == [("second", DEMO.portal, "ACTIVE")]
    assert len(office.rows("select from zixly.grants")) == 1, "the refused tokens are not kept"


def test_organisations_of_another_client_are_shown_and_cannot_be_chosen(browser: Browser, office: Office) -> None:
    browser.connect("/connect/xero?tenant=second", ("account", SECOND.organisation))
    page = browser.connect("/connect/xero?tenant=demo", *BOTH)
    assert "disconnect it there first" in page.text
    refused = browser.choose(page, "xero", SECOND.organisation)
    assert (refused.status_code, "nothing_chosen" in refused.text) == (400, True)
    assert office.accounts() == [("second", SECOND.organisation, "ACTIVE")]


def test_a_declined_consent_changes_nothing_and_says_so(browser: Browser, office: Office) -> None:
    page = browser.connect("/connect/xero?tenant=demo", ("decision", "deny"))
    assert (page.status_code, "consent_denied" in page.text) == (400, True)
    assert office.accounts() == []
    assert (office.consent()["status"], office.consent()["reason"]) == ("FAILED", "consent_denied")


def test_an_answer_is_taken_once(browser: Browser, office: Office) -> None:
    back = browser.consent(browser.begin("/connect/hubspot?tenant=demo"), ("account", DEMO.portal))
    assert browser.bridge.get(back).status_code == 200
    replayed = browser.bridge.get(back)
    assert (replayed.status_code, "state_used" in replayed.text) == (400, True)
    assert [row["version"] for row in office.connections()] == [1]


def test_a_forged_state_is_refused_and_does_not_use_up_the_real_one(browser: Browser, office: Office) -> None:
    back = browser.consent(browser.begin("/connect/hubspot?tenant=demo"), ("account", DEMO.portal))
    forged = browser.bridge.get("/connect/hubspot/callback?code=x&state=guessed")
    assert (forged.status_code, "state_unknown" in forged.text) == (400, True)
    assert browser.bridge.get(back).status_code == 200


def test_an_answer_at_another_systems_address_is_refused(browser: Browser, office: Office) -> None:
    back = browser.consent(browser.begin("/connect/hubspot?tenant=demo"), ("account", DEMO.portal))
    moved = browser.bridge.get(back.replace("/hubspot/", "/xero/"))
    assert (moved.status_code, "state_unknown" in moved.text) == (400, True)
    assert office.accounts() == []


def test_another_browser_cannot_bring_the_answer_and_the_right_one_still_can(
    browser: Browser, bridge: RunningBridge, office: Office
) -> None:
    """Somebody who is tricked into opening an attacker's answer would connect the attacker's account."""
    back = browser.consent(browser.begin("/connect/hubspot?tenant=demo"), ("account", DEMO.portal))
    stranger = Browser.at(str(bridge.http.base_url))
    refused = stranger.bridge.get(back)
    stranger.begin("/connect/xero?tenant=demo")
    refused_with_cookie = stranger.bridge.get(back)
    stranger.close()
    assert ("other_browser" in refused.text, "other_browser" in refused_with_cookie.text) == (True, True)
    assert office.accounts() == []
    assert browser.bridge.get(back).status_code == 200


def test_an_answer_that_comes_too_late_is_refused(browser: Browser, office: Office) -> None:
    back = browser.consent(browser.begin("/connect/hubspot?tenant=demo"), ("account", DEMO.portal))
    office.rows("update zixly.oauth_states set expires_at = now() returning id")
    late = browser.bridge.get(back)
    assert (late.status_code, "link_late" in late.text) == (400, True)
    assert office.accounts() == []


def test_a_code_that_the_vendor_does_not_take_is_told_and_changes_nothing(browser: Browser, office: Office) -> None:
    back = browser.consent(browser.begin("/connect/xero?tenant=demo"), ("account", DEMO.organisation))
    page = browser.bridge.get(back.replace("code=", "code=stolen"))
    assert (page.status_code, "code_refused" in page.text) == (400, True)
    assert office.consent()["reason"] == "code_refused"


def test_a_stolen_code_is_worth_nothing_without_the_verifier(browser: Browser, sandbox: SandboxServer, settings: Settings) -> None:
    asked = browser.begin("/connect/xero?tenant=demo")
    assert "code_challenge_method=S256" in asked.headers["location"]
    code = browser.consent(asked, ("account", DEMO.organisation)).partition("code=")[2].partition("&")[0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": "http://bridge.test/connect/xero/callback"}
    thief = browser.vendor.post(f"{sandbox.url}/xero/identity/connect/token", data=form, auth=("sandbox-client", "sandbox-secret"))
    assert (thief.status_code, thief.json()["error"]) == (400, "invalid_grant")


def test_neither_state_nor_ticket_nor_cookie_is_kept_as_it_is(browser: Browser, office: Office) -> None:
    asked = browser.begin("/connect/xero?tenant=demo")
    state = asked.headers["location"].partition("state=")[2].partition("&")[0]
    secrets = [state.encode(), browser.bridge.cookies["zixly_connect"].encode()]
    text = repr(office.consent()).encode()
    assert [secret for secret in secrets if secret in text] == []
    cookie = asked.headers["set-cookie"].lower()
    assert ("httponly" in cookie, "samesite=lax" in cookie, "path=/connect" in cookie) == (True, True, True)


def test_names_are_escaped_on_the_pages(browser: Browser, office: Office) -> None:
    shown = browser.bridge.get("/connect/xero?tenant=demo").text
    assert "Demo &lt;Company&gt; &amp; Sons" in shown
    assert "<Company>" not in shown


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/connect/xero?tenant=nobody", "tenant_unknown"),
        ("/connect/xero", "tenant_unknown"),
        ("/connect/xero?ticket=guessed", "link_unknown"),
        ("/connect/xero?connection=00000000-0000-4000-8000-000000000000", "connection_unknown"),
        ("/connect/xero?connection=no-id", "connection_unknown"),
        ("/connect/myob?tenant=demo", "unknown_system"),
    ],
)
def test_a_page_without_somebody_to_connect_says_so(browser: Browser, path: str, reason: str) -> None:
    shown = browser.bridge.get(path)
    assert (shown.status_code, reason in shown.text) == (400, True)


def test_another_site_cannot_begin_a_consent_through_somebodys_browser(browser: Browser) -> None:
    answer = browser.bridge.post("/connect/xero", data={"tenant": "demo"}, headers={"sec-fetch-site": "cross-site"})
    assert (answer.status_code, "cross_site" in answer.text) == (403, True)


@pytest.fixture
def production(office: Office, database: TestDatabase, sandbox: SandboxServer) -> Iterator[RunningBridge]:
    overrides = vendor_settings(sandbox.url) | {
        "environment": "production",
        "api_token": SecretStr("a-long-token"),
        "outgoing_hosts": "127.0.0.1",
    }
    running = start_bridge(settings_for(database, **overrides))
    yield running
    running.stop()


def test_in_production_a_link_is_made_by_who_may_call_the_api_and_used_once_by_who_has_it(
    production: RunningBridge, office: Office
) -> None:
    signed_in = {"authorization": "Bearer a-long-token"}
    stranger = Browser.at(str(production.http.base_url))
    assert stranger.bridge.get("/connect/hubspot?tenant=demo").status_code == 401
    assert stranger.bridge.post("/connect/hubspot", data={"tenant": "demo"}).status_code == 401
    assert stranger.bridge.post("/api/connect/hubspot", json={"tenant": "demo"}).status_code == 401
    made = production.http.post("/api/connect/hubspot", json={"tenant": "demo"}, headers=signed_in)
    assert made.status_code == 200, made.text
    link = on_bridge(made.json()["link"])
    for _ in range(2):
        assert stranger.bridge.get(link).status_code == 200, "a mail scanner opens links too"
    page = stranger.connect(link, ("account", DEMO.portal))
    assert page.status_code == 200, page.text
    again = stranger.bridge.get(link)
    stranger.close()
    assert (again.status_code, "link_used" in again.text) == (400, True)
    told = production.http.get(f"/api/consents/{made.json()['id']}", headers=signed_in).json()
    assert (told["status"], told["link"], len(told["connection_ids"])) == ("DONE", None, 1)


def test_a_link_that_ran_out_is_refused(bridge: RunningBridge, browser: Browser, office: Office) -> None:
    link = on_bridge(bridge.http.post("/api/connect/xero", json={"tenant": "demo"}).json()["link"])
    office.rows("update zixly.oauth_states set expires_at = now() returning id")
    shown = browser.bridge.get(link)
    assert (shown.status_code, "link_late" in shown.text) == (400, True)


def test_an_own_shop_is_connected_without_consent_and_renewed_without_refresh_token(
    bridge: RunningBridge, office: Office, settings: Settings, database: TestDatabase, sandbox: SandboxServer
) -> None:
    made = bridge.http.post("/api/connect/shopify", json={"tenant": "demo", "account": "zixly-demo", "own": True})
    assert made.status_code == 200, made.text
    assert (made.json()["status"], made.json()["link"]) == ("DONE", None)
    with keeper(settings, database) as tokens:
        first = tokens.current(connection_of(office, SHOP))
        assert tokens.renewed(connection_of(office, SHOP), refused=first) != first
    assert [row["version"] for row in office.connections()] == [2]


def test_what_has_no_own_accounts_is_not_connected_without_consent(bridge: RunningBridge, office: Office) -> None:
    answer = bridge.http.post("/api/connect/xero", json={"tenant": "demo", "account": "x", "own": True})
    assert (answer.status_code, answer.json()["reason"]) == (400, "consent_refused")


def lose(office: Office) -> None:
    """The authorisation ends: what a worker marks, written here by the owner."""
    office.rows("update zixly.connections set status = 'DISCONNECTED', parked_reason = 'reconnect_needed' returning id")


def test_the_same_account_is_connected_again_under_a_higher_version(browser: Browser, office: Office) -> None:
    browser.connect("/connect/hubspot?tenant=demo", ("account", DEMO.portal))
    before = office.connections()[0]
    lose(office)
    page = browser.connect(f"/connect/hubspot?connection={before['id']}", ("account", DEMO.portal))
    assert page.status_code == 200, page.text
    (after,) = office.connections()
    assert (after["id"], after["status"], after["parked_reason"]) == (before["id"], "ACTIVE", None)
    assert after["version"] > before["version"]


def test_another_account_does_not_mend_a_connection(browser: Browser, office: Office) -> None:
    browser.connect("/connect/hubspot?tenant=demo", ("account", DEMO.portal))
    lost = office.connections()[0]
    lose(office)
    page = browser.connect(f"/connect/hubspot?connection={lost['id']}", ("account", SECOND.portal))
    assert (page.status_code, "other_account" in page.text, DEMO.portal in page.text) == (400, True, True)
    assert office.accounts() == [("demo", DEMO.portal, "DISCONNECTED")]


def test_one_consent_mends_every_organisation_that_it_reaches(browser: Browser, office: Office) -> None:
    page = browser.connect("/connect/xero?tenant=demo", *BOTH)
    browser.choose(page, "xero", DEMO.organisation, SECOND.organisation)
    lost = next(row for row in office.connections() if row["external_id"] == DEMO.organisation)
    lose(office)
    done = browser.connect(f"/connect/xero?connection={lost['id']}", *BOTH)
    assert done.status_code == 200, done.text
    assert {row["status"] for row in office.connections()} == {"ACTIVE"}
    assert len({row["grant_id"] for row in office.connections()}) == 1
    assert lost["grant_id"] not in {row["grant_id"] for row in office.connections()}


def test_a_workspace_is_chosen_among_those_of_the_person(
    browser: Browser, office: Office, settings: Settings, database: TestDatabase
) -> None:
    page = browser.connect("/connect/asana?tenant=demo")
    assert page.status_code == 200, page.text
    if "reaches" in page.text:
        page = browser.choose(page, "asana", DEMO.workspace)
    assert office.accounts() == [("demo", DEMO.workspace, "ACTIVE")]
    assert token_of(settings, database, office, DEMO.workspace)
