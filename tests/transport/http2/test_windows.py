"""How much a peer may send before somebody reads it, and what idle connections cost."""
import pytest

from fetcher import Options, Target, green
from fetcher.attempt import Attempt
from fetcher.options import Limits, NetworkOptions, Timeouts
from fetcher.transport import Request, Transport
from fetcher.transport.http2.codec import STREAM_WINDOW
from fetcher.transport.pool import MAX_IDLE_SECONDS

pytestmark = pytest.mark.usefixtures("codec")

SIZE = 10_000_000


@pytest.fixture
def transport():
    made = Transport(Options(network=NetworkOptions(proxy="", http="2"), limits=Limits(per_host=20)))
    yield made
    made.close()


def request(url):
    attempt = Attempt(Target.read(url), Timeouts())
    return Request(attempt.target.parsed, attempt, keep=True)


def test_readers_that_pause_hold_a_window_each_and_stop_no_other(transport, server):
    paused = [transport.open(request(server.url(f"/bytes/{SIZE}/{number}"))) for number in range(8)]
    for _ in range(20):
        green.sleep(0.02)
    assert [0 < response.buffered <= STREAM_WINDOW for response in paused] == [True] * 8
    other = transport.open(request(server.url(f"/bytes/{SIZE}/other")))
    assert sum(map(len, other)) == SIZE
    other.close()
    assert max(response.buffered for response in paused) <= STREAM_WINDOW
    for response in paused:
        assert sum(map(len, response)) == SIZE
        response.close()


def test_the_window_of_a_stream_that_is_read_fast_grows(transport, server):
    response = transport.open(request(server.url(f"/bytes/{3 * SIZE}")))
    stream = response.connection
    assert stream.window == STREAM_WINDOW
    assert sum(map(len, response)) == 3 * SIZE
    assert stream.window > STREAM_WINDOW
    response.close()


def test_an_answer_that_nobody_reads_further_leaves_its_connection_to_others(transport, server):
    for number in range(20):
        transport.open(request(server.url(f"/bytes/{SIZE}/{number}"))).close()
    response = transport.open(request(server.url("/bytes/5")))
    assert len(b"".join(response)) == 5
    response.close()
    assert len(transport._exchange._pool._open) == 1


def test_an_idle_connection_is_closed_in_time(transport, server):
    response = transport.open(request(server.url("/bytes/5")))
    response.close()
    pool = transport._exchange._pool
    (connection,) = pool._open
    assert pool._idle_count == 1 and not connection.closed
    connection.idle_since -= MAX_IDLE_SECONDS
    pool.close_old()
    assert connection.closed and (pool._open, pool._idle_count, pool._shared) == (set(), 0, {})
