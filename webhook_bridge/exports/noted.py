"""What the audit log tells of an export: a line before anything goes out (who, which list, by which questions), and one when it is
over (how many rows). Both bear the id of the request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any

import anyio
import structlog

from webhook_bridge.exports.formats import ExportFormat
from webhook_bridge.exports.listing import Asked
from zixly_core.errors import StoreUnavailable
from zixly_core.requester import Requester, requested_by, requester
from zixly_core.stores.audit import note

log = structlog.get_logger()
LONGEST_ANSWER = 200


@dataclass(frozen=True)
class NotedExport:
    """An export that is under way."""

    asked: Asked[Any]
    name: str
    by: Requester

    @classmethod
    def begin(cls, asked: Asked[Any], name: str, form: ExportFormat) -> NotedExport:
        """Raises `StoreUnavailable`: what cannot be noted is not handed out."""
        noted = cls(asked, name, requester())
        noted._note("export.begin", {"format": form.value, "filter": questions_of(asked.wanted)})
        return noted

    async def end(self, *, rows: int, is_whole: bool) -> None:
        """To be waited for also when the request is being given up."""
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(self._end, rows, is_whole)

    def _end(self, rows: int, is_whole: bool) -> None:
        try:
            self._note("export.end", {"rows": rows, "is_whole": is_whole})
        except StoreUnavailable:
            log.warning("export_end_not_noted", list=self.name, rows=rows)

    def _note(self, action: str, details: Mapping[str, Any]) -> None:
        with requested_by(self.by), self.asked.transaction() as connection:
            note(connection, actor=self.asked.caller.name, action=action, subject=self.name, details=details)


def questions_of(wanted: object) -> dict[str, str]:
    """The answered questions, as the log may keep them: never what could be an e-mail address."""
    asked = asdict(wanted) if is_dataclass(wanted) and not isinstance(wanted, type) else {"tenant": wanted}
    return {name: kept(str(value)) for name, value in asked.items() if value is not None}


def kept(answer: str) -> str:
    return "..." if "@" in answer else answer[:LONGEST_ANSWER]
