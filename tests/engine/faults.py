"""Raise unexpected errors where the parts of a run meet."""
from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import eventlet
import pytest

from fetcher import Target, green


class Unheard(BaseException):
    """An error that nothing catches by its class."""


CLASSES: list[type[BaseException]] = [
    Exception, ValueError, OverflowError, RecursionError, MemoryError, OSError, eventlet.Timeout, green.GreenletExit,
    asyncio.CancelledError, Unheard]

# Where the parts of a run meet, by the names that monkeypatch uses
SEAMS = [
    "fetcher.transport.dns.Resolver.resolve",
    "fetcher.transport.dial.Dialer.dial",
    "fetcher.transport.dial.race.connect",
    "fetcher.transport.tls.Handshakes.handshake",
    "fetcher.transport.parser.Parser.feed",
    "fetcher.transport.parser.Parser._begin",
    "fetcher.transport.response.Response.feed",
    "fetcher.transport.decoding.Decoder.decode",
    "fetcher.transport.decoding.Decoder.finish",
    "fetcher.transport.headers.Headers.get",
    "fetcher.transport.headers.Headers.get_all",
    "fetcher.transport.request.Request.encode",
    "fetcher.transport.request.Request.redirected",
    "fetcher.transport.redirects.decoded",
    "fetcher.transport.cookies.handler.CookieHandler.http_request",
    "fetcher.transport.cookies.handler.CookieHandler.http_response",
    "fetcher.fetching.retry_after",
    "fetcher.fetching.ReceivedBody.write",
    "fetcher.fetching.ReceivedBody.save",
    "fetcher.fetching.ReceivedBody.drop",
    "fetcher.recall.Recall.ask",
    "fetcher.recall.judge",
    "fetcher.engine.manners.Manners.learn",
    "fetcher.schedule.retry.RetryRules.wait",
    "fetcher.schedule.retry.RetryRules.retry_after",
    "fetcher.engine.robots.Robots.must_ask",
    "fetcher.engine.robots.Robots.ask",
    "fetcher.engine.robots.Robots.rules",
    "fetcher.engine.robots.Robots.refusal",
    "fetcher.engine.robots.Rules.crawl_delay",
    "fetcher.engine.green.GreenThreads._pass_on",
]
IN_A_CHILD = ["fetcher.engine.processes.outbox.pack_result", "fetcher.engine.processes.outbox.encode"]


@contextmanager
def faults(seams: list[str], kind: type[BaseException], rate: float, chance: Random) -> Iterator[None]:
    """While inside, each call of one of `seams` raises a `kind` with a probability of `rate`."""
    with pytest.MonkeyPatch.context() as patch:
        for seam in seams:
            patch.setattr(seam, unreliable(resolve(seam), kind, rate, chance))
        yield


def fault(kind: type[BaseException]) -> BaseException:
    return kind(None) if kind is eventlet.Timeout else kind("thrown by a test")     # a Timeout's argument is seconds


def unreliable(works: Callable[..., Any], kind: type[BaseException], rate: float, chance: Random
               ) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        if chance.random() < rate:
            raise fault(kind)
        return works(*arguments, **named)

    return call


def resolve(seam: str) -> Any:
    from _pytest.monkeypatch import derive_importpath

    attribute, owner = derive_importpath(seam, True)
    return getattr(owner, attribute)


def breaking_off(targets: list[Target], after: int, kind: type[BaseException]) -> Iterator[Target]:
    """Yield targets, and raise a fault after so many."""
    yield from targets[:after]
    raise fault(kind)
