"""Set up Celery: one task, one queue, nothing but JSON."""
from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from signal import SIG_IGN, SIGINT, SIGTERM, signal
from time import sleep
from typing import Any

from fetcher.errors import InputError, OutputError
from fetcher.extras import needed
from fetcher.regex import regex
from fetcher.url import mask_userinfo

try:
    from amqp.exceptions import AMQPError, MessageNacked
    from celery import Celery
    from celery.exceptions import Reject
    from celery.signals import worker_process_init
    from celery.worker import state as flags
    from kombu.exceptions import KombuError
except ImportError:
    raise ValueError(needed("A cluster", "cluster")) from None

from fetcher.cluster.keeper import Keeper, remember
from fetcher.cluster.intake import Intake
from fetcher.cluster.key import own_key
from fetcher.cluster.orders import QUEUE, TASK, Order, orders, parse_order, send
from fetcher.cluster.partition import Ending, work
from fetcher.cluster.place import RUN, Place
from fetcher.cluster.policy import Policy, Refused
from fetcher.cluster.run import NotUnderstood

_PAUSE_SECONDS = 0.2        # before an order is sent back because another worker has its partition
_TRIES_IN_LEASE = 3         # of an order whose place is unavailable
_MAX_TRIES = 360            # an hour, with a lease of 30 s
_URL = regex(r"(redis|rediss|amqp|amqps)://")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Broker:
    """Carries the messages: the path of a directory, redis://... or amqp://... Raises ValueError for other URLs.

    `lease_seconds` is how long a worker may be silent before others take over its partition.
    """

    url: str = field(repr=False)
    lease_seconds: float = 30.0

    def __post_init__(self) -> None:
        if "://" in self.url and not _URL.match(self.url):
            raise ValueError(f"{self} is not a broker; name a directory, or a URL of redis:// or amqp://")

    def __str__(self) -> str:
        """The URL with its credentials masked."""
        return mask_userinfo(self.url)

    @property
    def own_key(self) -> bytes | None:
        """The key of the broker, if it is a directory that only this user can use; else None. Raises OutputError."""
        return None if "://" in self.url else own_key(os.path.abspath(self.url))


def celery_app(broker: Broker, policy: Policy = Policy()) -> Any:
    """Return a Celery application that follows the orders that `policy` allows. Raises OutputError."""
    celery = Celery("fetcher", set_as_current=False)
    celery.conf.update(
        task_serializer="json", accept_content=["json"], task_ignore_result=True,
        task_default_queue=QUEUE, task_default_exchange=QUEUE, task_default_routing_key=QUEUE,
        task_acks_late=True, task_reject_on_worker_lost=True, worker_prefetch_multiplier=1,
        worker_enable_remote_control=False, worker_hijack_root_logger=False, worker_redirect_stdouts=False,
        broker_connection_retry_on_startup=True, broker_connection_max_retries=None, broker_channel_error_retry=True,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        **_transport(broker))

    celery.policy = policy
    if celery.conf.broker_url.startswith("redis"):
        celery.steps["consumer"].add(Keeper)

    @celery.task(name=TASK)     # type: ignore[untyped-decorator]
    def partition(**data: Any) -> None:
        order = _follow(parse_order(data), policy, broker.lease_seconds)
        if order is not None:
            _requeue(celery, order)

    return celery


def _transport(broker: Broker) -> dict[str, Any]:
    visibility = 2 * broker.lease_seconds
    if _URL.match(broker.url):
        if broker.url.startswith("redis"):
            from fetcher.cluster import redis

            redis.register()
        options = {"confirm_publish": True} if broker.url.startswith("amqp") else {
            "visibility_timeout": visibility, "unacked_restore_interval": broker.lease_seconds / 3,
            "unacked_restore_throttle": 1,
            "unacked_mutex_expire": broker.lease_seconds}   # in case a worker is killed while others wait for it
        return {"broker_url": broker.url, "broker_transport_options": options}
    from fetcher.cluster import directory

    try:
        options = directory.transport_options(os.path.abspath(broker.url), visibility)
    except OSError as error:
        raise OutputError(f"The broker {broker.url} cannot be used: {error.strerror}.") from None
    return {"broker_url": f"{directory.ALIAS}://", "broker_transport_options": options}


def check_reachable(celery: Any) -> None:
    """Connect to the broker once. Raises OutputError if it cannot be reached."""
    with _errors_explained(celery), celery.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, interval_start=0)


def send_orders(celery: Any, name: str, place: Place, partitions: Iterable[int], key: bytes | None) -> None:
    """Send an order for each partition of the run in `place`, signed if there is a key.

    Raises InputError where the run cannot be read, and OutputError where the broker cannot be reached.
    """
    content = place.read(RUN) or b""
    whole = Order(name, place.where, None)
    with _errors_explained(celery), celery.connection_for_write() as connection:
        remember(connection, whole if key is None else whole.signed(key, content))
        send(celery, connection, orders(name, place.where, partitions, key, content))


@contextmanager
def _errors_explained(celery: Any) -> Iterator[None]:
    try:
        yield
    except (AMQPError, MessageNacked, KombuError, OSError) as error:
        url = mask_userinfo(celery.conf.broker_url)
        raise OutputError(f"The broker {url} {_complaint(error)}.") from None


def _complaint(error: Exception) -> str:
    cause = error.__cause__ or error
    if isinstance(cause, MessageNacked):
        return "takes no more messages"
    verb = "refuses" if isinstance(cause, AMQPError) else "cannot be reached"
    return f"{verb}: {mask_userinfo(getattr(cause, 'reply_text', None) or str(cause)).rstrip('.')}"


_ending = Ending()
_logged: list[str] = []         # what was logged last


def _follow(order: Order, policy: Policy, lease_seconds: float) -> Order | None:
    """Follow an order. Return the order to send back to the queue, or None. Pause before sending it back.

    An order that is not allowed, or not possible on this machine, is dropped. So is one that has failed too often.
    That is logged, and the same message is not repeated for each order.
    """
    signal(SIGTERM, _ending.tell)
    try:
        if not _ending() and work(order, policy, lease_seconds, _ending):
            return None
    except (NotUnderstood, Refused) as error:
        _log_once(str(error))
        return None
    except (InputError, OutputError) as error:
        return _try_again(order, str(error), lease_seconds)
    except Exception as error:
        return _try_again(order, f"An unforeseen {type(error).__name__}: {error}.", lease_seconds)
    sleep(_PAUSE_SECONDS)
    return replace(order, tries=0)


def _log_once(problem: str) -> None:
    """Log a problem, unless it was the last one logged: all orders of a run may have the same problem."""
    if _logged != [problem]:
        _logged[:] = [problem]
        _log.error("%s", problem)


def _try_again(order: Order, problem: str, lease_seconds: float) -> Order | None:
    tried = replace(order, tries=order.tries + 1)
    is_last = tried.tries >= _MAX_TRIES
    if is_last or tried.tries == 1:
        _log.error("%s%s", problem, f" The order for {order} is given up." if is_last else "",
                   exc_info=_log.isEnabledFor(logging.DEBUG))
    if not is_last:
        sleep(lease_seconds / _TRIES_IN_LEASE)      # the problem will not go away at once
    return None if is_last else tried


def _requeue(celery: Any, order: Order) -> None:
    """Send an order back, behind all others. If this worker is ending, send it ahead of them: its work has begun."""
    if not _ending():
        with suppress(OutputError), _errors_explained(celery), celery.connection_for_write() as connection:
            send(celery, connection, [order])
            return
    raise Reject("not done", requeue=True)


def serve(celery: Any, processes: int) -> None:
    """Take messages until SIGTERM or SIGINT, and then return unfinished orders to the queue.

    While the broker is away, wait for it. Raises OutputError if Celery ends by itself.
    """
    is_ready: list[Any] = []

    def end(*_: Any) -> None:
        if not is_ready:        # nothing was taken yet, and Celery cannot stop while it starts
            os._exit(0)
        flags.should_stop = 0       # an exit status
        for process in worker.pool._pool._pool:
            os.kill(process.pid, SIGTERM)

    for number in SIGTERM, SIGINT:
        signal(number, end)
    worker_process_init.connect(_leave_to_the_parent)
    logging.getLogger("celery.worker.request").addFilter(_is_news)
    worker = celery.WorkController(
        consumer_cls=Intake, pool="prefork", concurrency=processes, optimization="fair", ready_callback=is_ready.append,
        without_gossip=True, without_mingle=True, without_heartbeat=True)
    worker.start()
    if worker.exitcode:
        raise OutputError("The worker has ended before it was told to.")


def _leave_to_the_parent(**_: Any) -> None:
    """Ignore SIGTERM in an idle process. It ends with its parent, which would otherwise wait for ever."""
    signal(SIGTERM, SIG_IGN)


def _is_news(record: logging.LogRecord) -> bool:
    """Return False for an order that could not be acknowledged or rejected: the broker was away and will resend it."""
    return not str(record.msg).startswith(("Couldn't ack", "Couldn't reject"))
