import pytest

from bench.simulate import BINDING, simulated


@pytest.mark.slow
@pytest.mark.parametrize("binding", BINDING)
def test_a_run_over_very_unequal_hosts_takes_hardly_longer_than_the_limits_make_it(binding):
    outcome = simulated(binding, scale=0.02)
    assert 1.0 <= outcome.makespan / outcome.least < 1.05
