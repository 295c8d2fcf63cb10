"""Objects in a bucket of S3, below an optional prefix. The bucket is made by Terraform."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

from zixly_core.aws import AwsAddress, aws_client, translated
from zixly_core.errors import ObjectNotFound, Permanent, SettingsError, Transient
from zixly_core.object_store import ObjectStore, checked_key, folder_of

READ_TIMEOUT_SECONDS = 30
URL_LIFETIME = timedelta(hours=1)


class S3ObjectStore:
    """`ObjectStore` with a boto3 client, which may be shared between threads.

    Without the right to list the bucket S3 answers 403 for a missing object; that is raised, not taken for an absence.
    """

    def __init__(self, client: Any, *, bucket: str, prefix: str = "") -> None:
        self._client = client
        self._bucket = bucket
        self._folder = folder_of(prefix)

    def __repr__(self) -> str:
        return f"S3ObjectStore(bucket={self._bucket!r}, folder={self._folder!r})"

    def put(self, key: str, data: bytes, *, content_type: str) -> None:
        with self._translated("put", key):
            self._client.put_object(**self._address(key), Body=data, ContentType=content_type)

    def get(self, key: str) -> bytes:
        with self._translated("get", key):
            try:
                reply = self._client.get_object(**self._address(key))
            except self._client.exceptions.NoSuchKey as error:
                raise ObjectNotFound(f"There is no object {key}.") from error
            with reply["Body"] as body:
                data: bytes = body.read()
                return data

    def exists(self, key: str) -> bool:
        """Asked as a listing, where the key itself comes first: a HEAD's 404 may also mean that the bucket is missing."""
        address = self._address(key)
        with self._translated("look for", key):
            reply = self._client.list_objects_v2(Bucket=address["Bucket"], Prefix=address["Key"], MaxKeys=1)
        return any(entry["Key"] == address["Key"] for entry in reply.get("Contents", []))

    def delete(self, key: str) -> None:
        with self._translated("delete", key):
            self._client.delete_object(**self._address(key))

    def list(self, prefix: str) -> Iterator[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._folder + folder_of(prefix))
        with self._translated("list", prefix):
            for page in pages:
                for entry in page.get("Contents", []):
                    yield str(entry["Key"]).removeprefix(self._folder)

    def url(self, key: str) -> str:
        with self._translated("link to", key):
            link: str = self._client.generate_presigned_url(
                "get_object", Params=self._address(key), ExpiresIn=int(URL_LIFETIME.total_seconds())
            )
        return link

    def _address(self, key: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._folder + checked_key(key)}

    def _translated(self, doing: str, key: str) -> AbstractContextManager[None]:
        return translated(f"{doing} object {key} in bucket {self._bucket}", unavailable=Transient, reason="objects")


def open_from_url(url: str, *, client: Any = None) -> ObjectStore:
    """`s3://bucket/prefix`, with `region=` and `endpoint=` (of an emulator) for the client that is made when none is given."""
    address = AwsAddress.of(url, setting="ZIXLY_OBJECTS_URL")
    if not address.host:
        raise SettingsError("ZIXLY_OBJECTS_URL must name a bucket, as in s3://bucket/prefix")
    made = client or aws_client(
        "s3",
        region=address.options.get("region"),
        endpoint=address.options.get("endpoint"),
        read_timeout_seconds=READ_TIMEOUT_SECONDS,
    )
    try:
        return S3ObjectStore(made, bucket=address.host, prefix=address.path)
    except Permanent as error:
        raise SettingsError(f"ZIXLY_OBJECTS_URL has a prefix that cannot be used: {error}") from None
