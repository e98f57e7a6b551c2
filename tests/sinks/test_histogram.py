"""Quantiles are close to the exact ones, whatever was counted."""
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.sinks.histogram import Histogram


def counted(times):
    histogram = Histogram()
    for seconds in times:
        histogram.add(seconds)
    return histogram


@given(st.lists(st.floats(1e-6, 86_400), min_size=1), st.floats(0.01, 1))
def test_a_quantile_is_within_a_hundredth_of_the_exact_one(times, part):
    exact = sorted(times)[ceil(part * len(times)) - 1]
    assert counted(times).quantile(part) == pytest.approx(exact, rel=0.0101)


def test_the_sum_and_the_greatest_are_exact():
    histogram = counted([0.25, 4.0, 0.0])
    assert (histogram.count, histogram.sum, histogram.greatest) == (3, 4.25, 4.0)
    assert histogram.quantile(1) <= 4.0


def test_of_nothing_there_is_no_quantile():
    assert Histogram().quantile(0.5) is None
