import pytest

from bench.scale import CHECK_LIMITS, checked, duration


@pytest.mark.parametrize("binding", CHECK_LIMITS)
def test_a_plan_comes_true_within_a_few_percent(binding):
    for check in checked(binding):
        assert 0.94 < check.planned / check.simulated < 1.03


def test_durations_are_said_as_people_say_them():
    said = [duration(seconds) for seconds in (44.0, 2_400.0, 40_209.0, 432_000.0)]
    assert said == ["44 s", "40 min", "11.2 h", "5 d"]
