"""What the AWS back ends share: clients with short timeouts, and what a failed call means.

Credentials come from AWS's own chain (environment, profile, role), never from our settings.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    InvalidRegionError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
)

from zixly_core.errors import Permanent, SettingsError, Transient
from zixly_core.setting_addresses import parts_of

CONNECT_TIMEOUT_SECONDS = 1

# Answers that pass by themselves although their status is 4xx
# (docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html,
# docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html).
PASSING_CODES = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "OperationAborted",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestTimeout",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
    }
)
# Failures before anything was sent that only a person can mend.
SET_UP_ERRORS = (NoCredentialsError, PartialCredentialsError, ProfileNotFound, ParamValidationError)


@dataclass(frozen=True)
class AwsAddress:
    """A URL such as `s3://bucket/prefix?endpoint=http://127.0.0.1:4566&region=eu-west-1`; `endpoint` and `region` may be missing."""

    host: str
    path: str
    options: dict[str, str]

    @classmethod
    def of(cls, url: str, *, setting: str) -> AwsAddress:
        """Raises `SettingsError`."""
        parts = parts_of(url, setting=setting)
        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        return cls(host=parts.netloc, path=parts.path.strip("/"), options=options)


def aws_client(service: str, *, region: str | None, endpoint: str | None, read_timeout_seconds: int) -> Any:
    """A boto3 client, safe to share between threads. An emulator (`endpoint`) gets its buckets in the path, since it has no host names.
    Raises `SettingsError`."""
    config = Config(
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=read_timeout_seconds,
        retries={"mode": "standard", "total_max_attempts": 2},
        s3={"addressing_style": "path"} if endpoint else None,
    )
    # A session of its own: boto3's default one is not safe to make clients with from several threads.
    try:
        return boto3.session.Session().client(service, region_name=region, endpoint_url=endpoint, config=config)
    except (ValueError, InvalidRegionError, NoRegionError):
        text = f"The address of AWS' {service} is wrong: region=eu-west-1 and, for an emulator, endpoint=http://HOST:PORT are its options"
        raise SettingsError(text) from None


@contextmanager
def translated(doing: str, *, unavailable: type[Transient], reason: str) -> Iterator[None]:
    """Raise boto3's errors as `unavailable` (another try helps) or `Permanent` (a person has to do something).

    The error's reason is `{reason}_unavailable` or `{reason}_refused`.
    """
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        word = error_code(error)
        if is_passing(error):
            raise unavailable(f"AWS could not {doing} ({word}); it is tried again by itself.", reason=f"{reason}_unavailable") from error
        text = f"AWS refused to {doing} ({word}); check the address, the credentials and their rights."
        raise Permanent(text, reason=f"{reason}_refused") from error


def is_passing(error: ClientError | BotoCoreError) -> bool:
    """Whether another try may help: the network, a 5xx, throttling."""
    if isinstance(error, ClientError):
        return status_of(error) >= 500 or status_of(error) == 429 or error_code(error) in PASSING_CODES
    return not isinstance(error, SET_UP_ERRORS)


def error_code(error: ClientError | BotoCoreError) -> str:
    """AWS's machine word, or the kind of error when there was no answer."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "unknown"))
    return type(error).__name__


def status_of(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
