"""Orders, as they travel: each names a partition of a run, and where that run is."""
from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from fetcher.cluster.run import VERSION, NotUnderstood, check_version

TASK = "fetcher.partition"
QUEUE = "fetcher"


def orders(name: str, directory: str, partitions: Iterable[int]) -> Iterator[dict[str, Any]]:
    """An order for each partition."""
    for number in partitions:
        yield {"version": VERSION, "run": name, "out": directory, "partition": number}


def send(celery: Any, connection: Any, orders: Iterable[dict[str, Any]]) -> None:
    """Send orders over this connection."""
    producer = celery.amqp.Producer(connection)
    for order in orders:
        celery.send_task(TASK, producer=producer, kwargs=order)


def understood(order: dict[str, Any]) -> tuple[str, str, int]:
    """Directory, run and number of the partition that a message orders. Raises NotUnderstood."""
    check_version(order.get("version"))
    directory, name, number = order.get("out"), order.get("run"), order.get("partition")
    if not (isinstance(directory, str) and isinstance(name, str) and type(number) is int and number >= 0):
        raise NotUnderstood(f"A message is no order of this version: {order!r}.")
    return directory, name, number
