from dataclasses import replace

import pytest

from bench.plan import Partitions, Worker, assigned, hosts_of, partitioned, planned, submitter_bytes, worker_bytes
from bench.sizes import Sizes

WORKER = Worker(capacity=1000, concurrency=100, per_host=10, answer_seconds=0.1, start_seconds=0.0)


def test_a_worker_is_as_fast_as_its_core_or_its_slots():
    assert WORKER.rate == 1000
    assert replace(WORKER, capacity=300).rate == 300
    assert replace(WORKER, answer_seconds=1.0).rate == 100


def test_a_host_is_as_fast_as_its_slots_or_its_pace():
    assert WORKER.pace == 100
    assert replace(WORKER, per_host_rate=2.0).pace == 2.0


def test_a_partition_takes_as_long_as_its_lines_or_its_largest_host():
    assert WORKER.seconds(5000, 100) == 5.0
    assert WORKER.seconds(5000, 2000) == 20.0


def test_whoever_is_done_first_takes_the_next():
    assert assigned([5.0, 2.0, 1.0, 3.0], 2) == [(0, 0.0, 5.0), (1, 0.0, 2.0), (1, 2.0, 3.0), (1, 3.0, 6.0)]


def test_all_lines_are_in_partitions():
    sizes = Sizes(30_000_000, 1_000_000)
    partitions = partitioned(sizes, hosts_of(sizes), 64)
    assert sum(partitions.lines) == pytest.approx(sizes.total, rel=0.01)
    assert max(partitions.largest) == sizes.of(1)


def test_small_hosts_in_bulk_spread_like_single_ones():
    sizes = Sizes(900_000, 30_000)
    hosts = hosts_of(sizes)
    single, bulk = (partitioned(sizes, some, 16) for some in (hosts, hosts[:3_000]))
    assert bulk.imbalance == pytest.approx(single.imbalance, rel=0.1)


def test_more_workers_shorten_a_run_until_its_largest_host_is_all_that_is_left():
    partitions = Partitions((1000.0,) * 8, (10.0,) * 7 + (400.0,))
    makespans = [planned(partitions, WORKER, workers).makespan for workers in (1, 2, 4, 8, 16)]
    assert makespans == [11.0, 7.0, 5.0, 4.0, 4.0]
    assert planned(partitions, WORKER, 8).floor == 4.0


def test_idle_workers_are_seen_in_the_imbalance():
    partitions = Partitions((1000.0, 1000.0), (1.0, 1.0))
    assert planned(partitions, WORKER, 2).imbalance == 1.0
    assert planned(partitions, WORKER, 4).imbalance == 2.0


def test_each_order_is_given_taken_and_acknowledged_when_no_worker_is_ever_idle():
    partitions = Partitions((1000.0,) * 6, (1.0,) * 6)
    assert planned(partitions, WORKER, 3).messages == 18
    assert planned(partitions, WORKER, 9).messages > 18


def test_memory_does_not_grow_with_the_list_but_for_what_is_on_record():
    assert submitter_bytes(1000) == 70_200_000
    assert worker_bytes(WORKER, 1_000_000) - worker_bytes(WORKER, 600_000) == 9 * 400_000
