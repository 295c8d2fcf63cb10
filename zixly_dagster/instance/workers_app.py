"""The Celery app that launcher and workers share: two queues, priorities, no results, at most one task taken ahead."""

from __future__ import annotations

import ssl

import orjson
from celery import Celery
from kombu.entity import Queue
from kombu.utils.url import parse_url

from zixly_core.broker import client_of

EXECUTE_RUN = "zixly.execute_run"
LIVE_QUEUE = "live"
BULK_QUEUE = "bulk"
# On Redis 0 is served first, and what has no priority gets 0: ours are always set. Kombu keeps a list for each of these steps.
PRIORITY_STEPS = [0, 3, 6, 9]
# What kombu puts between the name of a queue and a priority other than 0 (kombu/transport/redis.py).
PRIORITY_MARK = "\x06\x16"
PRIORITY_OF = {"high": 0, "normal": 3, "low": 6}
BULK_PRIORITY = 9
# A child is replaced after so many runs, whatever a library may have leaked into it.
RUNS_PER_CHILD = 2000


def priority_of(tag: str | None, *, is_live: bool) -> int:
    """The priority of a run's message: bulk work after all live work, whatever priority it has among its own."""
    return PRIORITY_OF.get(tag or "", PRIORITY_OF["low"]) if is_live else BULK_PRIORITY


def keys_of(queue: str) -> list[str]:
    """The lists on Redis that a queue consists of, one for each priority."""
    return [f"{queue}{PRIORITY_MARK}{step}" if step else queue for step in PRIORITY_STEPS]


def waiting_runs(broker_url: str) -> set[str]:
    """The runs whose messages no worker has taken yet. Raises what redis raises."""
    with client_of(broker_url).pipeline(transaction=False) as pipeline:
        for key in (*keys_of(LIVE_QUEUE), *keys_of(BULK_QUEUE)):
            pipeline.lrange(key, 0, -1)
        lists = pipeline.execute()
    return {orjson.loads(message)["headers"]["id"] for messages in lists for message in messages}


def tls_of(broker_url: str) -> dict[str, object] | None:
    """What the connection to the broker is made with. Kombu takes `rediss://` for TLS only when the URL has options for it, and would
    send the password plainly to a server that has none. Options of the URL win."""
    if not broker_url.startswith("rediss://"):
        return None
    verified: dict[str, object] = {"ssl_cert_reqs": ssl.CERT_REQUIRED}
    return verified | dict(parse_url(broker_url).get("ssl") or {})


def workers_app(broker_url: str) -> Celery:
    """The app over a broker; nothing is opened until it is used."""
    app = Celery("zixly", broker=broker_url)
    app.conf.update(
        broker_use_ssl=tls_of(broker_url),
        task_queues=[Queue(LIVE_QUEUE), Queue(BULK_QUEUE)],
        task_default_queue=LIVE_QUEUE,
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        task_acks_late=False,  # a task that is lost with its worker is found by its lease
        worker_prefetch_multiplier=1,
        worker_disable_prefetch=True,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_enable_prefetch_count_reduction=False,  # nothing is redelivered after a lost connection, so all slots are free
        worker_max_tasks_per_child=RUNS_PER_CHILD,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_connection_timeout=3,
        broker_transport_options={
            "priority_steps": PRIORITY_STEPS,
            "queue_order_strategy": "priority",
            "visibility_timeout": 24 * 3600,
            "socket_connect_timeout": 2,
            "socket_timeout": 10,
            "socket_keepalive": True,
            "health_check_interval": 15,
        },
        task_publish_retry=True,
        task_publish_retry_policy={"max_retries": 1, "interval_start": 0.1, "interval_max": 0.2},
        control_queue_ttl=300,
        event_queue_ttl=60,
    )
    return app
