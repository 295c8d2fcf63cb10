"""What only a folder has to stand: full disks, rights, a death in the middle of writing."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from zixly_core.errors import Permanent, Transient
from zixly_core.objects.folder import FolderObjectStore

pytestmark = pytest.mark.contract

KEY = "tenant/job/document.pdf"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "objects"


@pytest.fixture
def store(root: Path) -> FolderObjectStore:
    return FolderObjectStore(root)


def files_of(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def test_a_disk_that_is_full_says_so_and_keeps_the_former_object(
    store: FolderObjectStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put(KEY, b"former", content_type="application/pdf")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Transient, match="no room on the disk") as caught:
        store.put(KEY, b"new", content_type="application/pdf")
    assert caught.value.reason == "disk_full"
    assert files_of(root) == [KEY]
    assert store.get(KEY) == b"former"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_really_full_device_is_transient(store: FolderObjectStore, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.mkstemp", lambda **_: (os.open("/dev/full", os.O_WRONLY), str(root / ".incoming" / "x")))
    (root / ".incoming").mkdir(parents=True)
    (root / ".incoming" / "x").touch()
    with pytest.raises(Transient) as caught:
        store.put(KEY, b"new", content_type="application/pdf")
    assert caught.value.reason == "disk_full"


def test_a_key_below_an_object_is_refused(store: FolderObjectStore) -> None:
    store.put("tenant/job", b"", content_type="text/plain")
    with pytest.raises(Permanent) as caught:
        store.put("tenant/job/document.pdf", b"", content_type="text/plain")
    assert caught.value.reason == "objects_refused"


def test_a_key_that_begins_others_is_refused_and_leaves_nothing_behind(store: FolderObjectStore, root: Path) -> None:
    store.put(KEY, b"", content_type="text/plain")
    with pytest.raises(Permanent):
        store.put("tenant/job", b"", content_type="text/plain")
    assert files_of(root) == [KEY]


def test_objects_are_closed_to_other_users(store: FolderObjectStore, root: Path) -> None:
    store.put(KEY, b"", content_type="application/pdf")
    for path in [root, *root.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_what_a_killed_process_left_half_written_is_not_listed(store: FolderObjectStore, root: Path) -> None:
    store.put(KEY, b"", content_type="application/pdf")
    (root / ".incoming" / "half").write_bytes(b"%PD")
    assert list(store.list("")) == [KEY]


def test_a_folder_that_cannot_be_read_is_not_an_empty_one(store: FolderObjectStore, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.put(KEY, b"", content_type="application/pdf")

    def denied(path: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", denied)
    with pytest.raises(Permanent):
        list(store.list(""))
