"""When a run that ended normally has failed."""
from collections import Counter

import pytest

from fetcher.sinks.tally import Tally
from fetcher.sinks.verdict import Condition, exit_status


def tally(done: int = 0, **failed: int) -> Tally:
    """Return a tally of so many lines. Outcomes of failed lines are words, or statuses with an e: e404."""
    counted = Tally()
    counted.done, counted.ok = done, done - sum(failed.values())
    counted.outcomes = Counter({word.removeprefix("e"): count for word, count in failed.items()})
    counted.outcomes["200"] = counted.ok
    for word, count in failed.items():
        counted.errors["http" if word.startswith("e") else word] += count
    return counted


@pytest.mark.parametrize(("text", "failed", "done", "status"), [
    (">0", 0, 10, 0), (">0", 1, 10, 1), (">20", 20, 20, 0), (">20", 21, 1000, 1),
    (">5%", 5, 100, 0), ("> 5 %", 6, 100, 1), (">0.5%", 5, 1000, 0), (">0.5%", 6, 1000, 1),
    (">5%", 0, 0, 0), (">100%", 9, 9, 0), (r">5\%", 6, 100, 1),
])
def test_a_run_fails_above_the_threshold(text, failed, done, status):
    assert exit_status(tally(done, dns=failed), [Condition.parse(text)]) == status


@pytest.mark.parametrize(("text", "status"), [
    ("timeout>2", 1), ("timeout>3", 0), ("timeout > 20 %", 1), ("timeout>30%", 0), ("dns>0", 0), ("http>3", 1),
    ("5xx>1", 1), ("5xx>2", 0), ("404>1", 1), ("4xx>2", 0), ("503>0", 1), ("2xx>2", 1), ("empty", 0),
])
def test_lines_are_counted_by_what_they_came_to(text, status):
    counted = tally(10, timeout=3, e404=2, e500=1, e503=1)
    assert exit_status(counted, [Condition.parse(text)]) == status


def test_without_a_condition_one_failure_is_enough():
    assert exit_status(tally(10), []) == 0
    assert exit_status(tally(10, dns=1), []) == 1


def test_any_condition_is_enough():
    conditions = [Condition.parse("empty"), Condition.parse(">50%")]
    assert [exit_status(tally(done, dns=failed), conditions) for done, failed in [(0, 0), (4, 2), (4, 3)]] == [1, 0, 1]


def test_what_an_earlier_run_did_counts_too():
    assert exit_status(tally(1), [], earlier=1, earlier_failed=1) == 1
    assert exit_status(tally(0), [Condition.parse("empty")], earlier=1) == 0
    assert exit_status(tally(10, dns=1), [Condition.parse(">5%")], earlier=10) == 0


@pytest.mark.parametrize("text", [
    "5%", "20", "<5%", ">", ">%", ">-1", ">5%%", "> five", "", "empty>1", "600>1", "9xx>1", "slow>1", "timeout",
    "error>1"])
def test_what_is_no_condition_is_refused_with_a_sentence(text):
    with pytest.raises(ValueError, match="is not a condition; write |is not a status or an error word, which are: "):
        Condition.parse(text)
