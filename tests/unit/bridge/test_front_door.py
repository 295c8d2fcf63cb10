"""What stands in front of the routes: plain deliveries, and their errors as answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.testclient import TestClient

from webhook_bridge.front_door import Bridge, Deliveries
from webhook_bridge.receive import Receiver
from zixly_core.errors import StoreUnavailable


@dataclass
class Answers:
    """In place of a receiver."""

    outcome: Exception | None = None

    async def answer(self, request: Request) -> Response:
        if self.outcome is not None:
            raise self.outcome
        return Response(await request.body())


def client(outcome: Exception | None = None) -> TestClient:
    bridge = Bridge(redirect_slashes=False)
    bridge.add_api_route("/webhook/plain", lambda: "by the route", methods=["POST", "PUT"])
    bridge.put_in_front(Deliveries({"/webhook/plain": cast("Receiver", Answers(outcome))}), lambda app: app)
    return TestClient(bridge, raise_server_exceptions=False)


def test_a_post_to_a_plain_path_comes_to_its_receiver_and_everything_else_to_the_routes() -> None:
    assert client().post("/webhook/plain", content=b"raw").content == b"raw"
    assert client().put("/webhook/plain").json() == "by the route"
    assert client().get("/webhook/plain").status_code == 405
    assert client().post("/webhook/plain/", content=b"raw").status_code == 404


def test_what_could_not_be_stored_is_answered_with_when_to_come_back() -> None:
    answer = client(StoreUnavailable("Postgres is away.", reason="overloaded")).post("/webhook/plain", content=b"raw")
    assert (answer.status_code, answer.headers["retry-after"], answer.json()["reason"]) == (503, "5", "overloaded")


@pytest.mark.parametrize("error", [KeyError("a secret"), RuntimeError("a secret")])
def test_an_error_that_nobody_thought_of_is_answered_without_its_words(error: Exception) -> None:
    answer = client(error).post("/webhook/plain", content=b"raw")
    assert (answer.status_code, answer.json()["reason"]) == (500, "internal_error")
    assert "secret" not in answer.text
