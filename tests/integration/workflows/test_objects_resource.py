"""The object store as ops get it: a folder, or a bucket through dagster-aws's client."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import boto3
import pytest

from tests.support.servers import REGION, AwsServer
from zixly_dagster.resources.objects import ObjectsResource


def test_a_folder_is_opened_by_its_url(tmp_path: Path) -> None:
    ObjectsResource(url=f"file://{tmp_path}").store().put("tenant/batches/b/report.json", b"{}", content_type="application/json")
    assert (tmp_path / "tenant" / "batches" / "b" / "report.json").read_bytes() == b"{}"


@pytest.mark.usefixtures("aws_credentials")
def test_a_bucket_is_reached_through_the_client_of_dagster_aws(aws_server: AwsServer) -> None:
    bucket = f"test-{uuid4().hex[:12]}"
    client = boto3.client("s3", region_name=REGION, endpoint_url=aws_server.endpoint)
    client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    resource = ObjectsResource(url=f"s3://{bucket}/zixly?endpoint={aws_server.endpoint}&region={REGION}")
    resource.store().put("tenant/job/document.pdf", b"%PDF-1.7", content_type="application/pdf")
    kept = client.get_object(Bucket=bucket, Key="zixly/tenant/job/document.pdf")
    assert (kept["Body"].read(), kept["ContentType"]) == (b"%PDF-1.7", "application/pdf")
    client.close()
