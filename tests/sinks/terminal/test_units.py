import pytest
from hypothesis import given, strategies as st

from fetcher.sinks.terminal import units


@pytest.mark.parametrize(("count", "shown"), [
    (0, "0 B"), (999, "999 B"), (1000, "1.00 KB"), (1234, "1.23 KB"), (9_999, "10.0 KB"), (99_990, "100 KB"),
    (999_600, "1.00 MB"), (45_200_000, "45.2 MB"), (1.5e12, "1.50 TB"),
])
def test_sizes_have_three_digits(count, shown):
    assert units.size(count) == shown


@pytest.mark.parametrize(("seconds", "shown"), [
    (0, "0.0 ms"), (0.0123, "12.3 ms"), (0.0999, "100 ms"), (0.9994, "999 ms"), (0.9996, "1.00 s"), (12.34, "12.3 s"),
    (99.96, "1m40s"), (123, "2m03s"), (3599.9, "1h00m"), (3720, "1h02m"),
])
def test_durations_have_three_digits(seconds, shown):
    assert units.duration(seconds) == shown


@pytest.mark.parametrize(("seconds", "shown"), [(0.9, "0:00"), (7, "0:07"), (754, "12:34"), (3723, "1:02:03")])
def test_a_clock_shows_seconds(seconds, shown):
    assert units.clock(seconds) == shown


@pytest.mark.parametrize(("rate", "shown"), [(0.042, "0.04/s"), (9.13, "9.1/s"), (806.4, "806/s"), (12345, "12,345/s")])
def test_rates_are_round(rate, shown):
    assert units.rate(rate) == shown


@given(st.floats(0, 1e5))
def test_a_column_of_seven_holds_any_duration(seconds):
    assert len(units.duration(seconds)) <= 7


@given(st.integers(0, 10**17))
def test_a_column_of_seven_holds_any_size(count):
    assert len(units.size(count)) <= 7
