"""What only RabbitMQ does: it grows tired of waiting, is started anew, keeps an order, and refuses."""
import json

import pytest

from tests.cli.command import eventually
from tests.cluster.cluster import Cluster, lines


@pytest.fixture
def cluster(fetcher, amqp):
    with Cluster(fetcher, amqp) as cluster:
        yield cluster


def partitions(cluster):
    return json.loads(cluster.fetcher("status", "--run", "run").out)["partitions"]


def test_a_partition_may_take_longer_than_the_broker_waits(cluster, server, rabbitmq_server):
    host = f"patient.test:{server.port}"
    cluster.fetcher.list(*(f"http://{host}/delay/0.1?{number}" for number in range(100)))
    before = rabbitmq_server.tired()
    cluster.submit("list", "-c", "2", "--resolve", f"{host}:127.0.0.1")
    workers = [cluster.start_worker() for _ in range(2)]
    cluster.wait()
    assert rabbitmq_server.tired() > before
    assert lines(cluster.records()) == {line: 1 for line in range(1, 101)}
    assert server.stats()[host]["requests"] == 100
    assert [cluster.drain(worker) for worker in workers] == [0, 0]
    assert cluster.log.read_text() == ""


def test_a_broker_that_is_started_anew_has_lost_nothing(cluster, server, rabbitmq_server):
    urls = [f"http://{host}.test:{server.port}/delay/0.1?{number}" for host in "abcd" for number in range(20)]
    cluster.fetcher.list(*urls)
    cluster.submit("list", "--partitions", "40", "-c", "2",
                   *(f"--resolve={host}.test:{server.port}:127.0.0.1" for host in "abcd"))
    worker = cluster.start_worker()
    eventually(lambda: cluster.count() > 5)
    rabbitmq_server.stop()
    rabbitmq_server.start()
    cluster.wait()
    assert lines(cluster.records()) == {line: 1 for line in range(1, 81)}
    assert cluster.drain(worker) == 0
    log = cluster.log.read_text()
    assert "Traceback" not in log, log
    assert "secret-of-" not in log


def test_a_worker_has_no_more_orders_than_processes(cluster, server, rabbitmq_server):
    urls = [f"http://{host}.test:{server.port}/delay/1?{number}" for host in "abcde" for number in range(20)]
    cluster.fetcher.list(*urls)
    cluster.submit("list", "--partitions", "1000", "-c", "1",
                   *(f"--resolve={host}.test:{server.port}:127.0.0.1" for host in "abcde"))
    cluster.start_worker("--processes", "2")
    eventually(lambda: partitions(cluster)["running"] == 2)
    assert rabbitmq_server.purge() == 3


def test_what_another_worker_has_does_not_keep_the_rest_waiting(cluster, server, rabbitmq_server):
    cluster.fetcher.list(*(server.url(f"/delay/0.1?{number}") for number in range(1000)),
                         f"http://short.test:{server.port}/")
    cluster.submit("list", "--partitions", "1000", "-c", "1", "--resolve", f"short.test:{server.port}:127.0.0.1")
    cluster.start_worker()
    eventually(lambda: partitions(cluster)["running"] == 1)
    assert rabbitmq_server.purge() == 1
    cluster.submit("--again")       # the order of the partition that is running comes first
    cluster.start_worker()
    eventually(lambda: partitions(cluster)["done"] == 1)
    assert partitions(cluster)["running"] == 1


@pytest.mark.parametrize("command", [["submit", "list", "--run", "run", "--out", "out"], ["worker"]])
@pytest.mark.parametrize(("right", "wrong", "complaint"), [
    ("secret-of-rabbitmq", "a-secret", "refuses: ACCESS_REFUSED"),
    ("/virtual", "/unknown", "refuses: NOT_ALLOWED - vhost unknown not found"),
])
def test_a_broker_that_refuses_is_one_line(fetcher, server, amqp, command, right, wrong, complaint):
    fetcher.list(server.url())
    done = fetcher(*command, "--broker", amqp.replace(right, wrong))
    assert (done.status, done.out, done.err.count("\n")) == (74, "", 1)
    assert complaint in done.err
    assert "secret" not in done.err


def test_a_broker_that_takes_no_messages_makes_submit_fail(fetcher, server, rabbitmq_server):
    fetcher.list(server.url())
    with Cluster(fetcher, rabbitmq_server.full) as cluster:
        done = cluster.submit("list")
    assert (done.status, done.out, done.err.count("\n")) == (74, "", 1)
    assert done.err.endswith("/full takes no more messages.\n")
    assert "secret" not in done.err
