import itertools
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest

from fetcher.cluster.place import Place
from fetcher.cluster.registry import place_at
from tests.cli.command import Command, eventually
from tests.cluster import rabbitmq
from tests.cluster.cluster import Cluster
from tests.cluster.store import BUCKET, VARIABLES


@pytest.fixture
def fetcher(tmp_path) -> Command:
    return Command(tmp_path)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory) -> Iterator[str]:
    """The URL of a server of our own."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    home = tmp_path_factory.mktemp("redis")
    server = subprocess.Popen([program, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(home), "--save", "",
                               "--requirepass", "secret-of-redis"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        eventually(lambda: _answers(port))
        yield f"redis://:secret-of-redis@127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def redis(redis_server) -> str:
    """The URL of a database that is empty."""
    return f"{redis_server}/{next(_databases)}"


_databases = itertools.cycle(range(16))


@pytest.fixture(scope="session")
def store_server() -> Iterator[dict[str, str]]:
    """How an object store of our own is reached, as environment variables; it has a bucket."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen([sys.executable, "-m", "tests.cluster.store", str(port)],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    variables = {**VARIABLES, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
    try:
        eventually(lambda: _answers(port))
        urlopen(Request(f"{variables['AWS_ENDPOINT_URL']}/{BUCKET}", method="PUT")).close()
        yield variables
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def store(store_server, monkeypatch, fetcher) -> str:
    """The URL of an empty place in the object store, for the command as well as for us."""
    for name, value in store_server.items():
        monkeypatch.setenv(name, value)
    fetcher.environment.update(store_server)
    return f"s3://{BUCKET}/{uuid4().hex}"


@pytest.fixture(params=["folder", "bucket"])
def place(request, tmp_path) -> Place:
    """A place for output that is ready."""
    place = place_at(str(tmp_path / "out") if request.param == "folder" else request.getfixturevalue("store"))
    place.make()
    return place


def _answers(port: int) -> bool:
    with suppress(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    return False


@pytest.fixture(scope="session")
def rabbitmq_server(tmp_path_factory) -> Iterator[rabbitmq.RabbitMQ]:
    """A server of our own, which is soon tired of waiting for acknowledgements."""
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
    """The URL of a server that has no message."""
    rabbitmq_server.delete()
    return rabbitmq_server.url


@pytest.fixture(params=["directory", "redis", "amqp"])
def cluster(request, fetcher) -> Iterator[Cluster]:
    broker = "broker" if request.param == "directory" else request.getfixturevalue(request.param)
    with Cluster(fetcher, broker) as cluster:
        yield cluster
