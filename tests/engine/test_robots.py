"""What an answer to a request for robots.txt allows: pure rules."""
from __future__ import annotations

from typing import Any

import pytest

from fetcher import Result, Target
from fetcher.engine.robots import MAX_CRAWL_DELAY_SECONDS, Robots, Rules

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
