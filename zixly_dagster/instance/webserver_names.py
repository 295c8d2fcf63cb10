"""What of ours hangs on names of Dagster's webserver: as `private_names.py`, but loaded by the webserver alone, since it is large.

`tests/unit/instance/test_private_names.py` looks after both.
"""

from __future__ import annotations

from dagster._cli.workspace.cli_target import workspace_opts_to_load_target
from dagster._core.workspace.context import WorkspaceProcessContext, WorkspaceRequestContext
from dagster._core.workspace.load_target import WorkspaceLoadTarget
from dagster_shared.cli import WorkspaceOpts
from dagster_webserver.webserver import DagsterWebserver

__all__ = ["DagsterWebserver", "WorkspaceLoadTarget", "WorkspaceProcessContext", "WorkspaceRequestContext", "workspace_of"]


def workspace_of(file: str) -> WorkspaceLoadTarget:
    """The code locations of a workspace file."""
    return workspace_opts_to_load_target(WorkspaceOpts(workspace=(file,)))
