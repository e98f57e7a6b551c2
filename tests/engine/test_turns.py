"""How a run waits: for its pace while answers are slow, and for hosts that redirects lead to."""
from __future__ import annotations

import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from uuid import uuid4

import pytest

from fetcher.engine import fetch_all
from fetcher.options import Limits, NetworkOptions, Options, RetryOptions, RunOptions, Timeouts

ONCE = RetryOptions(retries=0)
DEAD = "http://localhost:9"


@pytest.fixture
def host(server) -> str:
    """The beginning of URLs, with a host that no other test uses."""
    return server.url("", f"t{uuid4().hex[:12]}.localhost")


@pytest.fixture
def hole() -> Iterator[str]:
    """A host that neither accepts nor refuses connections, since its backlog is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def outcomes(urls: list[str], **concerns: object) -> Counter:
    options = Options(**{"network": NetworkOptions(proxy=""), "retry": ONCE, **concerns})  # type: ignore[arg-type]
    return Counter(result.error or result.status for result in fetch_all(urls, options))


@pytest.mark.parametrize("limits", [Limits(per_host=50, rate=40.0), Limits(per_host=50, per_host_rate=40.0)])
def test_slow_answers_do_not_hold_back_the_pace(server, host, limits):
    assert outcomes([f"{host}/delay/0.5?{number}" for number in range(20)], limits=limits) == {200: 20}
    assert server.stats()[host.removeprefix("http://")]["most_at_once"] > 1


def test_who_is_redirected_to_a_host_that_is_left_alone_does_not_wait_for_ever(host):
    counts = outcomes([*[f"{DEAD}/{number}" for number in range(10)],
                       *[f"{host}/redirect-to?url={DEAD}/{number}" for number in range(10)]], limits=Limits(breaker=2))
    assert counts["connect"] + counts["breaker"] == 20 and counts["breaker"] > 0


def test_a_host_that_answers_no_connection_is_left_alone_too(hole):
    counts = outcomes([f"{hole}/{number}" for number in range(60)], timeouts=Timeouts(connect=0.5))
    assert counts["timeout"] <= 5 + 10 and counts["timeout"] + counts["breaker"] == 60


def test_the_deadline_ends_who_waits_where_a_redirect_leads(server, host):
    first = server.url(f"/redirect-to?url={host}/headers", f"u{uuid4().hex[:12]}.localhost")
    began = time.perf_counter()
    counts = outcomes([f"{host}/retry-after/30", *[first] * 5], limits=Limits(per_host=1), run=RunOptions(deadline=1.0))
    assert sum(counts.values()) == 6 and counts["deadline"] > 0
    assert time.perf_counter() - began < 30         # the host asks for 30
