"""Errors within the console as pages that say what to do next. Programs get the same problems as from the API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from starlette.responses import RedirectResponse, Response

from webhook_bridge.console.layout import render
from webhook_bridge.problems import MEDIA_TYPE, Problem

HEADINGS: Mapping[int, tuple[str, str]] = {
    400: ("This cannot be done as it was asked for", "Go back and change what you asked for."),
    401: ("Not signed in", "Sign in; programs send their token with each request."),
    403: ("Not yours to see or do", "Ask an administrator for what is missing, or sign in as somebody else."),
    404: ("There is no such thing here", "It may be another tenant's, or older than what is kept. The lists show what is there."),
    405: ("Not to be opened", "This address takes forms only. Go to one of the pages."),
    409: ("Not in its present state", "It changed meanwhile. Look at it again, and decide anew."),
    422: ("A value does not fit", "Go back and mend the value that is named."),
    429: ("Too many requests", "Wait a little, and load the page again."),
    503: ("Something of ours is away at the moment", "Nothing was changed, or not surely. Load the page again in a few seconds."),
}
UNFORESEEN = ("Something went wrong here", "The log has it under this request's id. Load the page again; if it stays, tell an engineer.")


def is_page(request: Request) -> bool:
    """Whether somebody at a browser waits for a page of the console."""
    path, accept = request.url.path, request.headers.get("accept", "")
    return (path == "/console" or path.startswith("/console/")) and "text/html" in accept


def show_problems(app: FastAPI, *, can_sign_in: bool) -> None:
    """From now on a problem within the console, however it is answered (problems.py), is a page where a person waits for one."""
    for kind, answer in list(app.exception_handlers.items()):
        app.exception_handlers[kind] = shown(answer, can_sign_in=can_sign_in)


def shown(answer: Callable[..., Any], *, can_sign_in: bool) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handler(request: Request, error: Exception) -> Response:
        told: Response = await answer(request, error)
        if not is_page(request) or told.media_type != MEDIA_TYPE:
            return told
        page = problem_page(request, Problem.model_validate_json(bytes(told.body)), can_sign_in=can_sign_in)
        if "retry-after" in told.headers:
            page.headers["retry-after"] = told.headers["retry-after"]
        return page

    return handler


def problem_page(request: Request, problem: Problem, *, can_sign_in: bool) -> Response:
    """The page of a problem. Whoever is not signed in is led to the sign-in, and comes back here."""
    if problem.status == 401 and can_sign_in and "authorization" not in request.headers:
        return RedirectResponse(f"/auth/sign-in?{urlencode({'next': way_back(request)})}", status_code=303)
    heading, advice = HEADINGS.get(problem.status, UNFORESEEN)
    caller = getattr(request.state, "caller", None)
    values = {"problem": problem, "heading": heading, "advice": advice, "can_sign_in": can_sign_in}
    return render(request, caller, "problem", values, status=problem.status)


def way_back(request: Request) -> str:
    """This page; after a form, whose answer cannot be asked for again, the first one."""
    if request.method != "GET":
        return "/console"
    return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
