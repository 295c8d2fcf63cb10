"""What people type after a command, or hand it in a file: read, or refused in one sentence of ours."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from zixly_cli.backfills import day_from
from zixly_cli.backups.manifest import MANIFEST, KeptFile, Manifest, check_files, file_of, read_manifest
from zixly_cli.check_delivery import RecordedDelivery, UnreadableFile, outcome_of, read_delivery
from zixly_cli.replay_view import payload_in, where_from
from zixly_cli.run_workflow import payload_from
from zixly_cli.sandbox_control_commands import changes_from
from zixly_core.errors import Permanent, Rejected, SettingsError
from zixly_core.stores.tenants import checked_zone

pytestmark = pytest.mark.unit
one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
texts = st.text(max_size=40)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
READERS: dict[str, Callable[[str], object]] = {
    "--from": lambda text: day_from(text, option="--from"),
    "--where": where_from,
    "--payload": payload_from,
    "--payload FILE": payload_in,
    "sandbox limits": lambda text: changes_from([text]),
    "--time-zone": checked_zone,
}


@pytest.mark.parametrize("option", READERS)
@given(text=texts | json_values.map(repr) | st.dates().map(str) | st.from_regex(r"[a-z.]{1,9}=[0-9.enaif+-]{1,6}", fullmatch=True))
@example(text="Australia")
@example(text="../../etc/passwd")
@example(text="a=nan")
@example(text="")
def test_any_text_is_read_or_refused(option: str, text: str) -> None:
    with suppress(SettingsError, Rejected):
        READERS[option](text)


@given(day=st.dates())
def test_a_day_is_the_one_that_was_written(day: date) -> None:
    assert day_from(str(day), option="--from") == str(day)


@given(names=st.lists(st.from_regex(r"[a-z]{1,2}(\.[a-z]{1,2}){0,2}", fullmatch=True), min_size=1, max_size=4), number=st.floats(0, 1e6))
@example(names=["a", "a.b"], number=1.0)
@example(names=["a.b", "a"], number=1.0)
def test_rules_for_the_sandbox_are_all_taken_or_none(names: list[str], number: float) -> None:
    """`a=1 a.b=1` had been an unexpected error, and `a.b=1 a=1` had lost the first."""
    try:
        found = changes_from([f"{name}={number}" for name in names])
    except SettingsError:
        assert any(one != other and f"{one}.".startswith(f"{other}.") for one in names for other in names)
        return
    for name in names:
        place: Any = found
        for part in name.split("."):
            place = place[part]
        assert place == number


recorded = st.fixed_dictionaries(
    {
        "system": st.sampled_from(["xero", "hubspot", "shopify", "asana", "callbacks", "nobody"]) | texts,
        "received_at_ms": st.integers(0, 2**42) | st.integers() | json_values,
    },
    optional={
        "method": texts,
        "url": texts | st.just("https://[") | texts.map("https://zixly.example/webhook/asana/{}".format),
        "headers": st.dictionaries(texts, texts, max_size=3) | json_values,
        "body": texts,
        "secret": texts,
        "state_before": texts,
    },
)


@one_folder
@given(document=recorded | json_values)
@example(document={"system": "asana", "received_at_ms": 10**30})
@example(document={"system": "asana", "received_at_ms": 0, "url": "https://["})
def test_any_file_is_a_delivery_that_gets_an_answer_or_none(tmp_path: Path, document: object) -> None:
    file = tmp_path / "delivery.json"
    file.write_bytes(orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS) if is_json(document) else b"{")
    with suppress(UnreadableFile):
        assert outcome_of(read_delivery(file)).verdict in {"accept", "reject"}


def is_json(document: object) -> bool:
    try:
        orjson.dumps(document)
    except (orjson.JSONEncodeError, TypeError):
        return False
    return True


@given(data=st.binary(max_size=60))
def test_any_bytes_are_no_delivery(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    file = tmp_path_factory.getbasetemp() / "any.json"
    file.write_bytes(data)
    with suppress(UnreadableFile):
        assert isinstance(read_delivery(file), RecordedDelivery)


def backup(folder: Path) -> Manifest:
    """A whole one, of a few bytes."""
    (folder / "objects").mkdir(exist_ok=True)
    for name in ("zixly.dump", "dagster.dump", "objects/a"):
        (folder / name).write_bytes(name.encode())
    files = {name: file_of(folder / name) for name in ("zixly.dump", "dagster.dump", "objects/a")}
    at = datetime(2026, 11, 28, tzinfo=UTC)
    return Manifest(taken_at=at, zixly="1", revision="0001", postgres=17, tables={"zixly.jobs": 1}, keys={}, files=files)


@one_folder
@given(position=st.integers(min_value=0), mask=st.integers(1, 255), name=st.sampled_from(["zixly.dump", "dagster.dump", "objects/a"]))
def test_no_byte_of_a_backup_can_be_changed(tmp_path: Path, position: int, mask: int, name: str) -> None:
    manifest = backup(tmp_path)
    check_files(tmp_path, manifest)
    data = bytearray((tmp_path / name).read_bytes())
    data[position % len(data)] ^= mask
    (tmp_path / name).write_bytes(data)
    with pytest.raises(Permanent):
        check_files(tmp_path, manifest)


@one_folder
@given(position=st.integers(min_value=0), mask=st.integers(1, 255))
def test_a_manifest_that_was_changed_is_refused_or_means_the_same_files(tmp_path: Path, position: int, mask: int) -> None:
    manifest = backup(tmp_path)
    data = bytearray(manifest.model_dump_json(indent=2).encode())
    data[position % len(data)] ^= mask
    (tmp_path / MANIFEST).write_bytes(data)
    with suppress(SettingsError, Permanent):
        found = read_manifest(tmp_path)
        check_files(tmp_path, found)
        assert set(found.files.values()) <= set(manifest.files.values())


@one_folder
@given(name=texts | st.just("../outside") | st.just("a" * 300) | st.just("/etc/passwd"))
@example(name="a\0b")
def test_a_manifest_names_files_of_its_own_folder_only(tmp_path: Path, name: str) -> None:
    manifest = backup(tmp_path)
    kept = KeptFile(size=1, sha256="0" * 64)
    with pytest.raises(Permanent):
        check_files(tmp_path, manifest.model_copy(update={"files": {**manifest.files, name: kept}}))
