"""Vendors: what their APIs have left for us, how they answer, and how our accounts there stand."""

from __future__ import annotations

from grafana_foundation_sdk.models import units

from grafana.board import Board, Choice, Row
from grafana.panels import Lines, Number, Query
from grafana.queries import gauge, least, part, quantile, rate, worst

CHOSEN = 'system=~"$system"'
CALLS = "api_calls_total"
LATENCY = "trading_api_latency_seconds"

NUMBERS = (
    Number("Active accounts", gauge("connections", f'{CHOSEN}, status="active"'), "Connections that are authorised."),
    Number(
        "Disconnected accounts",
        gauge("connections", f'{CHOSEN}, status="disconnected"'),
        "Somebody has to authorise them again; their jobs wait. AccountDisconnected.",
        bad=1,
    ),
    Number("Resting accounts", gauge("accounts_resting", CHOSEN), "Left alone because their vendor failed again and again.", middling=1),
    Number(
        "Webhooks that want a person",
        gauge("connection_webhooks", f'{CHOSEN}, state=~"lost|silent|failing"'),
        "Connections whose webhooks are lost, silent or failing.",
        bad=1,
    ),
)

BUDGET = Lines(
    "Budget left",
    (Query(least("api_budget_remaining_ratio", CHOSEN, by="system, window"), "{{system}} {{window}}"),),
    "The part of each limit that is left, of the account that has the smallest. A minute's is there to be used up.",
    units.PercentUnit,
    top=1,
)
CALLS_LEFT = Lines(
    "Calls left",
    (Query(least("api_budget_remaining", CHOSEN, by="system, window"), "{{system}} {{window}}"),),
    "Calls, at Shopify points, of the account that has the fewest. Fewer than 500 of a day: BudgetNearlySpent.",
)
ASKED = Lines(
    "Calls by answer",
    (Query(rate(CALLS, CHOSEN, by="system, status"), "{{system}} {{status}}"),),
    "Calls each second; `none`: no answer came.",
    units.RequestsPerSecond,
)
ERRORS = Lines(
    "Part of calls that failed",
    (Query(part(rate(CALLS, f'{CHOSEN}, status=~"5..|429|none"', by="system"), rate(CALLS, CHOSEN, by="system")), "{{system}}"),),
    "Answered 5xx or 429, or not at all.",
    units.PercentUnit,
    top=1,
)
SLOW = Lines(
    "Latency by endpoint, p95",
    (Query(quantile(0.95, LATENCY, 'endpoint=~"($system).*"', by="endpoint"), "{{endpoint}}"),),
    "Seconds from sending a call to its whole answer.",
    units.Seconds,
)
PROBES = Lines(
    "Probes of resting accounts",
    (Query(rate("account_probes_total", CHOSEN, by="system, result"), "{{system}} {{result}}"),),
    "Calls, each second, that asked whether a vendor works again.",
    units.RequestsPerSecond,
)
AUTHORISATIONS = Lines(
    "Authorisations: time left",
    (Query(least("connection_authorisation_left_seconds", CHOSEN, by="system"), "{{system}}"),),
    "Until the vendor would end the authorisation that was unused for longest. Below 20 days: AuthorisationExpiring.",
    units.Seconds,
)
TOKENS = Lines(
    "Access tokens: time left",
    (Query(least("connection_access_token_left_seconds", CHOSEN, by="system"), "{{system}}"),),
    "Of the token that ends first. At 0 the next call exchanges it.",
    units.Seconds,
)
WEBHOOKS = Lines(
    "Webhooks by state",
    (Query(gauge("connection_webhooks", CHOSEN, by="system, state"), "{{system}} {{state}}"),),
    "Connections by what the last look at their webhooks came to.",
    stacked=True,
)
LOOKS = Lines(
    "Oldest look at webhooks",
    (Query(worst("webhook_check_age_seconds", CHOSEN, by="system"), "{{system}}"),),
    "It is looked every hour. Above 5,400 s: WebhooksUnwatched.",
    units.Seconds,
    limit=5400,
)

VENDORS = Board(
    "zixly-vendors",
    "Vendors",
    "Budgets, latency, errors, tokens and webhooks of the outside systems.",
    (
        Row("", NUMBERS),
        Row("Budget", (BUDGET, CALLS_LEFT)),
        Row("Calls", (ASKED, ERRORS)),
        Row("", (SLOW, PROBES)),
        Row("Accounts", (AUTHORISATIONS, TOKENS)),
        Row("", (WEBHOOKS, LOOKS)),
    ),
    choices=(Choice("system", "System", "connections"),),
)
