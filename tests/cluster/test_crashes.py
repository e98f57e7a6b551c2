"""Whatever is killed, and whenever: each line has one final record, and limits are kept."""
import random

from tests.cli.command import eventually
from tests.cluster.cluster import lines, urls_over_hosts

LINES, HOSTS, KILLS = 3000, 50, 6
CONCURRENCY, PER_HOST = 10, 3


def test_a_run_survives_the_death_of_its_workers(cluster, server, request):
    name = f"crash-{request.node.callspec.id}"
    urls, resolving = urls_over_hosts(LINES, HOSTS, server.port, "/delay/0.01?", name)
    cluster.fetcher.list(*urls)
    done = cluster.submit("list", "--partitions", "12", "-c", str(CONCURRENCY), "--per-host", str(PER_HOST),
                          *resolving)
    assert (done.status, done.out) == (0, "")
    workers = [cluster.start_worker() for _ in range(3)]
    for kill in range(1, KILLS + 1):
        eventually(lambda: cluster.count() >= LINES * kill * random.uniform(0.8, 1.0) / (KILLS + 1))
        victim = workers.pop(random.randrange(len(workers)))
        cluster.kill(victim)
        workers.append(cluster.start_worker())
    cluster.wait()
    found = cluster.records()
    assert lines(found) == {line: 1 for line in range(1, LINES + 1)}
    assert all(record["ok"] for record in found)
    stats = {host: counted for host, counted in server.stats().items() if host.startswith(name)}
    assert len(stats) == HOSTS
    assert max(counted["most_at_once"] for counted in stats.values()) <= PER_HOST
    again = sum(counted["requests"] for counted in stats.values()) - LINES
    # Requests in flight, and answers whose records were still in a batch.
    assert 0 <= again <= cluster.takeovers() * 5 * CONCURRENCY
