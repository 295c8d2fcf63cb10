"""A sealed secret opens where it was sealed for, with the keys that are set, and nowhere else; wherever the keys come from."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from zixly_core.errors import Permanent, SettingsError
from zixly_core.secret_box import SecretBox
from zixly_core.secrets.keys import SecretKey
from zixly_core.settings import Settings

pytestmark = pytest.mark.contract

OLD, NEW = SecretKey(b"o" * 32), SecretKey(b"n" * 32)
TOKEN = b'{"refresh_token": "r-123"}'
HERE, ELSEWHERE = "connection-1", "connection-2"

BoxOf = Callable[..., SecretBox]


def from_text(folder: Path, *keys: SecretKey) -> SecretBox:
    del folder
    return SecretBox.from_settings(Settings(secrets_key=SecretStr(",".join(key.text for key in keys)), secrets_key_file=None))


def from_file(folder: Path, *keys: SecretKey) -> SecretBox:
    path = folder / "secrets.key"
    path.touch(mode=0o600)
    path.write_text("".join(f"{key.text}\n" for key in keys))
    return SecretBox.from_settings(Settings(secrets_key=None, secrets_key_file=path))


@pytest.fixture(params=[from_text, from_file], ids=["setting", "file"])
def box_of(request: pytest.FixtureRequest, tmp_path: Path) -> BoxOf:
    return lambda *keys: request.param(tmp_path, *keys)


def reason_of(box: SecretBox, sealed: bytes, *, context: str = HERE) -> str:
    with pytest.raises(Permanent) as caught:
        box.open(sealed, context=context)
    return caught.value.reason


def test_a_secret_opens_in_its_context(box_of: BoxOf) -> None:
    box = box_of(NEW)
    sealed = box.seal(TOKEN, context=HERE)
    assert TOKEN not in sealed
    assert box.open(sealed, context=HERE) == TOKEN


def test_another_process_with_the_same_key_opens_it(box_of: BoxOf) -> None:
    assert box_of(NEW).open(box_of(NEW).seal(TOKEN, context=HERE), context=HERE) == TOKEN


def test_a_secret_moved_to_another_row_does_not_open(box_of: BoxOf) -> None:
    box = box_of(NEW)
    assert reason_of(box, box.seal(TOKEN, context=HERE), context=ELSEWHERE) == "secret_not_authentic"


def test_the_same_secret_never_looks_the_same_twice(box_of: BoxOf) -> None:
    box = box_of(NEW)
    assert box.seal(TOKEN, context=HERE) != box.seal(TOKEN, context=HERE)


def test_after_a_rotation_old_secrets_open_and_new_ones_use_the_new_key(box_of: BoxOf) -> None:
    sealed = box_of(OLD).seal(TOKEN, context=HERE)
    box = box_of(NEW, OLD)
    assert box.open(sealed, context=HERE) == TOKEN
    assert not box.is_current(sealed)
    resealed = box.resealed(sealed, context=HERE)
    assert box.is_current(resealed)
    assert box_of(NEW).open(resealed, context=HERE) == TOKEN


def test_a_secret_whose_key_is_gone_says_which_key_that_was(box_of: BoxOf) -> None:
    sealed = box_of(OLD).seal(TOKEN, context=HERE)
    box = box_of(NEW)
    assert reason_of(box, sealed) == "secret_key_missing"
    with pytest.raises(Permanent, match=OLD.id.hex()):
        box.open(sealed, context=HERE)


@given(position=st.integers(min_value=0), mask=st.integers(min_value=1, max_value=255))
def test_a_secret_changed_anywhere_does_not_open(position: int, mask: int) -> None:
    box = SecretBox([NEW])
    sealed = bytearray(box.seal(TOKEN, context=HERE))
    sealed[position % len(sealed)] ^= mask
    assert reason_of(box, bytes(sealed)) in {"secret_not_authentic", "secret_key_missing", "secret_unreadable"}


@given(data=st.binary(max_size=80))
def test_bytes_of_somebody_else_do_not_open(data: bytes) -> None:
    assert reason_of(SecretBox([NEW]), data).startswith("secret_")


@given(data=st.binary(max_size=300), context=st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_every_secret_and_context_makes_the_way_there_and_back(data: bytes, context: str) -> None:
    box = SecretBox([NEW])
    assert box.open(box.seal(data, context=context), context=context) == data


def test_a_shortened_secret_is_unreadable() -> None:
    sealed = SecretBox([NEW]).seal(b"", context=HERE)
    assert reason_of(SecretBox([NEW]), sealed[:-1]) == "secret_unreadable"


def test_nothing_that_is_printed_shows_a_key(box_of: BoxOf) -> None:
    box = box_of(NEW, OLD)
    printed = f"{box!r} {box} {NEW!r} {vars(box)!r}"
    assert NEW.text not in printed
    assert "nnnn" not in printed


def test_a_box_cannot_be_pickled_and_sent_away(box_of: BoxOf) -> None:
    with pytest.raises(TypeError):
        pickle.dumps(box_of(NEW))


def test_a_box_without_keys_does_not_exist() -> None:
    with pytest.raises(SettingsError):
        SecretBox([])


def test_without_a_setting_the_start_stops_and_names_both() -> None:
    with pytest.raises(SettingsError, match="ZIXLY_SECRETS_KEY nor ZIXLY_SECRETS_KEY_FILE"):
        SecretBox.from_settings(Settings(secrets_key=None, secrets_key_file=None))


def test_with_both_settings_the_start_stops_since_keys_might_be_missing(tmp_path: Path) -> None:
    settings = Settings(secrets_key=SecretStr(NEW.text), secrets_key_file=tmp_path / "secrets.key")
    with pytest.raises(SettingsError, match="both set"):
        SecretBox.from_settings(settings)


@pytest.mark.parametrize("wrong", ["", " , ", "short", NEW.text[:-4], NEW.text + "," + "x" * 44, "ä" * 44])
def test_a_wrong_key_stops_the_start_without_being_repeated(wrong: str) -> None:
    with pytest.raises(SettingsError, match="ZIXLY_SECRETS_KEY") as caught:
        SecretBox.from_settings(Settings(secrets_key=SecretStr(wrong), secrets_key_file=None))
    assert "xxxx" not in str(caught.value)
    assert NEW.text[:10] not in str(caught.value)
