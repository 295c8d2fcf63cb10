"""The emulator of AWS Secrets Manager, as settings and tokens use it."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from tests.support.servers import REGION, AwsServer
from zixly_core import secret_references
from zixly_core.errors import SettingsError, Transient
from zixly_core.ids import new_id
from zixly_core.secret_references import SecretReferences
from zixly_core.secrets.managed_tokens import ManagedTokens
from zixly_core.secrets.manager import SecretsManager
from zixly_core.secrets.vaults import open_vault
from zixly_core.settings import Settings

pytestmark = pytest.mark.contract


@pytest.fixture
def manager(aws_server: AwsServer, aws_credentials: None, monkeypatch: pytest.MonkeyPatch) -> SecretsManager:
    monkeypatch.setattr(secret_references, "references", SecretReferences())
    return SecretsManager.at(region=REGION, endpoint=aws_server.endpoint)


def reference(server: AwsServer, name: str, *, key: str = "client_secret") -> SecretStr:
    return SecretStr(f"secretsmanager://{name}?region={REGION}&endpoint={server.endpoint}#{key}")


def test_a_setting_is_read_and_follows_a_rotation(manager: SecretsManager, aws_server: AwsServer) -> None:
    name = f"test/{new_id()}"
    manager.put(name, '{"client_secret": "first"}')
    settings = Settings(xero_client_secret=reference(aws_server, name))
    assert settings.required("xero_client_secret") == "first"
    manager.put(name, '{"client_secret": "second"}')
    assert settings.reread("xero_client_secret") == "second"
    assert settings.xero_client_secret is not None
    assert settings.xero_client_secret.accepted_values() == ("second", "first")


def test_a_secret_that_does_not_exist_stops_the_start_with_its_name(manager: SecretsManager, aws_server: AwsServer) -> None:
    with pytest.raises(SettingsError, match="test/none"):
        Settings(xero_client_secret=reference(aws_server, "test/none")).required("xero_client_secret")


def test_versions_stay_what_they_were(manager: SecretsManager) -> None:
    name = f"test/{new_id()}"
    first, second = manager.put(name, "one"), manager.put(name, "two")
    assert (manager.at_version(name, version=first), manager.at_version(name, version=second)) == ("one", "two")
    assert (manager.staged(name), manager.staged(name, stage="AWSPREVIOUS")) == ("two", "one")
    assert manager.at_version(name, version=str(new_id())) is None


def test_a_manager_that_is_away_is_transient(aws_credentials: None) -> None:
    with pytest.raises(Transient) as failure:
        SecretsManager.at(region=REGION, endpoint="http://127.0.0.1:9").staged("test/x")
    assert failure.value.reason == "secrets_unavailable"


def test_the_url_of_the_tokens_chooses_where_they_are_kept(manager: SecretsManager, aws_server: AwsServer) -> None:
    url = f"secretsmanager://zixly/tokens?endpoint={aws_server.endpoint}&region={REGION}"
    assert isinstance(open_vault(Settings(tokens_url=url, secrets_key=None)), ManagedTokens)
    for wrong in ("redis://x", "secretsmanager://", ""):
        with pytest.raises(SettingsError, match="ZIXLY_TOKENS_URL"):
            open_vault(Settings(tokens_url=wrong))
