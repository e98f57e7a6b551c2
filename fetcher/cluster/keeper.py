"""Resend orders that Redis has lost.

Celery first takes an order from the list in Redis and then notes that it has it. If a worker is killed between the two,
the order is lost. So Redis also holds the runs, and a worker that finds the list empty sends an order for each
partition that nobody works on. An extra order does no harm.
"""
from __future__ import annotations

import logging
from contextlib import suppress
from time import time
from typing import Any

import orjson
from celery import bootsteps
from kombu.exceptions import KombuError

from fetcher.cluster.orders import QUEUE, Order, orders, parse_order, send
from fetcher.cluster.overview import Overview
from fetcher.cluster.place import Place
from fetcher.cluster.policy import Policy, Refused
from fetcher.cluster.run import ClusterRun, NotUnderstood
from fetcher.cluster.state import RUNNING
from fetcher.errors import InputError

_RUNS = "fetcher.runs"

_log = logging.getLogger(__name__)


def remember(connection: Any, run: Order) -> None:
    """Store the run in the broker, if that is Redis. `run` is an order without a partition."""
    if connection.transport.driver_type == "redis":
        connection.default_channel.client.sadd(_RUNS, orjson.dumps(run.as_data()))


class Keeper(bootsteps.StartStopStep):      # type: ignore[misc]
    """Resends lost orders of the runs in Redis, as long as the worker lives."""

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
                try:
                    lost = _lost(entry, celery.policy, seconds)
                except NotUnderstood as error:
                    _log.error("%s", error)
                    lost = None
                except (InputError, Refused):
                    continue        # its place is unavailable, or it is for another worker
                if lost is None:
                    client.srem(_RUNS, entry)
                else:
                    send(celery, connection, lost)


def _lost(entry: bytes, policy: Policy, seconds: float) -> list[Order] | None:
    """Return an order for each partition that nobody works on, or None if the run is done.

    `entry` is what `remember` stored, and `seconds` is as in `_idle`. Raises InputError, Refused and NotUnderstood.
    """
    try:
        remembered = parse_order(orjson.loads(entry))
    except ValueError:
        raise NotUnderstood("What stands for a run in the broker is none.") from None
    place, run, content = policy.find(remembered)
    idle = _idle(place, run, seconds)
    return None if idle is None else list(orders(run.name, remembered.out, idle, policy.key, content))


def _idle(place: Place, run: ClusterRun, seconds: float) -> list[int] | None:
    """Return the unfinished partitions that nobody works on, or None if the run is done. Raises InputError.

    A partition is idle if it has no report, if its worker released it, or if its last report is `seconds` old.
    """
    overview = Overview(place, run)
    left = overview.left()
    if not left:
        return None
    states = overview.states()
    busy = {number for number, state in states.items()
            if state is not None and state.phase == RUNNING and time() - state.reported < seconds}
    return [number for number in left if number not in busy]
