"""Which partitions nobody works on, whatever the clocks of other machines say."""
import pytest

from fetcher.cluster.keeper import idle
from fetcher.cluster.state import RELEASED, RUNNING, Counts, State


def state(reported, phase=RUNNING):
    return State(phase, "other:1", reported, 30.0, 0.0, 0, (), Counts().as_data())


@pytest.mark.parametrize("clock", [0.0, 1e9, 1e12], ids=["slow", "right", "fast"])
def test_a_worker_that_reports_is_at_work(clock):
    assert idle([0], {0: state(clock + 60)}, {0: state(clock)}) == []
    assert idle([0], {0: state(clock)}, {0: state(clock)}) == [0]


def test_a_partition_that_is_seen_for_the_first_time_may_be_worked_on():
    assert idle([0], {0: state(1e9)}, {}) == []


def test_what_was_not_begun_or_was_released_is_idle_at_once():
    assert idle([1, 0], {0: state(1e9, RELEASED)}, {}) == [1, 0]
