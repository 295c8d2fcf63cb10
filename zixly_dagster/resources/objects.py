"""The object store: a folder, or a bucket through dagster-aws; a URL decides."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from dagster import ConfigurableResource
from pydantic import Field

from zixly_core.object_store import ObjectStore
from zixly_core.objects import open_object_store


class ObjectsResource(ConfigurableResource[None]):
    """Keeps documents under `{tenant}/{job}/` and reports under `{tenant}/batches/{batch}/`."""

    url: str = Field(description="file:///folder or s3://bucket/prefix?endpoint=...&region=...")

    def store(self) -> ObjectStore:
        """The object store of the URL. For S3 the client is dagster-aws's, so that profiles and roles work as everywhere in Dagster."""
        parts = urlsplit(self.url)
        if parts.scheme != "s3":
            return open_object_store(self.url)
        from dagster_aws.s3 import S3Resource  # noqa: PLC0415 - loads boto3, 15 MB that a process without a bucket is spared

        query = parse_qs(parts.query)
        s3 = S3Resource(
            endpoint_url=query.get("endpoint", [None])[0], region_name=query.get("region", [None])[0], use_unsigned_session=False
        )
        return open_object_store(self.url, client=s3.get_client())
