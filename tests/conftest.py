from collections.abc import Iterator

import pytest

from tests.server_process import ServerProcess


@pytest.fixture(scope="session")
def server() -> Iterator[ServerProcess]:
    """The embedded server; for tests that look at what it counted, a host name of their own is their own count."""
    with ServerProcess() as process:
        yield process
