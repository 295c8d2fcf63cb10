"""Webhooks as Xero sends them: signed, in batches, retried, probed before they are switched on."""
