"""The sweep service's client: bulk calls, the same key for the same sweep, and answers that are not what was agreed."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.unit.clients.vendor import Answers, Vendor, answered
from zixly_core.errors import Permanent, RecordGone, Transient, ZixlyError
from zixly_core.systems.sweeps.client import SweepsClient
from zixly_core.systems.sweeps.results import SweepStatus

REQUEST = {"ticker": "BHP.AX", "fast_range": [5, 20], "slow_range": [30, 60], "step": 5, "strategy_type": "SMA"}
PAIR = {"fast": 5, "slow": 30, "total_return": 0.5, "sharpe": 1.25, "max_drawdown": 0.1, "trades": 4}
RESULT = {"job_id": "sw_1", "ticker": "BHP.AX", "strategy_type": "SMA", "prices": 1000, "buy_and_hold": 0.2, "pairs": [PAIR]}


def state(key: str, status: str = "running") -> dict[str, Any]:
    return {"job_id": key, "status": status, "progress": 0.5, "error": None}


def client_of(answers: Answers) -> tuple[SweepsClient, Vendor]:
    vendor = Vendor(answers)
    return SweepsClient(vendor.http, base_url="https://sweeps.vendor.test/v1/"), vendor


def test_a_start_carries_the_request_the_key_and_the_callback() -> None:
    client, vendor = client_of([answered(state("sw_1", "pending"), status=202)])
    assert client.start(REQUEST, idempotency_key="key-1", callback_url="https://zixly.test/cb") == "sw_1"
    (request,) = vendor.requests
    assert (request.method, str(request.url)) == ("POST", "https://sweeps.vendor.test/v1")
    assert request.headers["idempotency-key"] == "key-1"
    assert vendor.body() == {**REQUEST, "callback_url": "https://zixly.test/cb"}


def test_a_start_whose_connection_broke_is_not_repeated_here() -> None:
    client, vendor = client_of([httpx2.ReadError("reset"), answered(state("sw_1"), status=202)])
    with pytest.raises(Transient):
        client.start(REQUEST, idempotency_key="key-1")
    assert len(vendor.requests) == 1


def test_states_are_asked_for_a_hundred_in_a_call_and_unknown_sweeps_are_missing() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        ids = request.url.params["ids"].split(",")
        return answered({"sweeps": [state(one) for one in ids if one != "sw_7"]})

    client, vendor = client_of(answer)
    found = client.states([f"sw_{number}" for number in range(250)])
    assert [len(one.url.params["ids"].split(",")) for one in vendor.requests] == [100, 100, 50]
    assert (len(found), "sw_7" in found) == (249, False)


def test_every_call_is_counted_by_its_endpoint_and_what_came_of_it() -> None:
    calls: list[tuple[str, str]] = []
    vendor = Vendor([answered(state("sw_1"), status=202), answered({}, status=503), answered(RESULT), httpx2.ReadTimeout("late")])
    client = SweepsClient(vendor.http, base_url="https://sweeps.vendor.test", on_call=lambda where, what, _: calls.append((where, what)))
    client.start(REQUEST, idempotency_key="key-1")
    with pytest.raises(Transient):
        client.states(["sw_1"])
    client.result("sw_1")
    with pytest.raises(Transient):
        client.start(REQUEST, idempotency_key="key-1")
    assert calls == [("POST /", "202"), ("GET /", "503"), ("GET /{id}/result", "200"), ("POST /", "timeout")]


def test_what_is_finished_failed_or_unknown_need_not_be_waited_for() -> None:
    told = [state("a", "finished"), state("b", "failed"), state("c", "running"), state("d", "pending")]
    client, _ = client_of([answered({"sweeps": told})])
    assert client.over(["a", "b", "c", "d", "e"]) == {"a", "b", "e"}


def test_a_result_is_read_into_our_words() -> None:
    client, _ = client_of([answered(RESULT)])
    result = client.result("sw_1")
    assert (result.best.fast, result.best.sharpe, len(result.pairs)) == (5, 1.25, 1)


@pytest.mark.parametrize(
    ("status", "error"), [(404, RecordGone), (422, Permanent), (409, Permanent), (500, Transient), (503, Transient), (429, Transient)]
)
def test_refusals_are_told_apart(status: int, error: type[ZixlyError]) -> None:
    client, _ = client_of([answered({"error": {"code": "x"}}, status=status)])
    with pytest.raises(error):
        client.result("sw_1")


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        ({**RESULT, "pairs": []}, "pairs"),
        ({**RESULT, "pairs": [{**PAIR, "sharpe": "high"}]}, "pairs.0.sharpe"),
        ({**RESULT, "job_id": "../../etc"}, "job_id"),
        ({**RESULT, "ticker": None}, "ticker"),
        ([], ""),
    ],
)
def test_an_answer_of_another_form_is_refused_naming_the_field_and_not_its_value(answer: Any, field: str) -> None:
    client, _ = client_of([answered(answer)])
    with pytest.raises(Permanent) as caught:
        client.result("sw_1")
    assert caught.value.reason == "unexpected_answer"
    assert f"no usable {field}" in str(caught.value)
    assert "etc" not in str(caught.value)
    assert "high" not in str(caught.value)


def test_an_answer_that_is_no_json_is_refused() -> None:
    client, _ = client_of([httpx2.Response(200, text="<html>")])
    with pytest.raises(Permanent):
        client.result("sw_1")


def test_a_status_that_nobody_agreed_on_is_refused() -> None:
    client, _ = client_of([answered({"sweeps": [state("sw_1", "paused")]})])
    with pytest.raises(Permanent):
        client.states(["sw_1"])


def test_only_finished_and_failed_are_ends() -> None:
    assert [status.is_over for status in SweepStatus] == [False, False, True, True]
