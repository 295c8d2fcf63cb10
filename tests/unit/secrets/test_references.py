"""Settings that only name a secret, over a secret manager of the test's own."""

from __future__ import annotations

import threading

import pytest
from pydantic import SecretStr

from webhook_bridge.app_secrets import AppSecrets
from zixly_core import secret_references
from zixly_core.errors import SettingsError, Transient
from zixly_core.secret_references import FRESH, Secret, SecretReference, SecretReferences
from zixly_core.settings import Settings
from zixly_core.systems import SYSTEMS

TEXT = "secretsmanager://zixly/xero#client_secret"


class Manager:
    """Secrets by name and stage; counts how often it was asked."""

    def __init__(self, **stages: str) -> None:
        self.stages = stages
        self.asked = 0
        self.is_away = False
        self.answered = threading.Event()

    def staged(self, name: str, *, stage: str = "AWSCURRENT") -> str | None:
        self.asked += 1
        try:
            if self.is_away:
                raise Transient("away")
            return self.stages.get(stage)
        finally:
            self.answered.set()


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def references_over(manager: Manager, clock: Clock | None = None) -> SecretReferences:
    return SecretReferences(lambda _: manager, now=clock or Clock())


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> Manager:
    """The manager that settings of this test resolve their references at."""
    made = Manager(AWSCURRENT='{"client_secret": "new", "keys": "k2, k1"}', AWSPREVIOUS='{"client_secret": "old", "keys": "k1"}')
    monkeypatch.setattr(secret_references, "references", references_over(made))
    return made


def test_a_reference_names_secret_field_and_place() -> None:
    reference = SecretReference.of("secretsmanager://zixly/prod/xero?region=ap-southeast-2&endpoint=http://127.0.0.1:4566#client_secret")
    assert reference == SecretReference("zixly/prod/xero", "client_secret", "ap-southeast-2", "http://127.0.0.1:4566")
    assert SecretReference.of("secretsmanager://name") == SecretReference("name", None, None, None)


def test_a_secret_is_asked_for_once_while_it_is_fresh() -> None:
    manager = Manager(AWSCURRENT='{"client_secret": "new"}')
    references = references_over(manager)
    assert [references.values(TEXT).current for _ in range(3)] == ["new"] * 3
    assert manager.asked == 2, "present and previous value, once"


def test_a_rotation_is_noticed_in_the_background_without_anybody_waiting() -> None:
    manager, clock = Manager(AWSCURRENT='{"client_secret": "old"}'), Clock()
    references = references_over(manager, clock)
    references.values(TEXT)
    manager.stages = {"AWSCURRENT": '{"client_secret": "new"}', "AWSPREVIOUS": '{"client_secret": "old"}'}
    manager.answered.clear()
    clock.seconds = FRESH + 1
    assert references.values(TEXT).current == "old"
    assert manager.answered.wait(5)
    for thread in threading.enumerate():
        if thread.name == "secret-reference":
            thread.join(5)
    values = references.values(TEXT)
    assert (values.current, values.previous) == ("new", "old")


def test_while_the_manager_is_away_what_is_known_goes_on_being_used() -> None:
    manager, clock = Manager(AWSCURRENT='{"client_secret": "known"}'), Clock()
    references = references_over(manager, clock)
    references.values(TEXT)
    manager.is_away, clock.seconds = True, FRESH + 1
    assert [references.values(TEXT).current for _ in range(3)] == ["known"] * 3
    for thread in threading.enumerate():
        if thread.name == "secret-reference":
            thread.join(5)


def test_a_manager_that_is_away_at_the_first_question_is_told() -> None:
    manager = Manager()
    manager.is_away = True
    with pytest.raises(Transient):
        references_over(manager).values(TEXT)


@pytest.mark.parametrize("held", [{}, {"AWSCURRENT": "{}"}, {"AWSCURRENT": "no json"}, {"AWSCURRENT": '{"client_secret": 7}'}])
def test_a_secret_or_field_that_is_missing_is_named_without_what_was_found(held: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="zixly/xero") as failure:
        references_over(Manager(**held)).values(TEXT)
    assert "no json" not in str(failure.value)


def test_a_reference_without_a_name_is_refused() -> None:
    with pytest.raises(SettingsError, match="names no secret"):
        SecretReference.of("secretsmanager://")


def test_any_secret_setting_may_be_a_reference(manager: Manager) -> None:
    settings = Settings(xero_client_secret=SecretStr(TEXT), api_token=SecretStr("plain"))
    assert settings.required("xero_client_secret") == "new"
    assert settings.required("api_token") == "plain"
    assert "new" not in repr(settings)


def test_a_refused_secret_is_asked_for_anew(manager: Manager) -> None:
    settings = Settings(xero_client_secret=SecretStr(TEXT))
    settings.required("xero_client_secret")
    manager.stages = {"AWSCURRENT": '{"client_secret": "newest"}'}
    assert settings.required("xero_client_secret") == "new"
    assert settings.reread("xero_client_secret") == "newest"


def test_signatures_of_the_value_before_a_rotation_are_accepted_beside_the_present_one(manager: Manager) -> None:
    secrets = AppSecrets(Settings(xero_webhook_keys=SecretStr("secretsmanager://zixly/xero#keys")), SYSTEMS)
    assert secrets["xero"] == ("k2", "k1", "k1")
    assert secrets["hubspot"] == ()


def test_plain_settings_hold_several_secrets_newest_first() -> None:
    secrets = AppSecrets(Settings(xero_webhook_keys=SecretStr("k2, k1"), hubspot_client_secret=SecretStr("h")), SYSTEMS)
    assert (secrets["xero"], secrets["hubspot"], secrets["callbacks"]) == (("k2", "k1"), ("h",), ())
    assert set(secrets) == set(SYSTEMS)


def test_an_empty_reference_never_shows_its_value(manager: Manager) -> None:
    assert "new" not in f"{Secret(TEXT)!r} {Secret(TEXT)}"
