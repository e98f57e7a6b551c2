from heapq import heappop, heappush
from random import Random
from statistics import mean

from hypothesis import given
from hypothesis import strategies as st

from fetcher.schedule.adapt import START, Adaptive


class Server:
    """A server that refuses more than `room` requests at once, and takes about `seconds` for each of the others."""

    def __init__(self, room: int = 1000, seconds: float = 0.1, spread: float = 0.2) -> None:
        self.room = room
        self.seconds = seconds
        self.spread = spread
        self.now = 0.0
        self._random = Random(7)
        self._busy = 0
        self._running: list[tuple[float, float, bool]] = []

    def keep_busy(self, adaptive: Adaptive, answers: int) -> tuple[list[int], int]:
        """Return the cap after each of so many answers, and how many of them were refusals."""
        caps, refused = [], 0
        for _ in range(answers):
            while len(self._running) < adaptive.cap:
                self._start()
            running = len(self._running)
            self.now, started, is_refused = heappop(self._running)
            if is_refused:
                refused += 1
                adaptive.overloaded(started, self.now, running)
            else:
                self._busy -= 1
                adaptive.answered(self.now - started, running)
            caps.append(adaptive.cap)
        return caps, refused

    def _start(self) -> None:
        is_refused = self._busy >= self.room
        self._busy += not is_refused
        takes = 0.01 if is_refused else self.seconds * self._random.lognormvariate(0, self.spread)
        heappush(self._running, (self.now + takes, self.now, is_refused))


def grown(most: int = 10) -> Adaptive:
    adaptive = Adaptive(most)
    Server().keep_busy(adaptive, 20 * most)
    assert adaptive.cap == most
    return adaptive


def test_it_begins_with_few():
    assert Adaptive(10).cap == START and Adaptive(1).cap == 1


def test_while_answers_are_good_there_is_one_more_after_each_round():
    adaptive, caps = Adaptive(10), []
    for _ in range(2 + 3 + 4):
        adaptive.answered(0.1, adaptive.cap)
        caps.append(adaptive.cap)
    assert caps == [2, 3, 3, 3, 4, 4, 4, 4, 5]


def test_answers_while_fewer_run_say_nothing_about_more():
    adaptive = Adaptive(10)
    for _ in range(100):
        adaptive.answered(0.1, 1)
    assert adaptive.cap == START


def test_overload_halves_it():
    adaptive = grown()
    adaptive.overloaded(started=100.0, now=101.0, running=10)
    assert adaptive.cap == 5


def test_what_was_under_way_at_an_overload_does_not_halve_it_again():
    adaptive = grown()
    for started in (100.0, 100.2, 100.9):
        adaptive.overloaded(started, 101.0, running=10)
    assert adaptive.cap == 5
    adaptive.overloaded(101.5, 102.0, running=5)
    assert adaptive.cap == 2


@given(st.integers(1, 12), st.lists(st.tuples(st.booleans(), st.floats(0.001, 60), st.integers(1, 12)), max_size=200))
def test_it_stays_between_one_and_the_most(most, answers):
    adaptive = Adaptive(most)
    for now, (is_good, latency, running) in enumerate(answers):
        if is_good:
            adaptive.answered(latency, running)
        else:
            adaptive.overloaded(now - latency, float(now), running)
        assert 1 <= adaptive.cap <= most


def test_it_settles_just_below_the_concurrency_at_which_a_server_refuses():
    for room in (1, 2, 4, 7, 9):
        server, adaptive = Server(room), Adaptive(10)
        server.keep_busy(adaptive, 200)
        caps, refused = server.keep_busy(adaptive, 3000)
        assert room - 1 <= mean(caps) <= room + 0.1
        assert refused < 0.02 * len(caps)


def test_the_longer_it_goes_on_the_less_often_it_tries_to_pass_the_limit():
    server, adaptive = Server(room=4), Adaptive(10)
    (_, at_first), *_, (_, later) = [server.keep_busy(adaptive, 2000) for _ in range(4)]
    assert later <= at_first / 2


def test_it_takes_what_a_server_offers_that_got_better():
    server, adaptive = Server(room=3), Adaptive(10)
    server.keep_busy(adaptive, 500)
    server.room = 1000
    server.keep_busy(adaptive, 3000)
    assert adaptive.cap == 10


def test_it_goes_down_with_a_server_that_got_worse():
    server, adaptive = Server(room=8), Adaptive(10)
    server.keep_busy(adaptive, 500)
    server.room = 3
    server.keep_busy(adaptive, 100)
    caps, _ = server.keep_busy(adaptive, 500)
    assert 2 <= mean(caps) <= 3.1


def test_a_server_that_fails_now_and_then_is_not_left_with_one_at_a_time():
    server, adaptive, random, caps = Server(), Adaptive(10), Random(3), []
    for _ in range(5000):
        caps += server.keep_busy(adaptive, 1)[0]
        if random.random() < 0.005:
            adaptive.overloaded(server.now, server.now, adaptive.cap)
    assert mean(caps[1000:]) > 4


def test_it_shrinks_when_the_latency_doubles():
    server, adaptive = Server(), Adaptive(10)
    server.keep_busy(adaptive, 500)
    server.seconds *= 2
    caps, _ = server.keep_busy(adaptive, 60)
    assert min(caps) <= 7


def test_it_gets_used_to_a_latency_that_stays():
    server, adaptive = Server(), Adaptive(10)
    server.keep_busy(adaptive, 500)
    server.seconds *= 2
    server.keep_busy(adaptive, 1000)
    assert adaptive.cap == 10


def test_it_stays_calm_where_answers_vary():
    server, adaptive = Server(spread=0.5), Adaptive(10)
    server.keep_busy(adaptive, 300)
    caps, _ = server.keep_busy(adaptive, 3000)
    assert mean(caps) > 9
