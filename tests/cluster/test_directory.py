"""A directory as a broker: messages that are received but not acknowledged come back."""
import json
import os
import time
from queue import Empty

import pytest
from kombu import Connection
from kombu.exceptions import OperationalError

from fetcher.cluster.directory import ALIAS, transport_options

VISIBILITY_SECONDS = 0.3


@pytest.fixture
def open_queue(tmp_path):
    connections = []

    def opened():
        connection = Connection(f"{ALIAS}://", transport_options=transport_options(str(tmp_path), VISIBILITY_SECONDS))
        connections.append(connection)
        return connection.SimpleQueue(tmp_path.name, serializer="json")     # kombu tells queues apart only by name

    yield opened
    for connection in connections:
        connection.release()


@pytest.fixture
def files(tmp_path):
    """Return how many messages wait, and how many are received but not acknowledged."""
    return lambda: tuple(len(os.listdir(tmp_path / name)) for name in ("queue", "taken"))


def test_a_message_goes_to_one_and_is_gone_when_it_is_acknowledged(open_queue, files):
    open_queue().put({"number": 1})
    first, second = open_queue(), open_queue()
    message = first.get(timeout=1)
    assert (message.payload, files()) == ({"number": 1}, (0, 1))
    with pytest.raises(Empty):
        second.get(block=False)
    message.ack()
    assert files() == (0, 0)


def test_one_that_is_given_back_comes_again(open_queue, files):
    queue = open_queue()
    queue.put({"number": 1})
    message = queue.get(timeout=1)
    message.requeue()
    assert files() == (1, 0)
    again = open_queue().get(timeout=1)
    assert again.payload == {"number": 1}
    assert again.delivery_tag != message.delivery_tag
    again.reject()
    assert files() == (0, 0)


def test_one_whose_worker_was_killed_comes_again_after_the_visibility_time_out(open_queue, files):
    open_queue().put({"number": 1})
    open_queue().get(timeout=1)
    assert files() == (0, 1)
    survivor = open_queue()
    until = time.monotonic() + 60
    while True:
        try:
            message = survivor.get(timeout=0.1)
            break
        except Empty:
            assert time.monotonic() < until
    assert message.payload == {"number": 1}
    message.ack()
    assert files() == (0, 0)


def test_a_message_is_there_as_a_whole(open_queue, tmp_path):
    open_queue().put({"text": "x" * 1_000_000})
    (path,) = (tmp_path / "queue").iterdir()
    assert len(json.loads(path.read_text())["body"]) > 1_000_000


def test_a_message_that_cannot_be_written_is_told(open_queue, tmp_path):
    queue = open_queue()
    (tmp_path / "queue").rmdir()
    with pytest.raises(OperationalError, match="cannot be written: No such file or directory"):
        queue.put({"number": 1})
    (tmp_path / "queue").mkdir()
