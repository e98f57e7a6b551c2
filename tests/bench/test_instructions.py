"""The cost of a request must not grow unnoticed. `python -m bench.instructions --keep` saves a new figure."""
import pytest

from bench import instructions
from bench.servers import Missing

MAX_GROWTH = 1.03


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_request_costs_no_more_instructions_than_before():
    before = instructions.kept()
    if before is None:
        pytest.skip(f"no figure is kept for Python {instructions.PYTHON}")
    try:
        now = instructions.per_request()
    except Missing as missing:
        pytest.skip(str(missing))
    assert now <= before * MAX_GROWTH
