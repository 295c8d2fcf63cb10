"""scripts/init-local as it is: the emulator of AWS comes up, Terraform makes queues and bucket in it, and the platform works on them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.acceptance.compose.composed import UP_SECONDS, ComposedStack
from tests.acceptance.compose.engine import PATH, Engine
from tests.support.terraform import Terraform
from zixly_cli.settings import ROOT

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600, func_only=True)]
EMULATOR, REGION = "http://127.0.0.1:4566", "ap-southeast-2"
QUEUE, BUCKET = "zixly-local-xero", "zixly-local-objects"
# The provider waits 25 s for a queue and 55 s for a lifecycle until it believes what it reads.
APPLY_SECONDS = 300.0
# What the test makes anew or must not touch: Terraform writes beside its sources, the script beside itself.
NOT_LINKED = {"terraform", "scripts", ".env", ".git"}


@pytest.fixture(scope="module")
def emulated(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposedStack]:
    terraform = Terraform.of("environments/local", scratch=checkout_in(engine.folder / "checkout"))
    folder = terraform.scratch
    stack = ComposedStack(engine, ("COMPOSE_PROFILES=sandbox,aws-emulated",), project="emulated")
    try:
        engine.run(str(folder / "scripts" / "init-local"), seconds=UP_SECONDS + APPLY_SECONDS, **variables(stack, terraform))
        stack = replace(stack, settings=tuple((folder / ".env").read_text().splitlines()))
        stack.wait_until_well()
        yield stack
    finally:
        stack.down()


def checkout_in(folder: Path) -> Path:
    """The checkout as it is, for whom the script writes in."""
    folder.mkdir()
    for entry in ROOT.iterdir():
        if entry.name not in NOT_LINKED:
            (folder / entry.name).symlink_to(entry)
    shutil.copytree(ROOT / "scripts", folder / "scripts")
    return folder


def variables(stack: ComposedStack, terraform: Terraform) -> dict[str, str]:
    """What a person's shell would have; instead of Docker there is what calls itself so beside this file."""
    commands = stack.engine.folder / "commands"
    commands.mkdir()
    shutil.copy(Path(__file__).with_name("docker"), commands)
    _, override = stack.files
    return {
        **terraform.environment(),
        "PATH": f"{commands}:{PATH}",
        "SERVICES": " ".join(stack.services),
        "COMPOSE_FILE": f"docker-compose.yml:{override}",
        "COMPOSE_PROJECT_NAME": stack.project,
        "COMPOSE_HTTP_TIMEOUT": "300",
    }


def test_a_wake_up_goes_through_the_queue_that_terraform_made(emulated: ComposedStack) -> None:
    """The code server is stopped too: a sensor's question that was under way had taken the message."""
    emulated.compose("stop", "daemon", "code", seconds=60)
    emulated.send()
    emulated.wait_until(lambda: waiting(emulated) == 1, seconds=20, words=f"{QUEUE} holds the wake-up")
    emulated.compose("start", "code", "daemon", seconds=UP_SECONDS)
    emulated.wait_for_finished(1)
    emulated.wait_until(lambda: waiting(emulated) == 0, seconds=60, words=f"{QUEUE} is empty")


def test_the_report_of_its_batch_lies_in_the_bucket_that_terraform_made(emulated: ComposedStack) -> None:
    emulated.wait_for_finished(1)
    (job,) = emulated.jobs()
    (stored,) = asked(emulated, "s3", "list_objects_v2", Bucket=BUCKET)["Contents"]
    assert stored["Key"].endswith("/report.json")
    body = asked(emulated, "s3", "get_object", Bucket=BUCKET, Key=stored["Key"])["Body"]
    assert job["id"] in emulated.engine.inside(body.read).decode()


def waiting(stack: ComposedStack) -> int:
    """Messages in the queue, in anybody's hands or none's."""
    url = asked(stack, "sqs", "get_queue_url", QueueName=QUEUE)["QueueUrl"]
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = asked(stack, "sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)


def asked(stack: ComposedStack, service: str, question: str, **about: Any) -> dict[str, Any]:
    """What the emulator answers, asked from inside the network."""
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    client = boto3.client(service, region_name=REGION, endpoint_url=EMULATOR, **keys)
    answer: dict[str, Any] = stack.engine.inside(lambda: getattr(client, question)(**about))
    return answer
