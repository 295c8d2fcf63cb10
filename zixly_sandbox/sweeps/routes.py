"""The sweep service's addresses: `/sweeps` and below."""

from __future__ import annotations

from collections.abc import Callable

from starlette.routing import BaseRoute, Route

from zixly_sandbox.gate import Gate, House
from zixly_sandbox.http import Answer, Call, json_answer
from zixly_sandbox.sweeps.desk import Sweep, SweepsDesk, text_of
from zixly_sandbox.sweeps.wishes import WrongField, wish_from

MAX_IDS = 500
CSV = b"text/csv; charset=utf-8"


def sweeps_routes(house: House, desk: Callable[[], SweepsDesk]) -> list[BaseRoute]:
    """`desk` gives the service of the moment: a reset replaces it."""
    calls: tuple[tuple[str, str, Callable[[Call, SweepsDesk], Answer]], ...] = (
        ("POST", "/sweeps", start),
        ("GET", "/sweeps", states),
        ("GET", "/sweeps/{id}", state),
        ("GET", "/sweeps/{id}/result", result),
        ("GET", "/sweeps/{id}/result.csv", result_as_csv),
    )
    return [Route(path, gate_of(house, desk, f"{method} {path}", work), methods=[method]) for method, path, work in calls]


def gate_of(house: House, desk: Callable[[], SweepsDesk], endpoint: str, work: Callable[[Call, SweepsDesk], Answer]) -> Gate:
    return Gate(house, desk, endpoint, lambda call, _visit: work(call, desk()))


def start(call: Call, desk: SweepsDesk) -> Answer:
    """202 with the id. The same `Idempotency-Key` gives the same sweep again; with another request it is refused."""
    try:
        wish = wish_from(call.json())
    except WrongField as error:
        return json_answer({"error": {"code": "invalid", "field": error.field, "message": str(error)}}, status=422)
    except ValueError:
        return json_answer({"error": {"code": "not_json"}}, status=400)
    key = call.headers.get("idempotency-key")
    known = desk.known(key)
    if known is not None and known.wish.request != wish.request:
        return json_answer({"error": {"code": "key_reused"}}, status=409)
    made = known or desk.start(wish, key=key)
    return json_answer(desk.state_of(made), status=202)


def states(call: Call, desk: SweepsDesk) -> Answer:
    """How the sweeps of `ids` stand; unknown ids are left out."""
    ids = call.values("ids")
    if not 0 < len(ids) <= MAX_IDS:
        return json_answer({"error": {"code": "invalid", "field": "ids", "message": f"1 to {MAX_IDS} ids are wanted"}}, status=422)
    return json_answer({"sweeps": [desk.state_of(desk.sweeps[one]) for one in ids if one in desk.sweeps]})


def state(call: Call, desk: SweepsDesk) -> Answer:
    found = sweep_of(call, desk)
    return found if isinstance(found, Answer) else json_answer(desk.state_of(found))


def result(call: Call, desk: SweepsDesk) -> Answer:
    found = sweep_of(call, desk)
    if isinstance(found, Answer):
        return found
    document = desk.result_of(found)
    return json_answer(document) if document is not None else not_finished()


def result_as_csv(call: Call, desk: SweepsDesk) -> Answer:
    found = sweep_of(call, desk)
    if isinstance(found, Answer):
        return found
    document = desk.result_of(found)
    return Answer(200, text_of(document).encode(), CSV) if document is not None else not_finished()


def sweep_of(call: Call, desk: SweepsDesk) -> Sweep | Answer:
    return desk.sweeps.get(call.params["id"]) or json_answer({"error": {"code": "unknown"}}, status=404)


def not_finished() -> Answer:
    return json_answer({"error": {"code": "not_finished"}}, status=409)
