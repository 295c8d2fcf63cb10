"""Incoming webhooks of Slack: they take messages into channels, and keep them for whoever looks."""
