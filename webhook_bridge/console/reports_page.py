"""`/console/reports`: what the benchmark and the reliability tests measured, from their files."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from webhook_bridge.console.layout import render
from webhook_bridge.console.parts import ConsoleParts
from webhook_bridge.console.reports import KINDS, installed_version, reports_in
from webhook_bridge.signed_in import Caller


def reports_page_routes(parts: ConsoleParts) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    signed_in = Depends(parts.caller_of)

    @router.get("/console/reports")
    def reports(request: Request, caller: Caller = signed_in) -> Response:
        folder = parts.settings.reports_path
        kinds = [asdict(kind) | {"reports": reports_in(folder, kind)} for kind in KINDS]
        return render(request, caller, "reports", {"kinds": kinds, "version": installed_version()})

    return router
