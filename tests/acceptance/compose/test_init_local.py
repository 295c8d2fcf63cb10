"""scripts/init-local as it is: the emulator of AWS comes up, Terraform makes queues and bucket in it, and the platform works on them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
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
    folder = tmp_path_factory.mktemp("checkout")
    terraform = Terraform.of("environments/local", scratch=folder)
    for entry in ROOT.iterdir():
        if entry.name not in NOT_LINKED:
            (folder / entry.name).symlink_to(entry)
    shutil.copytree(ROOT / "scripts", folder / "scripts")
    stack = ComposedStack(engine, ("COMPOSE_PROFILES=sandbox,aws-emulated",), project="emulated")
    try:
        engine.run(str(folder / "scripts" / "init-local"), seconds=UP_SECONDS + APPLY_SECONDS, **variables(stack, terraform))
        stack = ComposedStack(engine, tuple((folder / ".env").read_text().splitlines()), project=stack.project)
        stack.wait_until_well()
        yield stack
    finally:
        stack.down()


def variables(stack: ComposedStack, terraform: Terraform) -> dict[str, str]:
    """What a person's shell would have; instead of Docker there is what calls itself so beside this file."""
    commands = terraform.scratch / "commands"
    commands.mkdir()
    shutil.copy(Path(__file__).with_name("docker"), commands / "docker")
    return {
        **terraform.environment(),
        "PATH": f"{commands}:{PATH}",
        "SERVICES": " ".join(stack.services),
        "COMPOSE_PROJECT_NAME": stack.project,
        "COMPOSE_PROFILES": ",".join(sorted(stack.profiles)),
        "COMPOSE_HTTP_TIMEOUT": "300",
    }


def test_a_wake_up_goes_through_the_queue_that_terraform_made(emulated: ComposedStack) -> None:
    emulated.compose("stop", "daemon", seconds=60)
    emulated.send()
    emulated.wait_until(lambda: waiting(emulated) == 1, seconds=20, words=f"{QUEUE} holds the wake-up")
    emulated.compose("start", "daemon", seconds=60)
    emulated.wait_for_finished(1)
    emulated.wait_until(lambda: waiting(emulated) == 0, seconds=60, words=f"{QUEUE} is empty")


def test_a_document_lies_in_the_bucket_that_terraform_made(emulated: ComposedStack) -> None:
    """What a sweep found is stored as an object."""
    done = len(emulated.finished())
    emulated.send("trading-sweep")
    emulated.wait_for_finished(done + 1)
    assert asked(emulated, "s3", "list_objects_v2", Bucket=BUCKET)["KeyCount"] > 0


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
