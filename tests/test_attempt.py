from time import perf_counter

import pytest

from fetcher import green
from fetcher.attempt import BODY, CONNECTING, HANDSHAKE, PROXY, RESOLVING, SENDING, WAITING, Attempt, InFlight
from fetcher.errors import FetchError, Interrupted, TimedOut
from fetcher.model import Target
from fetcher.options import Timeouts

TARGET = Target.read("http://a.example/")


def attempt(**timeouts):
    return Attempt(TARGET, Timeouts(**timeouts))


# What an attempt is doing

def test_an_attempt_begins_with_the_look_up_of_its_host():
    begun = attempt(connect=3, total=9)
    assert (begun.phase, begun.host, begun.silence_limit) == (RESOLVING, "a.example", 3)
    assert begun.expires == begun.started + 9
    assert begun.since_start() >= 0
    assert begun.doing() == "resolving the name a.example"


@pytest.mark.parametrize(("phase", "sentence"), [
    (CONNECTING, "connecting to 127.0.0.1:80"),
    (PROXY, "waiting for the tunnel of 127.0.0.1:80"),
    (HANDSHAKE, "the TLS handshake with 127.0.0.1:80"),
    (SENDING, "sending the request to 127.0.0.1:80"),
    (WAITING, "waiting for the answer from 127.0.0.1:80"),
    (BODY, "reading the body from 127.0.0.1:80"),
])
def test_an_attempt_says_what_it_is_doing(phase, sentence):
    trying = attempt()
    trying.phase, trying.peer = phase, "127.0.0.1:80"
    assert trying.doing() == sentence


def test_an_attempt_in_time_is_not_overdue():
    trying = attempt(connect=1, read=1, total=1)
    assert trying.overdue(trying.started + 0.5) is None


def test_connecting_shares_one_time():
    trying = attempt(connect=2, read=1, total=9)
    trying.phase = HANDSHAKE
    assert trying.overdue(trying.last_progress + 1.5) is None
    assert str(trying.overdue(trying.last_progress + 2)) == (
        "Connecting took longer than 2 s, while the TLS handshake with a.example.")


def test_silence_is_what_counts_afterwards():
    trying = attempt(connect=1, read=2, total=9)
    trying.talking(WAITING)
    assert trying.overdue(trying.last_progress + 1.5) is None
    assert str(trying.overdue(trying.last_progress + 2)) == (
        "Nothing came for 2 s, while waiting for the answer from a.example.")


def test_another_connection_has_its_own_connect_time():
    trying = attempt(connect=2, read=1)
    trying.talking(BODY)
    trying.connecting("b.example")
    assert (trying.phase, trying.silence_limit, trying.doing()) == (RESOLVING, 2, "resolving the name b.example")


def test_an_attempt_as_a_whole_ends_however_much_it_hears():
    trying = attempt(total=2.5)
    trying.talking(BODY)
    trying.last_progress = trying.expires
    assert str(trying.overdue(trying.expires)) == (
        "The attempt took longer than 2.5 s, while reading the body from a.example.")


# Ending the ones in flight

class Flight:
    """Attempts that wait in their own green threads until something ends them."""

    def __init__(self, timeouts):
        self.in_flight = InFlight(timeouts)
        self.timeouts = timeouts
        self.ended = []
        self.threads = []

    def launch(self, phase=RESOLVING, busy=False):
        """Start an attempt. A busy one receives bytes all the time."""
        self.threads.append(green.spawn(self._wait, phase, busy))
        green.sleep(0)

    def land(self):
        """Wait until all attempts have ended. Return what ended each."""
        for thread in self.threads:
            thread.wait()
        return [(type(error), str(error)) for error in self.ended]

    def _wait(self, phase, busy):
        attempt = Attempt(TARGET, self.timeouts)
        if phase != RESOLVING:
            attempt.talking(phase)
        self.in_flight.add(attempt)
        try:
            while True:
                green.sleep(0.001 if busy else 60)
                attempt.last_progress = perf_counter()
        except FetchError as error:
            assert attempt.ended_by is error
            self.ended.append(error)
        finally:
            self.in_flight.discard(attempt)


@pytest.fixture
def flight():
    """Return a function that makes a `Flight`, which is watched."""
    def make(**timeouts):
        flight = Flight(Timeouts(**timeouts))
        flight.in_flight.watch()
        made.append(flight)
        return flight

    made = []
    yield make
    for flight in made:
        flight.in_flight.close()
        for thread in flight.threads:
            thread.kill()


def test_an_attempt_that_cannot_connect_is_ended(flight):
    connecting = flight(connect=0.05)
    connecting.launch()
    assert connecting.land() == [
        (TimedOut, "Connecting took longer than 0.05 s, while resolving the name a.example.")]


def test_a_silent_attempt_is_ended(flight):
    silent = flight(read=0.05)
    silent.launch(WAITING)
    assert silent.land() == [(TimedOut, "Nothing came for 0.05 s, while waiting for the answer from a.example.")]


def test_a_drip_fed_attempt_is_ended_all_the_same(flight):
    dripping = flight(read=5, total=0.1)
    dripping.launch(BODY, busy=True)
    assert dripping.land() == [
        (TimedOut, "The attempt took longer than 0.1 s, while reading the body from a.example.")]


def test_the_others_go_on(flight):
    mixed = flight(read=0.1, connect=60)
    mixed.launch(WAITING)
    mixed.launch()
    mixed.threads[0].wait()
    assert len(mixed.ended) == 1
    assert [attempt.phase for attempt in mixed.in_flight] == [RESOLVING]


def test_all_that_are_overdue_are_ended_at_once(flight):
    many = flight(connect=0.05)
    for _ in range(20):
        many.launch()
    assert len(many.in_flight) == 20
    assert len(many.land()) == 20
    assert len(many.in_flight) == 0


def test_nobody_is_ended_after_the_close(flight):
    closed = flight(connect=0.02)
    closed.launch()
    closed.in_flight.close()
    green.sleep(0.1)
    assert closed.ended == []
    closed.in_flight.close()


def test_an_interrupt_ends_all(flight):
    interrupted = flight()
    interrupted.launch()
    interrupted.launch(BODY)
    green.call_soon(interrupted.in_flight.interrupt)
    assert set(interrupted.land()) == {
        (Interrupted, "The run was interrupted while resolving the name a.example."),
        (Interrupted, "The run was interrupted while reading the body from a.example.")}


def test_an_attempt_is_ended_once(flight):
    """A second error would hit the green thread while it cleans up."""
    tidying = []

    def tidy_up():
        attempt = Attempt(TARGET, late.timeouts)
        late.in_flight.add(attempt)
        try:
            green.sleep(60)
        except FetchError as error:
            green.sleep(0.05)
            tidying.append(type(error))
        finally:
            late.in_flight.discard(attempt)

    late = flight(connect=0.01)
    late.threads.append(green.spawn(tidy_up))
    green.call_later(0.03, late.in_flight.interrupt)
    late.land()
    assert tidying == [TimedOut]
