"""The addresses of incoming webhooks: `/slack/services/T.../B.../...`."""

from __future__ import annotations

from collections.abc import Callable

from starlette.routing import BaseRoute, Route

from zixly_sandbox.gate import Gate, House
from zixly_sandbox.http import Answer, Call
from zixly_sandbox.slack.desk import SlackDesk

PATH = "/slack/services/{team}/{webhook}/{secret}"


def slack_routes(house: House, desk: Callable[[], SlackDesk]) -> list[BaseRoute]:
    """`desk` gives the service of the moment: a reset replaces it."""

    def post(call: Call, _visit: object) -> Answer:
        return desk().post("/".join(call.params[name] for name in ("team", "webhook", "secret")), call)

    return [Route(PATH, Gate(house, desk, "POST /services", post), methods=["POST"])]
