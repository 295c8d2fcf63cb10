"""Where docker-compose.yml cannot be brought up the tests say so: a skip on one's own machine, a failure in CI (docs/decisions/0042)."""

from __future__ import annotations

import pytest

from tests.acceptance.compose import engine

pytestmark = pytest.mark.unit
WORDS = "docker-compose.yml WAS NOT BROUGHT UP: "


@pytest.fixture(autouse=True)
def nothing_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(engine, "what_is_missing", lambda: None)
    monkeypatch.setattr(engine, "refusal_of_the_machine", lambda: None)


def test_where_nothing_is_missing_it_goes_on() -> None:
    engine.require_containers()


@pytest.mark.parametrize("question", ["what_is_missing", "refusal_of_the_machine"])
def test_what_is_missing_is_a_skip_and_in_ci_a_failure(monkeypatch: pytest.MonkeyPatch, question: str) -> None:
    monkeypatch.setattr(engine, question, lambda: "no bridges here")
    with pytest.raises(pytest.skip.Exception, match=f"{WORDS}no bridges here"):
        engine.require_containers()
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=f"{WORDS}no bridges here"):
        engine.require_containers()


def test_a_program_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(engine, "TOOLS", ("sh", "no-such-program"))
    assert (engine.what_is_missing() or "").startswith("no-such-program not installed")


def test_a_disk_that_is_too_small_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(engine, "TOOLS", ())
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(engine, "FREE_BYTES", 10**18)
    assert "GB are needed in /var/tmp" in (engine.what_is_missing() or "")
