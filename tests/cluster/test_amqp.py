"""What only RabbitMQ does: it stops waiting, is restarted, keeps orders meanwhile, and refuses some."""
import json

import pytest

from tests.cli.command import eventually
from tests.cluster.cluster import Cluster, lines


@pytest.fixture
def cluster(fetcher, amqp):
    with Cluster(fetcher, amqp) as cluster:
        yield cluster


def urls_of(hosts, count, path, server):
    """Return so many URLs of each host, and the options --resolve for it."""
    return ([f"http://{host}.test:{server.port}{path}?{number}" for host in hosts for number in range(count)],
            [f"--resolve={host}.test:{server.port}:127.0.0.1" for host in hosts])


def partitions(cluster):
    return json.loads(cluster.fetcher("status", "--run", "run").out)["partitions"]


def test_a_partition_may_take_longer_than_the_broker_waits(cluster, server, rabbitmq_server):
    urls, resolving = urls_of(["patient"], 100, "/delay/0.1", server)
    cluster.fetcher.list(*urls)
    before = rabbitmq_server.tired()
    cluster.submit("list", "-c", "2", *resolving)
    workers = [cluster.start_worker() for _ in range(2)]
    cluster.wait()
    assert rabbitmq_server.tired() > before
    assert lines(cluster.records()) == {line: 1 for line in range(1, 101)}
    assert server.stats()[f"patient.test:{server.port}"]["requests"] == 100
    assert [cluster.drain(worker) for worker in workers] == [0, 0]
    assert cluster.complaints == ""


def test_a_broker_that_is_started_anew_has_lost_nothing(cluster, server, rabbitmq_server):
    urls, resolving = urls_of(["anew-1", "anew-2", "anew-3", "anew-4"], 20, "/delay/0.1", server)
    cluster.fetcher.list(*urls)
    cluster.submit("list", "--partitions", "1000", "-c", "2", *resolving)
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
    urls, resolving = urls_of(["few-1", "few-2", "few-3", "few-4", "few-5"], 20, "/delay/1", server)
    cluster.fetcher.list(*urls)
    cluster.submit("list", "--partitions", "100000", "-c", "1", *resolving)
    cluster.start_worker("--processes", "2")
    eventually(lambda: partitions(cluster)["running"] == 2)
    assert rabbitmq_server.purge() >= 3     # more if it stopped waiting for those two and queued them again


def test_what_another_worker_has_does_not_keep_the_rest_waiting(cluster, server, rabbitmq_server):
    urls, resolving = urls_of(["long", "short"], 1000, "/delay/0.1", server)
    cluster.fetcher.list(*urls[:1001])
    cluster.submit("list", "--partitions", "1000", "-c", "1", *resolving)
    cluster.start_worker()
    eventually(lambda: partitions(cluster)["running"] == 1)
    assert rabbitmq_server.purge() >= 1
    cluster.submit("--again")       # the order of the partition that is running comes first
    cluster.start_worker()
    eventually(lambda: partitions(cluster)["done"] == 1)
    assert partitions(cluster)["running"] == 1


@pytest.mark.parametrize("command", [["submit", "list", "--run", "run", "--out", "out"], ["worker", "--out", "out"]])
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
