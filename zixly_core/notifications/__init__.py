"""What people are told, when, and how: deciding, wording and sending. The outbox itself is a store (`stores/outbox.py`)."""
