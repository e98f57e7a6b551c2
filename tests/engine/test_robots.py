"""What an answer to a request for robots.txt allows: pure rules."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fetcher import Result, Target, green
from fetcher.engine.robots import MAX_CRAWL_DELAY_SECONDS, MAX_PARSED_BYTES, Robots, Rules, pack

PAGE = Target.read("http://site.example/private/page")


def rules(text: bytes = b"", **answer: Any) -> Rules:
    fields: dict[str, Any] = {"ok": True, "status": 200, "body": text, **answer}
    return Robots("fetcher/1.0").rules(Result("http://site.example/robots.txt", 1, **fields))


@pytest.mark.parametrize(("said", "delay"), [
    ("2", 2.0), ("0.5", 0.5), ("60", 60.0), ("61", MAX_CRAWL_DELAY_SECONDS), ("1e9", MAX_CRAWL_DELAY_SECONDS),
    ("99999999999999999999", MAX_CRAWL_DELAY_SECONDS), ("0", None), ("-1", None), ("nan", None), ("inf", None),
    ("soon", None), ("", None)])
def test_a_crawl_delay_is_heeded_as_far_as_that_makes_sense(said, delay):
    assert rules(f"User-agent: *\nCrawl-delay: {said}\n".encode()).crawl_delay() == delay


@pytest.mark.parametrize(("status", "error", "refused"), [
    (200, None, True), (404, "http", False), (401, "http", False), (410, "http", False),
    (429, "http", True), (500, "http", True), (503, "http", True), (None, "connect", True), (None, "deadline", True),
    (302, "too_many_redirects", True), (200, "incomplete", True), (200, "internal", True)])
def test_what_a_status_means_for_a_page_that_the_file_forbids(status, error, refused):
    found = rules(b"User-agent: *\nDisallow: /private/\n", status=status, error=error, ok=error is None)
    assert (found.refusal(PAGE) is not None) == refused


def test_the_guard_s_refusal_is_that_of_all_pages():
    refusal = rules(ok=False, status=None, error="blocked", error_message="127.0.0.1 is loopback.").refusal(PAGE)
    assert refusal is not None and (refusal.word, str(refusal)) == ("blocked", "127.0.0.1 is loopback.")


@pytest.mark.parametrize("text", [b"\xff\xfe\x00", b"\x00" * 1000, b"User-agent" * 1000, b"Disallow: " + b"*$" * 5000,
                                  b"Crawl-delay: \xd9\xa3\nUser-agent: *\nCrawl-delay: \xd9\xa3\n", b":\n" * 10000])
def test_whatever_stands_in_the_file_there_are_rules(text):
    found = rules(text)
    found.refusal(PAGE)
    found.crawl_delay()


def test_others_go_on_while_a_long_file_is_parsed():
    text = b"User-agent: *\n" + b"".join(b"Disallow: /%d*x*y\n" % number for number in range(20_000))
    ticks: list[None] = []
    ticking = green.spawn(lambda: [(green.sleep(0.001), ticks.append(None)) for _ in range(100_000)])
    green.sleep(0.01)
    found = rules(text + b"Disallow: /private/\n")
    before = len(ticks)
    assert found.refusal(PAGE) is not None
    ticking.kill()
    assert len(ticks) - before > 5


# How much is kept.

def learnt(robots: Robots, count: int, text: Callable[[int], bytes], now: float = 0.0) -> None:
    """Have `robots` learn `count` files, each of another origin."""
    for number in range(count):
        result = Result(f"http://h{number}.example/robots.txt", 1, ok=True, status=200, body=text(number))
        robots.learn(("http", f"h{number}.example", 80), result, now)


@pytest.mark.slow
def test_what_is_parsed_does_not_grow_with_the_number_of_origins():
    robots = Robots("fetcher")
    file = b"User-agent: *\n" + b"Disallow: /%04d\n" * 100
    learnt(robots, 2000, lambda number: file.replace(b"%04d", b"%04d" % number))
    assert len(robots) == 2000
    assert len(robots.files) <= MAX_PARSED_BYTES // len(file)


def test_equal_files_are_parsed_once():
    robots = Robots("fetcher")
    learnt(robots, 100, lambda _: b"User-agent: *\nDisallow: /private/\n")
    assert (len(robots), len(robots.files)) == (100, 1)


@pytest.mark.slow
def test_a_file_that_is_no_longer_parsed_still_counts():
    robots = Robots("fetcher")
    learnt(robots, 2000, lambda number: b"User-agent: *\nDisallow: /private/\n" + b"Disallow: /%d\n" % number * 100)
    for number in 0, 1999, 0:
        assert robots.refusal(Target.read(f"http://h{number}.example/private/page")) is not None
        assert robots.refusal(Target.read(f"http://h{number}.example/public/page")) is None


def test_a_file_longer_than_all_that_are_kept_parsed_counts():
    found = rules(b"User-agent: *\nDisallow: /private/\n" + b"#" * 2 * MAX_PARSED_BYTES)
    assert found.refusal(PAGE) is not None


@pytest.mark.parametrize(("most", "text"), [("MAX_ORIGINS", b""), ("MAX_PACKED_BYTES", b"User-agent: *\n")])
def test_the_oldest_origin_is_forgotten_where_there_are_too_many(most, text, monkeypatch):
    monkeypatch.setattr("fetcher.engine.robots." + most, 10 if most == "MAX_ORIGINS" else 10 * len(pack(text)))
    robots = Robots("fetcher")
    learnt(robots, 11, lambda _: text)
    asks = [robots.must_ask(Target.read(f"http://h{number}.example/"), 0.0) for number in range(11)]
    assert asks == [True, *[False] * 10]


def test_an_origin_that_is_asked_again_counts_once(monkeypatch):
    monkeypatch.setattr("fetcher.engine.robots.MAX_PACKED_BYTES", 10 * len(pack(b"")))
    robots = Robots("fetcher")
    for _ in range(20):
        learnt(robots, 5, lambda _: b"")
    assert len(robots) == 5
