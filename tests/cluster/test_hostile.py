"""Anybody who can write to the broker can neither stop a worker nor make it read or write what its operator forbids."""
import json
from collections.abc import Callable
from pathlib import Path

import amqp
import pytest
from redis import Redis

from fetcher.cluster.run import VERSION
from tests.cli.command import eventually
from tests.cluster.cluster import Cluster, lines

HEADERS = {"task": "fetcher.partition", "id": "1", "lang": "py"}
DELIVERY = {"delivery_tag": "1", "delivery_info": {"exchange": "fetcher", "routing_key": "fetcher"}}
ORDER = {"version": VERSION, "run": "run", "out": "/", "partition": 0}


def body(order, arguments=(), embed=None):
    return json.dumps([list(arguments), order, embed or {}])


# not an order in Celery's protocol
JUNK = [
    (HEADERS, ""),
    (HEADERS, "junk"),
    (HEADERS, "[" * 100_000),
    (HEADERS, "[]"),
    (HEADERS, "[[], {}, {}]"),
    (HEADERS, body("order")),
    (HEADERS, body(ORDER, ["argument"])),
    (HEADERS, body({**ORDER, "partition": "0"})),
    (HEADERS, body({**ORDER, "partition": -1})),
    (HEADERS, body({**ORDER, "run": "../run"})),
    (HEADERS, body({**ORDER, "out": "/\0"})),
    (HEADERS, body({**ORDER, "out": ["/"]})),
    (HEADERS, body({**ORDER, "command": "\x1b[2Jrm"})),
    (HEADERS, body({**ORDER, "version": 99})),
    (HEADERS, body({**ORDER, "version": True})),
    ({}, body(ORDER)),
    ({"task": []}, body(ORDER)),
    ({"task": "celery.map"}, body(ORDER)),
    ({**HEADERS, "compression": "application/x-gzip"}, body(ORDER)),
    ({**HEADERS, "compression": "application/x-bzip9"}, body(ORDER)),
]
# not a message of kombu, for brokers whose messages are text
NO_MESSAGE = [
    b"", b"junk", b"\xff\xfe", b"null", b"5", b"[]", b"{}", b'{"properties": []}', b'{"properties": {}, "body": 5}',
    b'{"properties": {"body_encoding": "base64"}, "body": "!"}',
    b'{"properties": {"body_encoding": "rot13"}, "body": "!"}',
    b'{"properties": {}, "body": "x", "headers": [1]}',
    b'{"properties": {"delivery_tag": {"__type__": "datetime", "__value__": "never"}}}',
    b'{"__type__": "decimal", "__value__": "x"}',
    b"[" * 100_000,
]


class Attacker:
    """Puts messages into a broker by hand."""

    def __init__(self, cluster):
        self._cluster = cluster
        self._broker = cluster.broker
        self._count = 0

    def push(self, headers, text):
        """Return a message with these headers."""
        if self._broker.startswith("amqp"):
            user, _, host = self._broker.removeprefix("amqp://").rpartition("@")
            address, _, virtual = host.partition("/")
            with amqp.Connection(address, *user.split(":"), virtual_host=virtual) as connection:
                channel = connection.channel()
                channel.queue_declare("fetcher", durable=True, auto_delete=False)
                channel.basic_publish(amqp.Message(text, application_headers=headers,
                                                   content_type="application/json"), routing_key="fetcher")
        else:
            self.push_bytes(json.dumps({"body": text, "headers": headers, "properties": DELIVERY,
                                        "content-type": "application/json"}).encode())

    def push_bytes(self, content):
        if self._broker.startswith("redis"):
            with Redis.from_url(self._broker) as client:
                client.lpush("fetcher", content)
        else:
            queue = self._cluster.fetcher.home / self._broker / "queue"
            queue.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._count += 1
            (queue / f"{self._count:014}_x.fetcher.msg").write_bytes(content)


@pytest.fixture
def attacker(cluster):
    return Attacker(cluster)


def submitted_elsewhere(cluster, out):
    """A run at `out`, whose orders were sent to a broker without workers."""
    return cluster.fetcher("submit", "list", "--run", "run", "--out", str(out), "--broker", "nobody")


def records_in(*places):
    return [part for place in places for part in Path(place).glob("*.jsonl")]


def test_what_is_no_order_is_told_of_once_and_the_worker_goes_on(cluster, attacker, server):
    junk: list[tuple[Callable[..., None], tuple[object, ...]]] = [(attacker.push, message) for message in JUNK]
    if not cluster.broker.startswith("amqp"):
        junk += [(attacker.push_bytes, (content,)) for content in NO_MESSAGE]
    for push, message in junk:
        push(*message)
    worker = cluster.start_worker()
    cluster.fetcher.list(server.url())
    assert cluster.submit("list").status == 0
    cluster.wait()
    for push, message in junk:
        push(*message)
    eventually(lambda: cluster.complaints.count("\n") >= 2 * len(junk))
    assert cluster.drain(worker) == 0
    log = cluster.complaints
    assert log.count("\n") == 2 * len(junk), log
    assert all(line.startswith("fetcher: ") and line.isprintable() for line in log.splitlines()), log
    assert lines(cluster.records()) == {1: 1}


ELSEWHERE = ["{home}/elsewhere", "{home}/out/../elsewhere", "{home}/out/link", "file://{home}/elsewhere", "elsewhere",
             "s3://bucket/elsewhere"]


def test_an_order_for_another_place_is_not_followed(cluster, attacker, server):
    home = cluster.fetcher.home
    cluster.fetcher.list(server.url())
    submitted_elsewhere(cluster, home / "elsewhere")
    (home / "out").mkdir()
    (home / "out" / "link").symlink_to(home / "elsewhere")
    worker = cluster.start_worker("--out", str(home / "out"))
    for spelling in ELSEWHERE:
        attacker.push(HEADERS, body({**ORDER, "out": spelling.format(home=home), "partition": 0}))
    eventually(lambda: cluster.log.read_text().count("is not under a place of this worker") == len(ELSEWHERE))
    assert cluster.submit("list", "--wait", out="out/good", name="good").status == 0
    assert cluster.drain(worker) == 0
    assert records_in(home / "elsewhere") == []
    assert cluster.complaints.count("\n") == len(ELSEWHERE)


def test_a_directory_broker_of_ones_own_follows_what_was_submitted_there_alone(fetcher, server):
    with Cluster(fetcher, "broker") as cluster:
        fetcher.list(server.url())
        submitted_elsewhere(cluster, "elsewhere")
        worker = cluster.start_worker()
        Attacker(cluster).push(HEADERS, body({**ORDER, "out": str(fetcher.home / "elsewhere"), "partition": 0}))
        eventually(lambda: "is not signed" in cluster.log.read_text())
        assert cluster.submit("list", "--wait", name="good").status == 0
        assert cluster.drain(worker) == 0
        assert records_in(fetcher.home / "elsewhere") == []


def test_an_order_for_a_run_that_is_not_there_is_set_aside(cluster, attacker, server):
    home = cluster.fetcher.home
    cluster.fetcher.list(server.url())
    worker = cluster.start_worker("--out", str(home))
    attacker.push(HEADERS, body({**ORDER, "out": str(home / "nothing")}))
    eventually(lambda: f"There is no run in {home}/nothing." in cluster.log.read_text())
    assert cluster.submit("list", "--wait", name="good").status == 0
    assert cluster.drain(worker) == 0
    assert cluster.complaints.count("\n") == 1


def test_with_a_key_only_what_is_signed_is_followed(cluster, server):
    home = cluster.fetcher.home
    (home / "key").write_text("0123456789abcdef\n")
    (home / "wrong").write_text("0123456789abcdeX\n")
    cluster.fetcher.list(server.url())
    worker = cluster.start_worker("--out", str(home), "--key", "key")
    assert cluster.submit("list", out="unsigned").status == 0
    assert cluster.submit("list", "--cluster-key", "wrong", out="wrongly", name="wrongly").status == 0
    eventually(lambda: cluster.log.read_text().count("is not signed") == 2)
    assert cluster.submit("list", "--wait", out="signed", name="signed", FETCHER_CLUSTER_KEY="key").status == 0
    assert cluster.drain(worker) == 0
    assert records_in(home / "unsigned", home / "wrongly") == []
    assert cluster.complaints.count("\n") == 2


def test_a_run_that_was_changed_since_it_was_signed_is_not_followed(cluster, server):
    home = cluster.fetcher.home
    (home / "key").write_text("0123456789abcdef\n")
    cluster.fetcher.list(server.url())
    assert cluster.submit("list", "--cluster-key", "key").status == 0
    run = home / "out" / ".fetcher" / "run.json"
    content = run.read_bytes()
    run.write_bytes(content.replace(b'"insecure":false', b'"insecure":true'))
    assert run.read_bytes() != content
    worker = cluster.start_worker("--out", str(home), "--key", "key")
    eventually(lambda: "its run has changed" in cluster.log.read_text())
    run.write_bytes(content)
    assert cluster.submit("--again", "--wait", "--cluster-key", "key").status == 0
    assert cluster.drain(worker) == 0


def test_a_run_cannot_have_files_of_the_worker_read(cluster, server):
    home = cluster.fetcher.home
    secret = home / "secret"
    secret.write_text("127.0.0.1\tFALSE\t/\tFALSE\t0\tname\tsecret\n")
    cluster.fetcher.list(server.url("/echo"))
    worker = cluster.start_worker("--out", str(home / "out"))
    assert cluster.submit("list", "--cookie", str(secret), out="out/bad", name="bad").status == 0
    eventually(lambda: "--allow-file" in cluster.log.read_text())
    assert cluster.submit("list", "--wait", out="out/good", name="good").status == 0
    assert cluster.drain(worker) == 0
    assert records_in(home / "out" / "bad") == []


def test_a_worker_that_blocks_private_addresses_connects_to_none(cluster, server):
    home = cluster.fetcher.home
    cluster.fetcher.list(server.url("/echo"), "http://[::ffff:127.0.0.1]/", "http://localhost/")
    worker = cluster.start_worker("--out", str(home), "--block-private")
    assert cluster.submit("list", "--wait").status == 1
    assert cluster.drain(worker) == 0
    assert {record["error"] for record in cluster.records()} == {"blocked"}


def test_what_stands_for_a_run_in_redis_is_held_against_the_same(fetcher, server, redis):
    home = fetcher.home
    with Cluster(fetcher, redis) as cluster, Redis.from_url(redis) as client:
        fetcher.list(server.url())
        submitted_elsewhere(cluster, home / "elsewhere")
        for entry in b"junk", b"[1]", b"{}", json.dumps(["run", str(home / "elsewhere")]):
            client.sadd("fetcher.runs", entry)
        client.sadd("fetcher.runs", json.dumps({**ORDER, "out": str(home / "elsewhere"), "partition": None}))
        worker = cluster.start_worker("--out", str(home / "out"))
        eventually(lambda: client.scard("fetcher.runs") == 1)
        assert cluster.submit("list", "--wait", name="good").status == 0
        assert client.llen("fetcher") == 0
        assert cluster.drain(worker) == 0
        assert records_in(home / "elsewhere") == []
        assert cluster.complaints.count("\n") == 4


def test_what_redis_holds_as_taken_may_be_junk(fetcher, server, redis):
    with Cluster(fetcher, redis) as cluster, Redis.from_url(redis) as client:
        fetcher.list(server.url())
        for number, junk in enumerate((b"junk", b"[]", b'[{}, [], {}]', b'["x", "fetcher", "fetcher"]')):
            client.hset("unacked", str(number), junk)
            client.zadd("unacked_index", {str(number): 1})
        worker = cluster.start_worker()
        eventually(lambda: not client.exists("unacked_index"))
        assert cluster.submit("list", "--wait", name="good").status == 0
        assert cluster.drain(worker) == 0
