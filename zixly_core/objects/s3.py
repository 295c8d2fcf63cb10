"""The object store in an S3 bucket. Versioning, encryption and lifecycle are the bucket's (Terraform), not ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from zixly_core.errors import ObjectNotFound, Permanent, Transient
from zixly_core.object_store import checked_key

CLIENT_CONFIG = Config(
    connect_timeout=3, read_timeout=20, retries={"total_max_attempts": 3, "mode": "standard"}, s3={"addressing_style": "path"}
)
LINK_SECONDS = 3_600
MISSING = {"NoSuchKey", "404", "NotFound"}
REFUSED = {"AccessDenied", "403", "NoSuchBucket", "InvalidAccessKeyId", "SignatureDoesNotMatch"}


class S3Store:
    """`ObjectStore` over boto3."""

    def __init__(self, client: Any, *, bucket: str, prefix: str = "") -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix + "/" if prefix else ""

    def put(self, key: str, data: bytes, *, content_type: str) -> None:
        with self._translated(key):
            self._client.put_object(Bucket=self._bucket, Key=self._key(key), Body=data, ContentType=content_type)

    def get(self, key: str) -> bytes:
        with self._translated(key):
            data: bytes = self._client.get_object(Bucket=self._bucket, Key=self._key(key))["Body"].read()
            return data

    def exists(self, key: str) -> bool:
        try:
            with self._translated(key):
                self._client.head_object(Bucket=self._bucket, Key=self._key(key))
        except ObjectNotFound:
            return False
        return True

    def delete(self, key: str) -> None:
        with self._translated(key):
            self._client.delete_object(Bucket=self._bucket, Key=self._key(key))

    def list(self, prefix: str) -> Iterator[str]:
        with self._translated(prefix):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix + prefix)
            for page in pages:
                for item in page.get("Contents", []):
                    yield item["Key"].removeprefix(self._prefix)

    def url(self, key: str) -> str:
        parameters = {"Bucket": self._bucket, "Key": self._key(key)}
        link: str = self._client.generate_presigned_url("get_object", Params=parameters, ExpiresIn=LINK_SECONDS)
        return link

    def _key(self, key: str) -> str:
        return self._prefix + checked_key(key)

    @contextmanager
    def _translated(self, key: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in MISSING:
                raise ObjectNotFound(f"There is no object {key} in bucket {self._bucket}.") from error
            if code in REFUSED:
                raise Permanent(
                    f"Bucket {self._bucket} refused {key} ({code}); check its name and our rights.", reason="object_store"
                ) from error
            raise Transient(f"Bucket {self._bucket} could not serve {key} ({code}).", reason="object_store") from error
        except BotoCoreError as error:
            raise Transient(
                f"Bucket {self._bucket} could not be reached for {key} ({type(error).__name__}).", reason="object_store"
            ) from error
