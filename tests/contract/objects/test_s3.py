"""What only S3 has to stand: a bucket that is missing, a service that is away, rights that are missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.stub import Stubber

from tests.support.servers import REGION, AwsServer
from zixly_core.errors import Permanent, Transient
from zixly_core.object_store import ObjectStore
from zixly_core.objects import open_object_store
from zixly_core.objects.s3 import S3ObjectStore

pytestmark = [pytest.mark.contract, pytest.mark.usefixtures("aws_credentials")]

KEY = "tenant/job/document.pdf"


def calls_of(store: ObjectStore) -> list[Callable[[], object]]:
    return [
        lambda: store.put(KEY, b"", content_type="text/plain"),
        lambda: store.get(KEY),
        lambda: store.exists(KEY),
        lambda: store.delete(KEY),
        lambda: list(store.list("")),
    ]


@pytest.fixture
def client() -> Iterator[Any]:
    with closing(boto3.client("s3", region_name=REGION)) as made:
        yield made


def test_a_missing_bucket_needs_a_person_and_is_never_an_empty_one(aws_server: AwsServer) -> None:
    store = open_object_store(f"s3://nowhere-{uuid4().hex[:8]}?endpoint={aws_server.endpoint}&region={REGION}")
    for call in calls_of(store):
        with pytest.raises(Permanent, match="NoSuchBucket") as caught:
            call()
        assert caught.value.reason == "objects_refused"


def test_a_service_that_is_away_is_transient(own_aws: AwsServer) -> None:
    own_aws.stop()
    store = open_object_store(f"s3://bucket?endpoint={own_aws.endpoint}&region={REGION}")
    with pytest.raises(Transient) as caught:
        store.get(KEY)
    assert caught.value.reason == "objects_unavailable"


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("SlowDown", 503, Transient),
        ("InternalError", 500, Transient),
        ("RequestTimeout", 400, Transient),
        ("AccessDenied", 403, Permanent),
        ("InvalidAccessKeyId", 403, Permanent),
    ],
)
def test_an_answer_is_translated_by_whether_another_try_helps(client: Any, code: str, status: int, error: type[Exception]) -> None:
    store = S3ObjectStore(client, bucket="bucket")
    with Stubber(client) as stubber:
        stubber.add_client_error("get_object", service_error_code=code, http_status_code=status)
        with pytest.raises(error, match=code):
            store.get(KEY)


def test_a_listing_goes_over_pages(client: Any) -> None:
    store = S3ObjectStore(client, bucket="bucket", prefix="some/where")
    with Stubber(client) as stubber:
        asked = {"Bucket": "bucket", "Prefix": "some/where/tenant/"}
        first = {"Contents": [{"Key": "some/where/tenant/a"}], "IsTruncated": True, "NextContinuationToken": "next"}
        stubber.add_response("list_objects_v2", first, asked)
        second = {"Contents": [{"Key": "some/where/tenant/b"}], "IsTruncated": False}
        stubber.add_response("list_objects_v2", second, {**asked, "ContinuationToken": "next"})
        assert list(store.list("tenant")) == ["tenant/a", "tenant/b"]
