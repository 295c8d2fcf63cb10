"""`zixly up --sign-in`: the stack as it is where people sign in, with the sandbox's provider unless the user names another."""

from __future__ import annotations

from collections.abc import Mapping

from zixly_cli.stack.addresses import Addresses
from zixly_cli.stack.environment import SANDBOX_CLIENT_ID, SANDBOX_CLIENT_SECRET
from zixly_cli.stack.stack_secrets import StackSecrets

# What the sandbox's provider makes access tokens for (zixly_sandbox/openid).
SANDBOX_AUDIENCE = "zixly-api"


def with_sign_in(user: Mapping[str, str], *, urls: Addresses, secrets: StackSecrets) -> dict[str, str]:
    """The user's variables, and below them what makes everybody prove who he is. The stack's own commands use the API's token."""
    provider = {
        "ZIXLY_OIDC_ISSUER": f"{urls.sandbox}/oidc",
        "ZIXLY_OIDC_CLIENT_ID": SANDBOX_CLIENT_ID,
        "ZIXLY_OIDC_CLIENT_SECRET": SANDBOX_CLIENT_SECRET,
        "ZIXLY_OIDC_AUDIENCE": SANDBOX_AUDIENCE,
    }
    below = {"ZIXLY_API_TOKEN": secrets.api_token, **({} if "ZIXLY_OIDC_ISSUER" in user else provider)}
    return {**below, **user, "ZIXLY_SIGN_IN": "required"}
