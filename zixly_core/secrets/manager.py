"""AWS Secrets Manager as this platform uses it: values read by stage or by version, and new versions written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from zixly_core.aws import aws_client, error_code, translated
from zixly_core.errors import Transient

READ_TIMEOUT_SECONDS = 10
CURRENT = "AWSCURRENT"
PREVIOUS = "AWSPREVIOUS"


@dataclass(frozen=True)
class SecretsManager:
    """Calls of one region or emulator. Safe to share between threads."""

    client: Any

    @classmethod
    def at(cls, *, region: str | None, endpoint: str | None) -> SecretsManager:
        return cls(aws_client("secretsmanager", region=region, endpoint=endpoint, read_timeout_seconds=READ_TIMEOUT_SECONDS))

    def staged(self, name: str, *, stage: str = CURRENT) -> str | None:
        """The text of a secret at a stage (docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html); None when the
        secret has no such stage or does not exist. Raises `Transient` or `Permanent`."""
        return self._text(name, VersionStage=stage)

    def at_version(self, name: str, *, version: str) -> str | None:
        """The text of one version; None when it does not exist. Raises as `staged`."""
        return self._text(name, VersionId=version)

    def put(self, name: str, text: str) -> str:
        """Write a new version of a secret, which is made when it does not exist; its id, which no other version ever has. Raises as
        `staged`."""
        with translated(f"write the secret {name}", unavailable=Transient, reason="secrets"):
            try:
                answer = self.client.put_secret_value(SecretId=name, SecretString=text)
            except ClientError as error:
                if error_code(error) != "ResourceNotFoundException":
                    raise
                answer = self.client.create_secret(Name=name, SecretString=text)
        version: str = answer["VersionId"]
        return version

    def delete(self, name: str) -> None:
        """Remove a secret at once; one that does not exist is no failure. Raises as `staged`."""
        with translated(f"delete the secret {name}", unavailable=Transient, reason="secrets"):
            try:
                self.client.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
            except ClientError as error:
                if error_code(error) != "ResourceNotFoundException":
                    raise

    def _text(self, name: str, **which: str) -> str | None:
        with translated(f"read the secret {name}", unavailable=Transient, reason="secrets"):
            try:
                answer = self.client.get_secret_value(SecretId=name, **which)
            except ClientError as error:
                if error_code(error) != "ResourceNotFoundException":
                    raise
                return None
        text: str = answer["SecretString"]
        return text
