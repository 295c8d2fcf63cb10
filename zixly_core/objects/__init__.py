"""The object stores we can use, by the scheme of their URL. A back end's driver is imported only when its scheme is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from zixly_core.errors import SettingsError
from zixly_core.object_store import ObjectStore
from zixly_core.setting_addresses import parts_of

BACK_ENDS = {"file": "zixly_core.objects.folder", "s3": "zixly_core.objects.s3"}


def open_object_store(url: str, *, client: Any = None) -> ObjectStore:
    """The store at `url`: `file:///folder`, or `s3://bucket/prefix?endpoint=...&region=...`. Nothing is connected to yet.

    `client` is the boto3 client to use for S3, such as the one dagster-aws makes; without it one is made. Raises `SettingsError`
    for a URL that cannot be used.
    """
    scheme = parts_of(url, setting="ZIXLY_OBJECTS_URL").scheme
    if scheme not in BACK_ENDS:
        raise SettingsError(f"ZIXLY_OBJECTS_URL begins with {scheme or 'no scheme'!r}; file:// or s3:// is needed")
    opened: ObjectStore = import_module(BACK_ENDS[scheme]).open_from_url(url, client=client)
    return opened
