"""Backfills of the UI's dialog carry who launched them: their runs are made later by the daemon, which has no request to ask."""

from __future__ import annotations

from dagster import DagsterInstance
from dagster import __version__ as dagster_version
from starlette.requests import HTTPConnection

from zixly_dagster.instance.gateway_user import gateway_user, user_tags
from zixly_dagster.instance.webserver_names import WorkspaceLoadTarget, WorkspaceProcessContext, WorkspaceRequestContext


class SignedInRequest(WorkspaceRequestContext):
    """A request whose backfills get `tags`, in the place of tags of the same names that it brought itself."""

    tags: dict[str, str]

    def get_viewer_tags(self) -> dict[str, str]:
        return self.tags


class SignedInProcess(WorkspaceProcessContext):
    """Dagster's workspace for a webserver; each request is asked who makes it."""

    def __init__(self, instance: DagsterInstance, target: WorkspaceLoadTarget, *, is_read_only: bool, trusts_gateway: bool) -> None:
        self._trusts_gateway = trusts_gateway
        super().__init__(instance, workspace_load_target=target, version=dagster_version, read_only=is_read_only)

    def create_request_context(self, source: object | None = None) -> WorkspaceRequestContext:
        stock = super().create_request_context(source)
        user = gateway_user(source.headers, is_trusted=self._trusts_gateway) if isinstance(source, HTTPConnection) else None
        made = SignedInRequest(
            instance=stock.instance,
            current_workspace=stock.get_current_workspace(),
            process_context=self,
            version=stock.version,
            source=source,
            read_only=stock.read_only,
        )
        made.tags = user_tags(user)
        return made
