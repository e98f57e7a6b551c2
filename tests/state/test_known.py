"""A multiset of requests, small enough for lists of millions."""
import tracemalloc

import pytest

from fetcher.fingerprint import fingerprint
from fetcher.model import Overrides, Target
from fetcher.options import RequestOptions
from fetcher.state.known import KnownRequests

PLAIN = RequestOptions()
FORM = RequestOptions(data=b"a=1")


@pytest.fixture
def known():
    return KnownRequests(PLAIN)


def target(url="http://a.example/", **own):
    return Target(url, overrides=Overrides(**own) if own else None)


def test_what_was_added_can_be_taken_as_often(known):
    known.add(b"http://a.example/")
    known.add(b"http://a.example/")
    assert len(known) == 2
    assert [known.discard(target()) for _ in range(3)] == [True, True, False]


def test_a_line_is_taken_like_its_target(known):
    known.add(b"http://a.example/")
    assert not known.discard_line(b" http://a.example/")
    assert known.discard_line(b"http://a.example/")
    assert not known.discard(target())


def test_another_request_for_the_same_url_is_another(known):
    known.add(b"http://a.example/", b"HEAD")
    assert not known.discard(target())
    assert not known.discard_line(b"http://a.example/")
    assert known.discard(target(method="HEAD"))


def test_the_runs_own_request_is_what_a_line_means():
    known = KnownRequests(FORM)
    known.add(b"http://a.example/")
    known.add(b"http://a.example/", fingerprint(FORM).encode())
    known.add(b"http://a.example/", fingerprint(FORM).encode())
    removed = [known.discard_line(b"http://a.example/"), known.discard(target()), known.discard(target())]
    assert removed == [True, True, False]
    assert not known.discard(target(method="GET"))


def test_a_row_that_takes_the_runs_request_back_is_a_plain_get():
    known = KnownRequests(RequestOptions(method="HEAD"))
    known.add(b"http://a.example/")
    assert known.discard(target(method="GET"))


def test_half_a_surrogate_pair_is_known_as_its_record_spells_it(known):
    known.add("http://a.example/\ufffd".encode())
    assert known.discard(target("http://a.example/\ud800"))


@pytest.mark.slow
def test_a_request_takes_a_few_bytes():
    tracemalloc.start()
    try:
        known = KnownRequests(PLAIN)
        for number in range(100_000):
            known.add(b"http://a.example/%d" % number)
        assert tracemalloc.get_traced_memory()[0] < 100_000 * 20
    finally:
        tracemalloc.stop()
    assert all(known.discard_line(b"http://a.example/%d" % number) for number in range(100_000))
    assert len(known) == 0
