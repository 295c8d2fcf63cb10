"""The files that a stack keeps: its home, its lock, its secrets, the process manager's file, its logs."""

from __future__ import annotations

import io
import stat
from configparser import RawConfigParser
from pathlib import Path

import orjson
import pytest

from zixly_cli.stack.home import Home, HomeLock
from zixly_cli.stack.log_stream import LogStream
from zixly_cli.stack.manager_files import write_files
from zixly_cli.stack.programs import Program
from zixly_cli.stack.stack_secrets import load_or_make_secrets
from zixly_core.errors import SettingsError


def test_a_folder_with_something_else_in_it_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(SettingsError, match="holds something else"):
        Home(tmp_path).make()


def test_a_folder_that_is_not_ours_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(SettingsError, match="nothing was removed"):
        Home(tmp_path).remove()
    assert (tmp_path / "thesis.txt").exists()


def test_a_long_home_has_its_socket_where_the_path_is_short(tmp_path: Path) -> None:
    assert len(str(Home(tmp_path / ("x" * 120)).socket)) <= 100


def test_one_home_has_one_owner(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    first, second = HomeLock(home), HomeLock(home)
    assert first.take()
    assert not second.take()
    owner = second.owner()
    assert owner is not None
    assert not owner.is_leaving
    first.release()
    assert second.owner() is None


def test_secrets_are_made_once_and_readable_by_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    made = load_or_make_secrets(path)
    assert load_or_make_secrets(path) == made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert made.valkey not in repr(made)


def test_a_home_of_an_earlier_version_gets_the_passwords_of_new_roles_and_keeps_the_others(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    made = load_or_make_secrets(path)
    document = orjson.loads(path.read_bytes())
    del document["postgres"]["zixly_retention"], document["api_token"]
    path.write_bytes(orjson.dumps(document))
    path.chmod(0o600)
    known = load_or_make_secrets(path)
    assert known.postgres["zixly_retention"] not in made.postgres.values()
    assert {**known.postgres, "zixly_retention": ""} == {**made.postgres, "zixly_retention": ""}
    assert len(known.api_token) == 64
    assert load_or_make_secrets(path) == known


def test_secrets_that_others_can_read_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    load_or_make_secrets(path)
    path.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        load_or_make_secrets(path)


def test_nothing_secret_stands_in_the_managers_file_or_on_a_command_line(tmp_path: Path) -> None:
    home = Home(tmp_path / "100% mine")
    home.make()
    program = Program(
        name="bridge",
        command=("python", "-m", "webhook_bridge"),
        environment={"PASSWORD": "hidden-word"},
        probe=lambda _since: True,
        folder=tmp_path,
        stop_seconds=1,
    )
    written = write_files(home, [program])
    assert "hidden-word" not in written.read_text()
    assert orjson.loads((home.run / "bridge.json").read_bytes())["environment"] == {"PASSWORD": "hidden-word"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (written, home.run / "bridge.json")} == {0o600}
    parser = RawConfigParser()
    parser.read(written)
    assert "100%% mine" in parser["program:bridge"]["stdout_logfile"]


def test_logs_are_one_stream_of_whole_lines_with_names(tmp_path: Path) -> None:
    one, two, output = tmp_path / "one.log", tmp_path / "two.log", io.StringIO()
    one.write_text("before\n")
    stream = LogStream({"one": one, "other": two}, output=output)
    with one.open("a") as file:
        file.write("first\nhalf")
    two.write_text("second\n")
    stream.show_new()
    with one.open("a") as file:
        file.write(" done\n")
    stream.show_new()
    assert output.getvalue().splitlines() == ["one   | first", "other | second", "one   | half done"]


def test_a_rotated_log_is_followed(tmp_path: Path) -> None:
    log, output = tmp_path / "one.log", io.StringIO()
    log.write_text("old\n")
    stream = LogStream({"one": log}, output=output)
    log.rename(tmp_path / "one.log.1")
    log.write_text("new\n")
    stream.show_new()
    assert output.getvalue() == "one | new\n"
