"""Webhooks: the outbox that sends and retries, and Xero's, which are signed, in batches, probed before they are switched on."""
