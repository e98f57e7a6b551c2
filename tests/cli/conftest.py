from collections.abc import Iterator

import pytest

from tests.cli.command import Command
from tests.cli.terminal import Terminal


@pytest.fixture
def fetcher(tmp_path) -> Command:
    return Command(tmp_path)


@pytest.fixture
def terminal(fetcher) -> Iterator[Terminal]:
    with Terminal(fetcher) as terminal:
        yield terminal
