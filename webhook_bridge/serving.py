"""What each serving process of the bridge makes for itself: settings from the environment, logs, the application."""

from __future__ import annotations

import gc

from fastapi import FastAPI

from webhook_bridge.app import create_app, parts_from
from zixly_core.observing import observe
from zixly_core.settings import read_settings

# New containers beyond those that have gone: a few hundred deliveries under way.
COLLECT_AFTER = 20_000


def app() -> FastAPI:
    """The application of this process. Raises `SettingsError`."""
    settings = read_settings()
    observe(settings, process="bridge")
    made = create_app(settings, parts_from(settings))
    keep_out_of_collections()
    return made


def keep_out_of_collections() -> None:
    """What was made until now stays as long as the process: the collector of cycles need not walk through it again and again. A delivery
    makes hundreds of small objects that go by themselves, so it is to look seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)
