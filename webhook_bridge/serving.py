"""What each serving process of the bridge makes for itself: settings from the environment, logs, the application."""

from __future__ import annotations

from fastapi import FastAPI

from webhook_bridge.app import create_app, parts_from
from zixly_core.observing import observe
from zixly_core.settings import read_settings


def app() -> FastAPI:
    """The application of this process. Raises `SettingsError`."""
    settings = read_settings()
    observe(settings, process="bridge")
    return create_app(settings, parts_from(settings))
