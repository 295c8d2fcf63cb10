"""What every object store promises, in a folder and in a bucket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import boto3
import httpx2
import pytest

from tests.support.made_elsewhere import made_elsewhere
from tests.support.servers import REGION
from zixly_core.errors import ObjectNotFound, Permanent, SettingsError
from zixly_core.object_store import ObjectStore
from zixly_core.objects import open_object_store

pytestmark = pytest.mark.contract

KEY = "tenant-1/job-1/document.pdf"
WRONG_KEYS = ["", "/a", "a/", "a//b", "a/../b", "..", "./a", ".hidden", "a\\b", "a b", "a\x00b", "a\nb", "ä", "-a", "a/" * 500 + "a"]


@pytest.fixture(params=["folder", "s3", "s3-with-prefix"])
def back_end(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def store(back_end: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ObjectStore]:
    if back_end == "folder":
        yield open_object_store(f"file://{tmp_path}/objects of a tenant")
        return
    client = request.getfixturevalue("s3_client")
    if made := made_elsewhere():
        yield open_object_store(f"s3://{made.bucket}/{uuid4().hex}", client=client)
        return
    bucket = f"test-{uuid4().hex[:12]}"
    client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    yield open_object_store(f"s3://{bucket}{'/some/where' if back_end == 's3-with-prefix' else ''}", client=client)


@pytest.fixture
def s3_client(aws_credentials: None, request: pytest.FixtureRequest) -> Iterator[Any]:
    made = made_elsewhere()
    region, endpoint = (made.region, made.endpoint) if made else (REGION, request.getfixturevalue("aws_server").endpoint)
    with closing(boto3.client("s3", region_name=region, endpoint_url=endpoint)) as client:
        yield client


def put_all(store: ObjectStore, *keys: str) -> None:
    for key in keys:
        store.put(key, key.encode(), content_type="text/plain")


def test_what_is_put_is_got(store: ObjectStore) -> None:
    data = bytes(range(256)) * 1000
    store.put(KEY, data, content_type="application/pdf")
    assert store.get(KEY) == data


def test_an_empty_object_is_an_object(store: ObjectStore) -> None:
    store.put(KEY, b"", content_type="application/pdf")
    assert store.exists(KEY)
    assert store.get(KEY) == b""


def test_putting_again_replaces(store: ObjectStore) -> None:
    store.put(KEY, b"first and longer", content_type="application/pdf")
    store.put(KEY, b"second", content_type="application/pdf")
    assert store.get(KEY) == b"second"


def test_an_object_that_was_never_put_is_not_found(store: ObjectStore) -> None:
    assert not store.exists(KEY)
    with pytest.raises(ObjectNotFound, match=KEY):
        store.get(KEY)


def test_the_beginning_and_the_continuation_of_a_key_are_not_objects(store: ObjectStore) -> None:
    put_all(store, "a/b")
    for other in ("a", "a/b/c"):
        assert not store.exists(other)
        with pytest.raises(ObjectNotFound):
            store.get(other)
        store.delete(other)
    assert store.exists("a/b")


def test_a_deleted_object_is_gone_and_deleting_it_again_is_allowed(store: ObjectStore) -> None:
    put_all(store, KEY)
    store.delete(KEY)
    store.delete(KEY)
    assert not store.exists(KEY)


def test_a_listing_follows_whole_parts_of_the_key(store: ObjectStore) -> None:
    put_all(store, "t1/b/x", "t1/a/x", "t10/a/x", "t1x")
    assert list(store.list("t1")) == ["t1/a/x", "t1/b/x"]
    assert list(store.list("t1/")) == ["t1/a/x", "t1/b/x"]
    assert list(store.list("t1/b")) == ["t1/b/x"]
    assert list(store.list("")) == ["t1/a/x", "t1/b/x", "t10/a/x", "t1x"]


def test_a_listing_of_nothing_is_empty(store: ObjectStore) -> None:
    assert list(store.list("nobody")) == []
    assert list(store.list("")) == []


def test_an_object_is_not_listed_below_itself(store: ObjectStore) -> None:
    put_all(store, "t1/a")
    assert list(store.list("t1/a")) == []


@pytest.mark.parametrize("key", WRONG_KEYS)
def test_a_key_that_could_leave_its_place_is_refused_everywhere(store: ObjectStore, key: str) -> None:
    calls: list[Callable[[], object]] = [
        lambda: store.put(key, b"", content_type="text/plain"),
        lambda: store.get(key),
        lambda: store.exists(key),
        lambda: store.delete(key),
        lambda: store.url(key),
    ]
    for call in calls:
        with pytest.raises(Permanent) as caught:
            call()
        assert caught.value.reason == "invalid_key"


@pytest.mark.parametrize("prefix", ["..", "/", "a/../b", "a//b", ".incoming"])
def test_a_prefix_that_could_leave_its_place_is_refused(store: ObjectStore, prefix: str) -> None:
    with pytest.raises(Permanent):
        list(store.list(prefix))


def test_the_link_opens_the_object(store: ObjectStore) -> None:
    put_all(store, KEY)
    link = store.url(KEY)
    if link.startswith("file://"):
        assert Path(unquote(urlsplit(link).path)).read_bytes() == KEY.encode()
    else:
        reply = httpx2.get(link, trust_env=False)
        assert (reply.status_code, reply.content, reply.headers["content-type"]) == (200, KEY.encode(), "text/plain")


@pytest.mark.parametrize("wrong", ["", "/just/a/path", "ftp://host/path", "s3://", "file://elsewhere/path", "file:relative"])
def test_an_address_that_cannot_be_used_stops_the_start(wrong: str) -> None:
    with pytest.raises(SettingsError, match="ZIXLY_OBJECTS_URL"):
        open_object_store(wrong)
