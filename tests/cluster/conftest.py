import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest

from fetcher.cluster.place import Place
from fetcher.cluster.registry import place_at
from tests.cli.command import Command
from tests.cluster import rabbitmq
from tests.cluster import store as store_program
from tests.cluster.cluster import Cluster
from tests.peers.process import free_ports, program, running


HERE = Path(__file__).parent
TIMEOUT_SECONDS = 900       # to start a broker, several workers and their processes on a busy machine


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.timeout(TIMEOUT_SECONDS))


@pytest.fixture
def fetcher(tmp_path) -> Command:
    return Command(tmp_path)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory) -> Iterator[str]:
    """The URL of a Redis server for the tests."""
    ports = free_ports("redis")
    command = [program("redis-server"), "--port", ports["redis"], "--bind", "127.0.0.1", "--save", "",
               "--requirepass", "secret-of-redis"]
    with running(command, tmp_path_factory.mktemp("redis"), ports, as_nobody=False):
        yield f"redis://:secret-of-redis@127.0.0.1:{ports['redis']}"


@pytest.fixture
def redis(redis_server) -> str:
    """The URL of an empty database."""
    return f"{redis_server}/{next(_databases)}"


_databases = itertools.cycle(range(16))


@pytest.fixture(scope="session")
def store_server(tmp_path_factory) -> Iterator[dict[str, str]]:
    """The environment variables for an object store with a bucket."""
    ports = free_ports("http")
    command = [sys.executable, store_program.__file__, ports["http"]]
    with running(command, tmp_path_factory.mktemp("store"), ports, as_nobody=False) as server:
        urlopen(Request(server.url(f"/{store_program.BUCKET}"), method="PUT")).close()
        yield {**store_program.VARIABLES, "AWS_ENDPOINT_URL": server.url("")}


@pytest.fixture
def store(store_server, monkeypatch, fetcher) -> str:
    """The URL of an empty place in the object store. The command and the test can both use it."""
    for name, value in store_server.items():
        monkeypatch.setenv(name, value)
    fetcher.environment.update(store_server)
    return f"s3://{store_program.BUCKET}/{uuid4().hex}"


@pytest.fixture(params=["folder", "bucket"])
def place(request, tmp_path) -> Place:
    """A place that is ready for output."""
    place = place_at(str(tmp_path / "out") if request.param == "folder" else request.getfixturevalue("store"))
    place.make()
    return place


@pytest.fixture(scope="session")
def rabbitmq_server(tmp_path_factory) -> Iterator[rabbitmq.RabbitMQ]:
    """A RabbitMQ server that waits only two seconds for an acknowledgement."""
    if rabbitmq.PROGRAM is None:
        pytest.skip("rabbitmq-server is not installed")
    server = rabbitmq.RabbitMQ(tmp_path_factory.mktemp("rabbitmq"), acknowledgement_seconds=2)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def amqp(rabbitmq_server) -> str:
    """The URL of the server, with an empty queue."""
    rabbitmq_server.delete()
    return rabbitmq_server.url


@pytest.fixture(params=["directory", "redis", "amqp"])
def cluster(request, fetcher) -> Iterator[Cluster]:
    broker = "broker" if request.param == "directory" else request.getfixturevalue(request.param)
    with Cluster(fetcher, broker) as cluster:
        yield cluster
