"""Resend orders that Redis has lost.

Celery first takes an order from the list in Redis and then notes that it has it. If a worker is killed between the two,
the order is lost. So Redis also holds the runs, and a worker that finds the list empty sends an order for each
partition that nobody works on. An extra order does no harm.

A partition that has a report is worked on if the report is another than at the look before. The clocks of other
machines do not matter.
"""
from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any

import orjson
from celery import bootsteps
from kombu.exceptions import KombuError

from fetcher.cluster.orders import QUEUE, Order, orders, parse_order, send
from fetcher.cluster.overview import Overview
from fetcher.cluster.policy import Policy, Refused
from fetcher.cluster.run import NotUnderstood
from fetcher.cluster.state import RUNNING, State
from fetcher.errors import InputError

_RUNS = "fetcher.runs"

Reports = dict[int, State | None]       # the last one of each partition

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
        self._reports: dict[bytes, Reports] = {}    # of the look before, by run

    def start(self, consumer: Any) -> None:
        seconds = consumer.app.conf.broker_transport_options["visibility_timeout"]
        self._timer = consumer.timer.call_repeatedly(seconds, self._look, (consumer.app,))

    def stop(self, consumer: Any) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _look(self, celery: Any) -> None:
        with suppress(KombuError, OSError), celery.connection_for_write() as connection:
            client = connection.default_channel.client
            if client.llen(QUEUE):
                return
            before, self._reports = self._reports, {}
            for entry in client.smembers(_RUNS):
                try:
                    lost = self._lost(entry, celery.policy, before.get(entry, {}))
                except NotUnderstood as error:
                    _log.error("%s", error)
                    lost = None
                except (InputError, Refused):
                    continue        # its place is unavailable, or it is for another worker
                if lost is None:
                    client.srem(_RUNS, entry)
                else:
                    send(celery, connection, lost)

    def _lost(self, entry: bytes, policy: Policy, before: Reports) -> list[Order] | None:
        """Return an order for each partition that nobody works on, or None if the run is done.

        `entry` is what `remember` stored. Raises InputError, Refused and NotUnderstood.
        """
        try:
            remembered = parse_order(orjson.loads(entry))
        except ValueError:
            raise NotUnderstood("What stands for a run in the broker is none.") from None
        place, run, content = policy.find(remembered)
        overview = Overview(place, run)
        left = overview.left()
        if not left:
            return None
        reports = self._reports[entry] = overview.states()
        return list(orders(run.name, remembered.out, idle(left, reports, before), policy.key, content))


def idle(left: list[int], reports: Reports, before: Reports) -> list[int]:
    """Return those of the partitions that are `left` that nobody works on.

    They have no report, or their worker has released them, or their last report is the same as at the look `before`.
    A partition that was not seen before may be worked on.
    """
    return [number for number in left
            if (state := reports.get(number)) is None or state.phase != RUNNING
            or (number in before and before[number] == state)]
