"""Asana's stand-in: workspaces, the REST API, OAuth, webhooks and events."""
