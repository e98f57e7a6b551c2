"""Use Redis as a broker: Celery's transport, made to continue when something in Redis is no message."""
from __future__ import annotations

from typing import Any
from uuid import uuid4

from kombu.transport import TRANSPORT_ALIASES, redis
from kombu.utils.encoding import bytes_to_str
from kombu.utils.json import loads

from fetcher.cluster.orders import NO_MESSAGE, QUEUE, set_aside


class QoS(redis.QoS):
    """The messages that are taken but not yet acknowledged."""

    def restore_by_tag(self, tag: Any, client: Any = None, leftmost: bool = False) -> None:
        with self.channel.conn_or_acquire(client) as client:
            try:
                _check_taken(client.hget(self.unacked_key, tag))
            except NO_MESSAGE as error:
                set_aside(error)
                client.zrem(self.unacked_index_key, tag)
                client.hdel(self.unacked_key, tag)
            else:
                super().restore_by_tag(tag, client, leftmost)


class Channel(redis.Channel):
    """Messages are JSON in lists."""

    QoS = QoS

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)
        except NO_MESSAGE as error:
            set_aside(error)
            return True


class Transport(redis.Transport):
    Channel = Channel

    def _deliver(self, message: Any, queue: str) -> None:
        """Deliver a message under a new tag: with the tag of another message, it would acknowledge that one."""
        message["properties"].update(delivery_tag=uuid4().hex, delivery_info={"exchange": queue, "routing_key": queue})
        super()._deliver(message, queue)


def _check_taken(content: bytes | None) -> None:
    """Raises one of NO_MESSAGE unless this is a message with the exchange and routing key that `Transport` sets."""
    if content is not None:
        message, *delivery = loads(bytes_to_str(content))
        if delivery != [QUEUE, QUEUE] or not isinstance(message["headers"], dict):
            raise ValueError("it was not taken from the queue")


def register() -> None:
    """Make Celery use this transport for redis:// and rediss://."""
    for scheme in "redis", "rediss":
        TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"
