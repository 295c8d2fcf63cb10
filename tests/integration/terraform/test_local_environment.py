"""The local environment applied to an emulator, and our own back ends on what Terraform made there.

The provider waits about 25 s for each queue and 55 s for a lifecycle until it believes what it reads, so this takes minutes, nearly all
of them waiting; one apply serves every test.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import boto3
import pytest

from tests.support.made_elsewhere import MadeElsewhere
from tests.support.servers import ROOT, AwsServer, require_ministack
from tests.support.terraform import Terraform, require_terraform
from zixly_core.systems import SYSTEMS

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

REGION, PREFIX = "ap-southeast-2", "zixly-test"
# One for each test of the suite of queues and one more; two queues each, made side by side.
NAMES = tuple(f"suite-{number:02}" for number in range(20))
SIDE_BY_SIDE = "-parallelism=100"
KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


@dataclass(frozen=True)
class Applied:
    """What `terraform apply` left."""

    terraform: Terraform
    server: AwsServer
    outputs: dict[str, Any]

    def client(self, service: str) -> Any:
        return boto3.client(service, region_name=REGION, endpoint_url=self.server.endpoint, **KEYS)

    @property
    def made(self) -> MadeElsewhere:
        return MadeElsewhere(self.server.endpoint, REGION, PREFIX, NAMES, f"{PREFIX}-objects")


class Environment:
    """Applied by whichever test comes first, and again after it was destroyed: where two processes share these tests out, any may be the
    last of one of them."""

    def __init__(self, terraform: Terraform, server: AwsServer) -> None:
        self.terraform = terraform
        self._server = server
        self._applied: Applied | None = None

    def applied(self) -> Applied:
        if self._applied is None:
            self.terraform.run("apply", "-auto-approve", "-input=false", "-no-color", SIDE_BY_SIDE)
            self._applied = Applied(self.terraform, self._server, self.terraform.outputs())
        return self._applied

    def destroy(self) -> None:
        self._applied = None
        self.terraform.run("destroy", "-auto-approve", "-input=false", "-no-color", SIDE_BY_SIDE)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    require_terraform()
    require_ministack()
    server = AwsServer(tmp_path_factory.mktemp("aws"), region=REGION)
    server.start()
    try:
        terraform = Terraform.of(
            "environments/local", scratch=tmp_path_factory.mktemp("terraform"), endpoint=server.endpoint, prefix=PREFIX, systems=NAMES
        )
        terraform.init()
        yield Environment(terraform, server)
    finally:
        server.stop()


@pytest.fixture
def applied(environment: Environment) -> Applied:
    return environment.applied()


def test_the_queues_are_those_of_the_systems() -> None:
    text = (ROOT / "terraform" / "environments" / "local" / "variables.tf").read_text()
    assert f"default     = {str(sorted(SYSTEMS)).replace(chr(39), chr(34))}" in text


def test_nothing_is_left_to_change_after_an_apply(applied: Applied) -> None:
    applied.terraform.run("plan", "-detailed-exitcode", "-input=false", "-no-color", SIDE_BY_SIDE)


def test_our_queue_keeps_its_promises_on_them(applied: Applied, tmp_path: Path) -> None:
    assert suite(applied, "tests/contract/queues/test_queue.py", chosen="sqs", report=tmp_path / "queues.xml") == 19


def test_our_object_store_keeps_its_promises_on_them(applied: Applied, tmp_path: Path) -> None:
    assert suite(applied, "tests/contract/objects/test_object_store.py", chosen="s3-with-prefix", report=tmp_path / "objects.xml") >= 15


def suite(applied: Applied, file: str, *, chosen: str, report: Path) -> int:
    """How many tests passed; every one that was chosen must."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", file, "-k", chosen, f"--junitxml={report}"],
        cwd=ROOT,
        env={**os.environ, **applied.made.variables()},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    found = ET.parse(report).getroot().find("testsuite")  # noqa: S314 - pytest wrote it a moment ago
    assert found is not None
    counts = {name: int(found.get(name, "0")) for name in ("tests", "skipped", "errors", "failures")}
    assert counts["skipped"] == counts["errors"] == counts["failures"] == 0
    return counts["tests"]


def test_a_dead_letter_queue_takes_from_its_own_queue_only(applied: Applied) -> None:
    with closing(applied.client("sqs")) as sqs:
        url = sqs.get_queue_url(QueueName=f"{PREFIX}-{NAMES[0]}-dead")["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert "byQueue" in attributes["RedriveAllowPolicy"]
    assert f"{PREFIX}-{NAMES[0]}" in attributes["RedriveAllowPolicy"]
    assert '"aws:SecureTransport"' in attributes["Policy"]
    assert attributes["MessageRetentionPeriod"] == str(14 * 86_400)


def test_the_bucket_is_closed_encrypted_versioned_and_cleared_in_time(applied: Applied) -> None:
    bucket = {"Bucket": applied.made.bucket}
    with closing(applied.client("s3")) as s3:
        assert s3.get_bucket_versioning(**bucket)["Status"] == "Enabled"
        assert all(s3.get_public_access_block(**bucket)["PublicAccessBlockConfiguration"].values())
        encryption = s3.get_bucket_encryption(**bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
        assert encryption["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
        rule = s3.get_bucket_lifecycle_configuration(**bucket)["Rules"][0]
    assert rule["Transitions"] == [{"Days": 90, "StorageClass": "GLACIER_IR"}]
    assert rule["Expiration"]["Days"] == 7 * 365 + 2


def test_settings_name_what_was_made(applied: Applied) -> None:
    assert applied.outputs["queue_url"] == applied.made.queue_url
    assert applied.outputs["objects_url"].startswith(f"s3://{applied.made.bucket}?")
    with closing(applied.client("secretsmanager")) as manager:
        names = {one["Name"] for one in manager.list_secrets()["SecretList"]}
    assert names == {f"{PREFIX}/secrets-key", f"{PREFIX}/vendor-apps"}
    assert {reference.removeprefix("secretsmanager://").partition("?")[0] for reference in applied.outputs["secrets"].values()} == names


def test_everything_goes_again_with_what_is_in_it(environment: Environment, applied: Applied) -> None:
    """Last, as a rule: the bucket holds objects, versions and delete markers of the suite by then."""
    environment.destroy()
    with closing(applied.client("sqs")) as sqs, closing(applied.client("s3")) as s3:
        assert sqs.list_queues().get("QueueUrls", []) == []
        assert s3.list_buckets()["Buckets"] == []
