"""Take orders from the broker, and nothing else that somebody may have put there.

A message can ask Celery for many things: other tasks, a start time, a time limit, a reply, a task to run next. All of
that is ignored. A message that is no order is removed from the queue and logged in one line.
"""
from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import uuid4

import orjson
from celery.worker.consumer import Consumer
from kombu import compression

from fetcher.cluster.orders import TASK, order_in_message, set_aside
from fetcher.cluster.run import NotUnderstood

_log = logging.getLogger(__name__)


class Intake(Consumer):     # type: ignore[misc]
    """Celery's consumer of messages, which only accepts orders."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # an order is never compressed, and a few compressed bytes could fill the memory
        compression._decoders.clear()

    def create_task_handler(self, *args: Any, **options: Any) -> Callable[[Any], None]:
        follow = super().create_task_handler(*args, **options)

        def handle(message: Any) -> None:
            try:
                order = order_in_message(message.headers, message.body)
            except NotUnderstood as error:
                _log.error("%s", error)
                self._drop(message)
                return
            message.headers = {"task": TASK, "id": uuid4().hex, "lang": "py"}
            message.properties = {name: value for name, value in message.properties.items() if name in _OF_TRANSPORT}
            message.body = orjson.dumps([[], order.as_data(), {}])
            message.content_type, message.content_encoding = "application/json", "utf-8"
            follow(message)

        return handle

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        set_aside(exc)
        self._drop(message)

    def _drop(self, message: Any) -> None:
        with suppress(*self.connection_errors, *self.channel_errors):      # then it is delivered again
            message.reject()


_OF_TRANSPORT = frozenset({"body_encoding", "delivery_info", "delivery_tag"})
