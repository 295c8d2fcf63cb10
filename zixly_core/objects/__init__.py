"""The object store's back ends, chosen by the scheme of a URL."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import boto3

from zixly_core.errors import SettingsError
from zixly_core.object_store import ObjectStore
from zixly_core.objects.folder import FolderStore
from zixly_core.objects.s3 import CLIENT_CONFIG, S3Store


def open_object_store(url: str, *, client: Any = None) -> ObjectStore:
    """`file:///folder`, or `s3://bucket/prefix?endpoint=...&region=...`, for which a boto3 client may be given."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return FolderStore(Path(unquote(parts.path)))
    if parts.scheme == "s3":
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        made = client or boto3.client("s3", endpoint_url=query.get("endpoint"), region_name=query.get("region"), config=CLIENT_CONFIG)
        return S3Store(made, bucket=parts.netloc, prefix=parts.path.strip("/"))
    raise SettingsError(f"ZIXLY_OBJECTS_URL begins with {parts.scheme or 'nothing'}://; known are file and s3.")
