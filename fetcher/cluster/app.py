"""Celery, as it is used here: one task, one queue, JSON alone."""
from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from signal import SIG_IGN, SIGINT, SIGTERM, signal
from time import sleep
from typing import Any

from fetcher.errors import InputError, OutputError
from fetcher.url import mask_password

try:
    from amqp.exceptions import AMQPError, MessageNacked
    from celery import Celery
    from celery.exceptions import Reject
    from celery.signals import worker_process_init
    from celery.worker import state as flags
    from kombu.exceptions import KombuError
except ImportError:
    raise ValueError("A cluster needs an extra: pip install 'fetcher[cluster]'") from None

from fetcher.cluster.keeper import Keeper, remember
from fetcher.cluster.orders import QUEUE, TASK, orders, send, understood
from fetcher.cluster.partition import Ending, work
from fetcher.cluster.run import NotUnderstood

_PAUSE_SECONDS = 0.2        # before an order that could not be followed is given back
_URL = re.compile(r"(redis|rediss|amqp|amqps)://")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Broker:
    """Where messages go through: a directory's path, redis://... or amqp://...

    `lease_seconds` is how long nothing may be heard of a worker until others take over what it has.
    """

    url: str = field(repr=False)
    lease_seconds: float = 30.0

    def __str__(self) -> str:
        """The URL as it may be shown."""
        return mask_password(self.url)


def celery_app(broker: Broker) -> Any:
    """The Celery application. Raises ValueError for a URL that leads to no broker, and OutputError."""
    celery = Celery("fetcher", set_as_current=False)
    celery.conf.update(
        task_serializer="json", accept_content=["json"], task_ignore_result=True,
        task_default_queue=QUEUE, task_default_exchange=QUEUE, task_default_routing_key=QUEUE,
        task_acks_late=True, task_reject_on_worker_lost=True, worker_prefetch_multiplier=1,
        worker_enable_remote_control=False, worker_hijack_root_logger=False, worker_redirect_stdouts=False,
        broker_connection_retry_on_startup=True, broker_connection_max_retries=None, broker_channel_error_retry=True,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        **_transport(broker))

    if celery.conf.broker_url.startswith("redis"):
        celery.steps["consumer"].add(Keeper)

    @celery.task(name=TASK)     # type: ignore[untyped-decorator]
    def partition(**order: Any) -> None:
        if not _follow(order, broker.lease_seconds):
            _give_back(celery, order)

    return celery


def _transport(broker: Broker) -> dict[str, Any]:
    visibility = 2 * broker.lease_seconds
    if _URL.match(broker.url):
        options = {"confirm_publish": True} if broker.url.startswith("amqp") else {
            "visibility_timeout": visibility, "unacked_restore_interval": broker.lease_seconds / 3,
            "unacked_restore_throttle": 1,
            "unacked_mutex_expire": broker.lease_seconds}   # of a worker that was killed while it had the others wait
        return {"broker_url": broker.url, "broker_transport_options": options}
    if "://" in broker.url:
        raise ValueError(f"{broker} is no broker; name a directory, or a URL of redis:// or amqp://")
    from fetcher.cluster import directory

    try:
        options = directory.transport_options(os.path.abspath(broker.url), visibility)
    except OSError as error:
        raise OutputError(f"The broker {broker.url} cannot be used: {error.strerror}.") from None
    return {"broker_url": f"{directory.ALIAS}://", "broker_transport_options": options}


def reach(celery: Any) -> None:
    """Raises OutputError where the broker cannot be reached."""
    with _errors_explained(celery), celery.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, interval_start=0)


def hand_out(celery: Any, name: str, directory: str, partitions: Iterable[int]) -> None:
    """Send an order for each partition. Raises OutputError where the broker cannot be reached."""
    with _errors_explained(celery), celery.connection_for_write() as connection:
        remember(connection, name, directory)
        send(celery, connection, orders(name, directory, partitions))


@contextmanager
def _errors_explained(celery: Any) -> Iterator[None]:
    try:
        yield
    except (AMQPError, MessageNacked, KombuError, OSError) as error:
        url = mask_password(celery.conf.broker_url)
        raise OutputError(f"The broker {url} {_complaint(error)}.") from None


def _complaint(error: Exception) -> str:
    cause = error.__cause__ or error
    if isinstance(cause, MessageNacked):
        return "takes no more messages"
    verb = "refuses" if isinstance(cause, AMQPError) else "cannot be reached"
    return f"{verb}: {mask_password(getattr(cause, 'reply_text', None) or str(cause)).rstrip('.')}"


_ending = Ending()


def _follow(order: dict[str, Any], lease_seconds: float) -> bool:
    """Whether it ends with its partition done; where it does not, nobody need try again at once: there was a pause."""
    pause = _PAUSE_SECONDS
    signal(SIGTERM, _ending.tell)
    try:
        if not _ending() and work(*understood(order), lease_seconds, _ending):
            return True
    except (NotUnderstood, InputError, OutputError) as error:
        _log.error("%s", error)
        pause = lease_seconds / 3       # whatever it is will take its time to change
    except Exception as error:
        _log.error("An unforeseen %s: %s.", type(error).__name__, error,
                   exc_info=_log.isEnabledFor(logging.INFO))
        pause = lease_seconds / 3
    sleep(pause)
    return False


def _give_back(celery: Any, order: dict[str, Any]) -> None:
    """Have the order come again, after all that wait; before them where this worker ends: what is begun goes first."""
    if not _ending():
        with suppress(OutputError), _errors_explained(celery), celery.connection_for_write() as connection:
            send(celery, connection, [order])
            return
    raise Reject("not done", requeue=True)


def serve(celery: Any, processes: int) -> None:
    """Take messages until SIGTERM or SIGINT comes; what is unfinished then goes back.

    Raises OutputError where the broker cannot be reached at first, which later is waited for, and where Celery ends by
    itself.
    """
    reach(celery)
    is_ready: list[Any] = []

    def end(*_: Any) -> None:
        if not is_ready:        # nothing was taken yet, and Celery cannot end while it begins
            os._exit(0)
        flags.should_stop = 0       # an exit status
        for process in worker.pool._pool._pool:
            os.kill(process.pid, SIGTERM)

    for number in SIGTERM, SIGINT:
        signal(number, end)
    worker_process_init.connect(_leave_to_the_parent)
    logging.getLogger("celery.worker.request").addFilter(_is_news)
    worker = celery.WorkController(
        pool="prefork", concurrency=processes, optimization="fair", ready_callback=is_ready.append,
        without_gossip=True, without_mingle=True, without_heartbeat=True)
    worker.start()
    if worker.exitcode:
        raise OutputError("The worker has ended before it was told to.")


def _leave_to_the_parent(**_: Any) -> None:
    """In a process that has nothing to do: it ends when its parent does, and Celery waits for it forever otherwise."""
    signal(SIGTERM, SIG_IGN)


def _is_news(record: logging.LogRecord) -> bool:
    """Not that an order could not be acknowledged or rejected: the broker was away, and has it come again by itself."""
    return not str(record.msg).startswith(("Couldn't ack", "Couldn't reject"))
