"""The orders that are sent to workers. Each names a partition of a run, and the place of that run."""
from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import orjson

from fetcher.cluster.data import from_data
from fetcher.cluster.key import is_signed, sign
from fetcher.cluster.run import NAME, VERSION, NotUnderstood, check_version

TASK = "fetcher.partition"
QUEUE = "fetcher"
# What kombu raises while reading something that is no message.
NO_MESSAGE = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
_MAX_SHOWN = 200            # characters

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Order:
    """The content of one message. `partition` is None if the order stands for the whole run."""

    run: str
    out: str                # the run's place
    partition: int | None
    signature: str | None = field(default=None, repr=False)
    tries: int = 0          # how often following it has failed
    version: int = VERSION

    def __str__(self) -> str:
        return f"partition {self.partition} of {self.run!r} in {self.out!r}"

    def signed(self, key: bytes, content: bytes) -> Order:
        """Return the order with its signature; `content` is that of the run's file."""
        return replace(self, signature=sign(key, self.run, self.out, self.partition, content))

    def is_signed(self, key: bytes, content: bytes) -> bool:
        return is_signed(key, self.signature, self.run, self.out, self.partition, content)

    def as_data(self) -> dict[str, Any]:
        return asdict(self)


def orders(run: str, out: str, partitions: Iterable[int], key: bytes | None, content: bytes) -> Iterator[Order]:
    """Yield an order for each partition, signed if there is a key; `content` is that of the run's file."""
    for number in partitions:
        order = Order(run, out, number)
        yield order if key is None else order.signed(key, content)


def send(celery: Any, connection: Any, orders: Iterable[Order]) -> None:
    """Send orders over this connection."""
    producer = celery.amqp.Producer(connection)
    for order in orders:
        celery.send_task(TASK, producer=producer, kwargs=order.as_data())


def parse_order(data: Any) -> Order:
    """Return the order in a message's data. Raises NotUnderstood."""
    if isinstance(data, dict) and "version" in data:
        check_version(data["version"])
    try:
        order: Order = from_data(Order, data)
    except ValueError:
        raise NotUnderstood(f"A message is not an order: {_shown(data)}.") from None
    if not NAME.fullmatch(order.run) or "\0" in order.out or (order.partition or 0) < 0 or order.tries < 0:
        raise NotUnderstood(f"A message is not an order: {_shown(data)}.")
    return order


def order_in_message(headers: Any, body: Any) -> Order:
    """Return the order in a message of Celery's protocol, version 2. Raises NotUnderstood."""
    try:
        arguments, order, _ = orjson.loads(body)
        is_task = headers["task"] == TASK and arguments == []
    except (ValueError, TypeError, LookupError, AttributeError):
        is_task = False
    if not is_task:
        raise NotUnderstood(f"A message is not an order: {_shown(body)}.")
    return parse_order(order)


def set_aside(error: Exception) -> None:
    """Log that something in the queue was no message and was removed. `error` says what is wrong with it."""
    _log.error("A message is not an order: %s.", _shown(error))


def _shown(data: Any) -> str:
    """Return `data` as text that is safe to print: shortened, and without anything that a terminal would obey."""
    text = repr(bytes(data[:_MAX_SHOWN]) if isinstance(data, (bytes, bytearray, memoryview)) else data)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."
