from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.server_process import ServerProcess

settings.register_profile("shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared machine")


@pytest.fixture(scope="session")
def server() -> Iterator[ServerProcess]:
    """The embedded server; for tests that look at what it counted, a host name of their own is their own count."""
    with ServerProcess() as process:
        yield process
