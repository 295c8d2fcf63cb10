"""`python -m zixly_cli.containers.migrate`: the service `migrate`, which brings roles, databases and tables up to date and ends."""

from __future__ import annotations

import os
import sys
import threading

from zixly_cli.containers.places import ContainerPlan, plan_of
from zixly_cli.containers.prepare import PROFILES
from zixly_cli.seed import Sender, seed_demo
from zixly_cli.stack.postgres import wait_until_ready
from zixly_cli.stack.setup_steps import make_databases, run_setup
from zixly_core.errors import SettingsError, ZixlyError
from zixly_core.migrate import migrate

# A first start makes the data folder.
POSTGRES_SECONDS = 60.0


def main() -> int:
    try:
        bring_up_to_date(plan_of(os.environ, profiles=os.environ.get(PROFILES, "")))
    except ZixlyError as error:
        sys.stderr.write(f"migrate: {error}\n")
        return 2 if isinstance(error, SettingsError) else 1
    sys.stdout.write("migrate: databases and tables are up to date\n")
    return 0


def bring_up_to_date(plan: ContainerPlan) -> None:
    """Safe to repeat. With the sandbox the demo tenants are written too. Raises `ZixlyError`."""
    wait_until_ready(plan.urls.admin, timeout_seconds=POSTGRES_SECONDS)
    make_databases(plan)
    migrate(plan.urls.owner)
    run_setup(plan, ("dagster-migrate", "zixly_dagster.instance.migrate"), ("register", "zixly_dagster.register"), stop=threading.Event())
    if plan.has_sandbox:
        sender = Sender(plan.secrets.callback_token, plan.secrets.callback_secret)
        seed_demo(plan.urls.owner, key_file=plan.home.key_file, sender=sender)


if __name__ == "__main__":
    sys.exit(main())
