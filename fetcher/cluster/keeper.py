"""Orders that Redis has lost are sent once more.

Celery takes an order from Redis' list first and notes down afterwards that it has it; a worker that is killed between
the two takes it along. So the runs are kept in Redis, too, and workers that find its list empty look whether all that
is left of them is being worked on. An order too many does no harm.
"""
from __future__ import annotations

from contextlib import suppress
from time import time
from typing import Any

import orjson
from celery import bootsteps
from kombu.exceptions import KombuError

from fetcher.cluster.orders import QUEUE, orders, send
from fetcher.cluster.overview import Overview
from fetcher.cluster.registry import place_at
from fetcher.cluster.run import NotUnderstood, Run
from fetcher.cluster.state import RUNNING
from fetcher.errors import InputError

_RUNS = "fetcher.runs"


def remember(connection: Any, name: str, directory: str) -> None:
    """Keep the run in the broker, if that is Redis."""
    if connection.transport.driver_type == "redis":
        connection.default_channel.client.sadd(_RUNS, orjson.dumps([name, directory]))


class Keeper(bootsteps.StartStopStep):      # type: ignore[misc]
    """Looks after the runs in Redis while a worker lives."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **_: Any) -> None:
        self._timer: Any = None

    def start(self, consumer: Any) -> None:
        seconds = consumer.app.conf.broker_transport_options["visibility_timeout"]
        self._timer = consumer.timer.call_repeatedly(seconds, self._look, (consumer.app, seconds))

    def stop(self, consumer: Any) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _look(self, celery: Any, seconds: float) -> None:
        with suppress(KombuError, OSError), celery.connection_for_write() as connection:
            client = connection.default_channel.client
            if client.llen(QUEUE):
                return
            for entry in client.smembers(_RUNS):
                name, directory = orjson.loads(entry)
                with suppress(InputError, NotUnderstood):
                    idle = _idle(name, directory, seconds)
                    if idle is None:
                        client.srem(_RUNS, entry)
                    else:
                        send(celery, connection, orders(name, directory, idle))


def _idle(name: str, directory: str, seconds: float) -> list[int] | None:
    """The partitions of which nothing was heard for so long; None where there is nothing left to do."""
    place = place_at(directory)
    run = Run.read(place)
    overview = Overview(place, run)
    left = overview.left()
    if not left or run.name != name:
        return None
    states = overview.states()
    busy = {number for number, state in states.items()
            if state is not None and state.phase == RUNNING and time() - state.told < seconds}
    return [number for number in left if number not in busy]
