"""The bridge's operations API, as commands call it: with the API's token where there is one, errors in the bridge's own words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2
import orjson

from zixly_cli.settings import read_stack_settings
from zixly_cli.stack.home import Home
from zixly_cli.stack.stack_secrets import load_or_make_secrets
from zixly_core.errors import Permanent, Rejected, SettingsError, Transient, ZixlyError

TIMEOUT_SECONDS = 30.0


class BridgeApi:
    """Calls one bridge."""

    def __init__(self, url: str, *, token: str | None, transport: httpx2.BaseTransport | None = None) -> None:
        self.url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx2.Client(base_url=self.url, headers=headers, timeout=TIMEOUT_SECONDS, trust_env=False, transport=transport)

    def __enter__(self) -> BridgeApi:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        """Raises what `answered` raises."""
        return self.answered("GET", path, params={name: value for name, value in params.items() if value is not None})

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return self.answered("POST", path, json=body)

    def put(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self.answered("PUT", path, json=body)

    def download(self, path: str, file: Path, *, method: str = "POST", params: Mapping[str, str] | None = None) -> None:
        """Write the answer into a file that must not be there yet; nothing is left of one that breaks off.

        Raises what `answered` raises, and `SettingsError` for a place where it cannot be written.
        """
        if file.exists():
            raise SettingsError(f"{file} is there already and was left alone; choose another place")
        unfinished = file.with_name(file.name + ".part")
        try:
            with unfinished.open("xb") as written, self._http.stream(method, path, params=params) as answer:
                unfinished.chmod(0o600)
                if not answer.is_success:
                    answer.read()
                    raise refusal_of(answer, path=f"{self.url}{path}")
                for piece in answer.iter_bytes():
                    written.write(piece)
            unfinished.rename(file)
        except OSError as error:
            raise SettingsError(f"{file} cannot be written ({error.strerror}); choose another place") from error
        except httpx2.HTTPError as error:
            text = f"{self.url} broke off ({type(error).__name__}); what comes once has to be asked for anew"
            raise Transient(text, reason="bridge_away") from error
        finally:
            unfinished.unlink(missing_ok=True)

    def answered(self, method: str, path: str, **rest: Any) -> dict[str, Any]:
        """The JSON object of a success. Raises `Transient` where the bridge is away or says that another try may help, `Rejected`
        with its own sentence for what it refuses, `Permanent` for an answer that is not the bridge's."""
        try:
            answer = self._http.request(method, path, **rest)
        except httpx2.HTTPError as error:
            text = f"{self.url} did not answer ({type(error).__name__}); is the stack up? `zixly status` tells"
            raise Transient(text, reason="bridge_away") from error
        document = document_of(answer)
        if answer.is_success and document is not None:
            return document
        raise refusal_of(answer, path=f"{self.url}{path}")


def refusal_of(answer: httpx2.Response, *, path: str) -> ZixlyError:
    """What an answer that is no success means."""
    document = document_of(answer)
    detail = str((document or {}).get("detail") or f"{path} answered {answer.status_code}")
    reason = str((document or {}).get("reason") or "unexpected_answer")
    if answer.status_code == 503:
        return Transient(detail, reason=reason)
    if answer.is_client_error and document is not None:
        return Rejected(detail, reason=reason)
    return Permanent(detail, reason=reason)


def document_of(answer: httpx2.Response) -> dict[str, Any] | None:
    try:
        document = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        return None
    return document if isinstance(document, dict) else None


def bridge_of(variables: Mapping[str, str], *, port: int) -> BridgeApi:
    """The bridge that the settings name: the local one unless ZIXLY_BRIDGE_PUBLIC_URL names another than the gateway in front of it."""
    elsewhere, token = variables.get("ZIXLY_BRIDGE_PUBLIC_URL"), variables.get("ZIXLY_API_TOKEN")
    if elsewhere and elsewhere != Home(read_stack_settings(variables).home).public_url and not are_of_a_bridge(variables):
        return BridgeApi(elsewhere, token=token)
    return BridgeApi(f"http://127.0.0.1:{port}", token=token or own_token(variables))


def are_of_a_bridge(variables: Mapping[str, str]) -> bool:
    """Whether these are what a bridge itself runs with, as in its container: from there its public address may not be reached at all.
    One that wants a certificate is asked by the way that has one."""
    return "ZIXLY_DATABASE_URL_INTAKE" in variables and "ZIXLY_BRIDGE_TLS_CERTIFICATE" not in variables


def own_token(variables: Mapping[str, str]) -> str | None:
    """The token of this machine's stack, if there is one; it is shown to no other bridge. Raises `SettingsError`."""
    path = Home(read_stack_settings(variables).home).secrets_file
    return load_or_make_secrets(path).api_token if path.exists() else None
