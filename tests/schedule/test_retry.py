from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.model import Result
from fetcher.options import PASSING_STATUSES, TRANSPORT_ERRORS, RetryOptions
from fetcher.schedule import RetryRules

CHANCES = st.floats(0, 1)


def answer(status: int = 503, attempts: int = 1, method: str = "GET", retry_after: float | None = None) -> Result:
    return Result("http://a.example/", 1, ok=status < 400, status=status, error="http" if status >= 400 else None,
                  method=method, attempts=attempts, retry_after=retry_after)


def failure(word: str, attempts: int = 1, status: int | None = None) -> Result:
    return Result("http://a.example/", 1, error=word, status=status, method="GET", attempts=attempts)


def wait(result: Result, chance: float = 1.0, **options: Any) -> float | None:
    return RetryRules(RetryOptions(**options)).wait(result, chance)


@pytest.mark.parametrize("status", sorted(PASSING_STATUSES))
def test_a_status_that_may_pass_is_tried_again(status):
    assert wait(answer(status)) is not None


@pytest.mark.parametrize("status", [200, 304, 400, 401, 403, 404, 410, 501])
def test_other_statuses_are_not(status):
    assert wait(answer(status)) is None


@pytest.mark.parametrize("word", sorted(TRANSPORT_ERRORS))
def test_trouble_on_the_way_is_tried_again(word):
    assert wait(failure(word)) is not None


@pytest.mark.parametrize("word", ["invalid_url", "blocked", "robots", "tls", "protocol", "decode", "too_large",
                                  "too_slow", "too_many_redirects", "deadline", "breaker", "interrupted", "internal"])
def test_other_errors_are_not(word):
    assert wait(failure(word)) is None


def test_a_body_that_ended_early_is_tried_again_whatever_the_status():
    assert wait(failure("incomplete", status=200)) is not None


def test_what_to_try_again_can_be_chosen():
    on = frozenset({404, "tls"})
    assert wait(answer(404), on=on) is not None and wait(failure("tls"), on=on) is not None
    assert wait(answer(503), on=on) is None and wait(failure("connect"), on=on) is None


def test_there_are_as_many_attempts_as_asked_for_and_the_first():
    assert [wait(answer(attempts=number), retries=2) is not None for number in (1, 2, 3)] == [True, True, False]
    assert wait(answer(), retries=0) is None


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"])
def test_methods_that_may_be_repeated_are(method):
    assert wait(answer(method=method)) is not None


@pytest.mark.parametrize("method", ["POST", "PATCH", "CUSTOM"])
def test_other_methods_are_only_where_all_may(method):
    assert wait(answer(method=method)) is None
    assert wait(answer(method=method), all_methods=True) is not None


def test_the_wait_doubles_up_to_the_longest():
    waits = [wait(answer(attempts=number), retries=9, wait=1.5, max_wait=20.0) for number in range(1, 7)]
    assert waits == [1.5, 3.0, 6.0, 12.0, 20.0, 20.0]


def test_it_never_overflows():
    assert wait(answer(attempts=5000), retries=10_000) == 60.0


@given(CHANCES, st.integers(1, 20), st.floats(0.001, 100), st.floats(0.001, 1000))
def test_chance_picks_a_moment_between_now_and_the_whole_wait(chance, attempts, first, most):
    options = {"retries": 20, "wait": first, "max_wait": most}
    whole = wait(answer(attempts=attempts), 1.0, **options)
    assert whole == pytest.approx(min(first * 2 ** (attempts - 1), most))
    assert wait(answer(attempts=attempts), chance, **options) == pytest.approx(chance * whole)


@given(CHANCES, st.sampled_from([429, 503]))
def test_retry_after_comes_first_and_leaves_nothing_to_chance(chance, status):
    assert wait(answer(status, retry_after=42.0), chance) == 42.0


@given(CHANCES)
def test_retry_after_is_followed_up_to_the_longest_wait(chance):
    assert wait(answer(retry_after=3600.0), chance, max_wait=60.0) == 60.0


def test_retry_after_means_nothing_with_other_statuses():
    assert wait(answer(500, retry_after=42.0)) == 1.0
    assert RetryRules(RetryOptions()).retry_after(answer(500, retry_after=42.0)) is None


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_holds_the_host_also_where_nothing_is_tried_again(status):
    rules = RetryRules(RetryOptions(retries=0, max_wait=60.0))
    result = answer(status, retry_after=5.0)
    assert rules.wait(result, 0.5) is None and rules.retry_after(result) == 5.0
    assert rules.retry_after(answer(status, retry_after=3600.0)) == 60.0


def test_without_retry_after_the_host_is_not_held():
    assert RetryRules(RetryOptions()).retry_after(answer(429)) is None
