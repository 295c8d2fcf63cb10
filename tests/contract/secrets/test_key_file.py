"""The key file is made once, whole, for its owner only, and is never overwritten by accident."""

from __future__ import annotations

import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from zixly_core.errors import SettingsError
from zixly_core.secret_box import SecretBox
from zixly_core.secrets.key_file import create_key_file, read_key_file, rotate_key_file
from zixly_core.secrets.keys import keys_in

pytestmark = pytest.mark.contract


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "secrets.key"


def test_a_new_file_holds_one_key_and_is_its_owners_alone(path: Path) -> None:
    assert create_key_file(path) is True
    assert len(read_key_file(path)) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_is_there_is_left_as_it_is(path: Path) -> None:
    create_key_file(path)
    before = path.read_bytes()
    assert create_key_file(path) is False
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_of_many_who_make_it_at_once_one_does(path: Path) -> None:
    with ThreadPoolExecutor(max_workers=8) as pool:
        made = list(pool.map(lambda _: create_key_file(path), range(16)))
    assert sum(made) == 1
    assert len(read_key_file(path)) == 1


def test_rotating_puts_a_new_key_first_and_keeps_the_others(path: Path) -> None:
    create_key_file(path)
    [old] = read_key_file(path)
    sealed = SecretBox([old]).seal(b"secret", context="row")
    rotate_key_file(path)
    new, kept = read_key_file(path)
    assert kept == old != new
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SecretBox([new, kept]).open(sealed, context="row") == b"secret"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o644, 0o666])
def test_a_file_that_is_open_to_others_is_refused(path: Path, mode: int) -> None:
    create_key_file(path)
    path.chmod(mode)
    with pytest.raises(SettingsError, match="chmod 600"):
        read_key_file(path)
    with pytest.raises(SettingsError, match="chmod 600"):
        create_key_file(path)


def test_a_missing_file_is_named_with_its_setting(path: Path) -> None:
    with pytest.raises(SettingsError, match="ZIXLY_SECRETS_KEY_FILE") as caught:
        read_key_file(path)
    assert str(path) in str(caught.value)


def test_a_folder_that_is_missing_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be written"):
        create_key_file(tmp_path / "nowhere" / "secrets.key")


@pytest.mark.parametrize("content", [b"", b"\n", b"not a key\n", b"\xff\xfe"])
def test_a_file_without_keys_is_refused_and_not_replaced(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
    with pytest.raises(SettingsError, match="key"):
        read_key_file(path)
    with pytest.raises(SettingsError):
        create_key_file(path)
    assert path.read_bytes() == content


def test_the_command_prints_a_key_that_can_be_set() -> None:
    printed = [
        subprocess.run([sys.executable, "-m", "zixly_core.secrets"], check=True, capture_output=True, text=True, timeout=30).stdout
        for _ in range(2)
    ]
    first, second = (keys_in(text, source="output") for text in printed)
    assert len(first) == len(second) == 1
    assert first != second
