"""The console's own style sheet and scripts. Their addresses hold a hash of what is in them, so that browsers keep them for ever and
take a new one as soon as there is one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import Response

from webhook_bridge.problems import NotFound

FOLDER = Path(__file__).parent / "static"
PREFIX = "/console/assets"
MEDIA_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    """A file as it is served."""

    name: str
    """With the hash, such as `console.0a1b2c3d4e5f.css`."""
    media_type: str
    content: bytes

    @property
    def url(self) -> str:
        return f"{PREFIX}/{self.name}"


def asset_of(path: Path) -> Asset:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:12]
    return Asset(f"{path.stem}.{digest}{path.suffix}", MEDIA_TYPES[path.suffix], content)


ASSETS: Mapping[str, Asset] = {path.name: asset_of(path) for path in sorted(FOLDER.iterdir()) if path.suffix in MEDIA_TYPES}
SERVED: Mapping[str, Asset] = {asset.name: asset for asset in ASSETS.values()}


def asset_url(name: str) -> str:
    """The address of a file of `static/`, for templates."""
    return ASSETS[name].url


def assets_routes() -> APIRouter:
    """For everybody: the pages of errors look like the others."""
    router = APIRouter(prefix=PREFIX, include_in_schema=False)

    @router.get("/{name}")
    def asset(name: str) -> Response:
        found = SERVED.get(name)
        if found is None:
            raise NotFound("There is no such file, or a newer one: load the page again.")
        return Response(found.content, media_type=found.media_type, headers={"cache-control": FOR_EVER})

    return router
