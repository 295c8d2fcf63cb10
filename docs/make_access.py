"""Write the matrix of roles and routes in docs/access.md from the table in the code: `.venv/bin/python docs/make_access.py`.

A test compares the page with the table, so it never shows rights of yesterday.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from pydantic import SecretStr

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from webhook_bridge.app import create_app, parts_from  # noqa: E402 - found from the checkout
from webhook_bridge.guarding import served_routes  # noqa: E402
from webhook_bridge.permission_matrix import with_matrix  # noqa: E402
from zixly_core.settings import Settings  # noqa: E402

PAGE = ROOT / "docs" / "access.md"


def page_of_today() -> str:
    """The page with the matrix as the code has it. Nothing is connected."""
    url = SecretStr("postgresql://nobody@127.0.0.1:1/none")
    settings = Settings(database_url_intake=url, database_url_api=url, database_url_metrics=url, queue_url=SecretStr("memory://"))
    app = create_app(settings, replace(parts_from(settings), queues={}))
    return with_matrix(PAGE.read_text(), served_routes(app))


if __name__ == "__main__":
    PAGE.write_text(page_of_today())
