"""Where the parts of one stack are, with passwords where they need them."""

from __future__ import annotations

from urllib.parse import quote

from zixly_cli.settings import StackSettings
from zixly_cli.stack.databases import DAGSTER, OWNER
from zixly_cli.stack.postgres import SUPERUSER
from zixly_cli.stack.stack_secrets import StackSecrets

# Where the gateway shows the Dagster UI (deploy/gateway).
GATEWAY_PATH = "/dagster"


class Addresses:
    """URLs of one stack. Those of Postgres and Valkey hold passwords: never print them."""

    def __init__(self, settings: StackSettings, secrets: StackSecrets) -> None:
        self._settings = settings
        self.secrets = secrets

    def host_of(self, part: str) -> str:
        """Where a part listens."""
        return "127.0.0.1"

    def database(self, user: str, *, name: str = "zixly", driver: str = "postgresql") -> str:
        password = quote(self.secrets.postgres[user], safe="")
        return f"{driver}://{user}:{password}@{self.host_of('postgres')}:{self._settings.postgres_port}/{name}"

    @property
    def admin(self) -> str:
        return self.database(SUPERUSER, name="postgres")

    @property
    def owner(self) -> str:
        return self.database(OWNER)

    @property
    def dagster(self) -> str:
        return self.database(DAGSTER, name="dagster")

    def valkey(self, number: int) -> str:
        return f"redis://:{quote(self.secrets.valkey, safe='')}@{self.host_of('valkey')}:{self._settings.valkey_port}/{number}"

    @property
    def queue(self) -> str:
        return self.valkey(0)

    @property
    def broker(self) -> str:
        return self.valkey(1)

    @property
    def bridge(self) -> str:
        return f"http://{self.host_of('bridge')}:{self._settings.bridge_port}"

    @property
    def public(self) -> str:
        """Where people and vendors know the bridge: the gateway's name, where one stands in front."""
        return (self._settings.bridge_public_url or self.bridge).rstrip("/")

    @property
    def webserver(self) -> str:
        """The Dagster UI: below a path where people sign in, since there the gateway's is the same."""
        return f"http://{self.host_of('webserver')}:{self._settings.webserver_port}{self.webserver_path}"

    @property
    def viewer_webserver(self) -> str:
        return f"http://{self.host_of('viewer-webserver')}:{self._settings.viewer_webserver_port}{self.webserver_path}"

    @property
    def public_webserver(self) -> str:
        """Where people know the Dagster UI. The gateway shows it to those who signed in."""
        is_behind = self._settings.bridge_public_url is not None and self._settings.people_sign_in
        return f"{self.public}{GATEWAY_PATH}" if is_behind else self.webserver

    @property
    def webserver_path(self) -> str:
        return GATEWAY_PATH if self._settings.people_sign_in else ""

    @property
    def sandbox(self) -> str:
        return f"http://{self.host_of('sandbox')}:{self._settings.sandbox_port}"
