"""A running process takes a new key from where its keys come from, without a restart."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from zixly_core import secret_references
from zixly_core.errors import Permanent, SettingsError
from zixly_core.secret_box import SecretBox
from zixly_core.secret_references import SecretReferences
from zixly_core.secrets.key_file import create_key_file, drop_older_keys, read_key_file, rotate_key_file
from zixly_core.secrets.key_sources import LEAST_BETWEEN, SettingKeys
from zixly_core.secrets.keys import SecretKey
from zixly_core.settings import Settings

pytestmark = pytest.mark.contract

OLD, NEW = SecretKey(b"o" * 32), SecretKey(b"n" * 32)
SECRET, HERE = b"refresh-token", "grant-1"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "secrets.key"
    create_key_file(path)
    return path


def box_of_file(path: Path) -> SecretBox:
    return SecretBox.from_settings(Settings(secrets_key=None, secrets_key_file=path))


def test_a_process_seals_with_the_new_key_as_soon_as_it_stands_in_the_file(key_file: Path) -> None:
    running = box_of_file(key_file)
    before = running.seal(SECRET, context=HERE)
    new = rotate_key_file(key_file)
    assert running.key_ids[0] == new.id
    assert running.open(before, context=HERE) == SECRET
    assert not running.is_current(before)


def test_two_processes_open_each_others_secrets_through_a_change(key_file: Path) -> None:
    first, second = box_of_file(key_file), box_of_file(key_file)
    rotate_key_file(key_file)
    assert second.open(first.seal(SECRET, context=HERE), context=HERE) == SECRET
    assert first.open(second.seal(SECRET, context=HERE), context=HERE) == SECRET


def test_after_the_older_keys_are_dropped_nothing_opens_with_them(key_file: Path) -> None:
    running = box_of_file(key_file)
    before = running.seal(SECRET, context=HERE)
    rotate_key_file(key_file)
    assert drop_older_keys(key_file) == 1
    with pytest.raises(Permanent, match="not among the keys"):
        running.open(before, context=HERE)


@pytest.mark.parametrize("spoil", [lambda path: path.unlink(), lambda path: path.write_text("no key"), lambda path: path.chmod(0o644)])
def test_a_file_that_is_spoilt_meanwhile_takes_no_key_away(key_file: Path, spoil: object) -> None:
    running = box_of_file(key_file)
    sealed = running.seal(SECRET, context=HERE)
    spoil(key_file)  # type: ignore[operator]
    key_file.parent.joinpath("other").touch()
    assert running.open(sealed, context=HERE) == SECRET
    assert running.is_current(running.seal(SECRET, context=HERE))


def test_a_rotated_file_stays_closed_to_others(key_file: Path) -> None:
    rotate_key_file(key_file)
    assert key_file.stat().st_mode & 0o077 == 0
    assert len(read_key_file(key_file)) == 2


class Manager:
    """Secrets Manager with one secret."""

    def __init__(self, current: str) -> None:
        self.current, self.previous = current, None
        self.asked = 0

    def put(self, text: str) -> None:
        self.current, self.previous = text, self.current  # type: ignore[assignment]

    def staged(self, _name: str, *, stage: str = "AWSCURRENT") -> str | None:
        self.asked += stage == "AWSCURRENT"
        return self.current if stage == "AWSCURRENT" else self.previous


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> Manager:
    manager = Manager(OLD.text)
    monkeypatch.setattr(secret_references, "references", SecretReferences(lambda _reference: manager, now=lambda: 0.0))
    return manager


def keys_of_manager(clock: Clock) -> SettingKeys:
    setting = Settings(secrets_key=SecretStr("secretsmanager://zixly/key"), secrets_key_file=None).secrets_key
    assert setting is not None
    return SettingKeys(setting, now=clock)


def test_a_secret_sealed_with_an_unknown_key_has_secrets_manager_asked_at_once(manager: Manager) -> None:
    clock = Clock()
    running = SecretBox(keys_of_manager(clock))
    manager.put(NEW.text)
    clock.now = LEAST_BETWEEN
    elsewhere = SecretBox([NEW]).seal(SECRET, context=HERE)
    assert running.open(elsewhere, context=HERE) == SECRET
    assert running.key_ids == (NEW.id, OLD.id), "the value before the last rotation still opens"


def test_a_secret_whose_key_is_lost_does_not_have_it_asked_again_and_again(manager: Manager) -> None:
    clock = Clock()
    running = SecretBox(keys_of_manager(clock))
    clock.now = LEAST_BETWEEN
    lost = SecretBox([NEW]).seal(SECRET, context=HERE)
    before = manager.asked
    for _ in range(5):
        with pytest.raises(Permanent, match="not among the keys"):
            running.open(lost, context=HERE)
    assert manager.asked == before + 1


def test_a_wrong_value_in_secrets_manager_takes_no_key_away(manager: Manager) -> None:
    clock = Clock()
    running = SecretBox(keys_of_manager(clock))
    sealed = running.seal(SECRET, context=HERE)
    manager.current = "not a key"
    clock.now = LEAST_BETWEEN
    with pytest.raises(Permanent):
        running.open(SecretBox([NEW]).seal(SECRET, context=HERE), context=HERE)
    assert running.open(sealed, context=HERE) == SECRET


def test_without_a_key_in_secrets_manager_the_start_stops(manager: Manager) -> None:
    manager.current = ""
    with pytest.raises(SettingsError, match="ZIXLY_SECRETS_KEY holds no key"):
        keys_of_manager(Clock())
