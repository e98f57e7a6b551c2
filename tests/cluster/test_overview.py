"""The progress of a whole run, and what a terminal shows of it."""
import orjson
import pytest

from fetcher.cluster.folder import Folder
from fetcher.cluster.overview import Overview, Picture
from fetcher.cluster.place import records_name, state_name
from fetcher.cluster.run import ClusterRun
from fetcher.cluster.screen import compose
from fetcher.cluster.state import DONE, FOREVER, RUNNING, Counts, State
from fetcher.model import Result, Timings
from fetcher.options import Options
from fetcher.sinks.verdict import Condition


def result(line, **fields):
    fields = {"ok": True, "status": 200, "size": 10, "attempts": 1, "timings": Timings(connect=0.1, total=line / 10),
              **fields}
    return Result(f"http://host/{line}", line, **fields)


FAILED = {"ok": False, "status": None, "error": "dns"}


def counts(*results):
    counted = Counts()
    for each in results:
        counted.write(each)
    return counted


def numbers(counts):
    return orjson.loads(orjson.dumps(counts.as_data(), option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SORT_KEYS))


def picture(counted=None, done=0, fail_if=(), held=()):
    run = ClusterRun("run", (3, 0, 2), Options(), 100.0, fail_if, (), ())
    counted = counted or counts(result(1), result(2, **FAILED))
    state = State(RUNNING, "machine:7", 109.0, 30.0, 1.5, 2, held, numbers(counted))
    return Picture(run, "/out", 110.0, counted.tally, counted.statistics, {0: state}, done, state.rate)


def test_counts_of_parts_add_up_to_those_of_the_whole():
    results = [result(1), result(2, **FAILED), result(3, attempts=2), result(4, ok=False, status=404, error="http")]
    whole, sum_of_parts = counts(*results), Counts()
    for part in counts(*results[:1]), counts(*results[1:]), counts():
        sum_of_parts.add(numbers(part))
    assert numbers(sum_of_parts) == numbers(whole)
    assert sum_of_parts.tally.times.quantile(0.5) == whole.tally.times.quantile(0.5)
    assert sum_of_parts.tally.times.buckets == whole.tally.times.buckets


def test_the_examples_of_a_failure_are_its_first_lines_whichever_partition_they_are_in():
    total = Counts()
    for part in counts(result(9, **FAILED), result(4, **FAILED)), counts(result(2, **FAILED), result(7, **FAILED)):
        total.add(numbers(part))
    assert [example.line for example in total.tally.examples["dns"]] == [2, 4, 7]


def test_records_count_as_their_results():
    results = [result(1), result(2, **FAILED), result(3, ok=False, status=500, error="http", final_url="http://b/")]
    read = Counts()
    read.read(orjson.dumps(each.record()) + b"\n" for each in results)
    assert numbers(read) == numbers(counts(*results))


@pytest.mark.parametrize(("results", "fail_if", "status"), [
    ([result(1)], [], 0),
    ([result(1), result(2, **FAILED)], [], 1),
    ([result(1), result(2, **FAILED)], [">1"], 0),
    ([result(1), result(2, **FAILED)], [">49%"], 1),
    ([result(1), result(2, **FAILED)], [">50%"], 0),
    ([result(1, ok=False, status=None, error="deadline")], [">100%"], 124),
])
def test_the_exit_status_is_that_of_a_run_on_one_machine(results, fail_if, status):
    assert picture(counts(*results), fail_if=tuple(map(Condition.parse, fail_if))).exit_status == status


def test_it_is_one_object_for_programs():
    record = picture(held=(("host", "Retry-After 5 s", 2.0, 7), ("shut", "robots", FOREVER, 9))).record()
    assert (record["lines"], record["urls"], record["ok"], record["failed"]) == (5, 2, 1, 1)
    assert record["partitions"] == {"total": 2, "done": 0, "running": 1, "waiting": 1}
    assert (record["done"], record["exit_status"], record["rate"]) == (False, None, 1.5)
    assert record["time_total"]["max"] == record["slowest"][0]["time_total"] == 0.2
    assert [(host["host"], host["seconds"]) for host in record["hosts_waiting"]] == [("shut", None), ("host", 2.0)]
    assert record["workers"] == [{"worker": "machine:7", "partition": 0, "lines": 3, "urls": 2, "rate": 1.5,
                                  "in_flight": 2, "silent": 1.0}]


def test_the_rate_is_known_of_partitions_that_are_shorter_than_a_beat(tmp_path, monkeypatch):
    now = 1000.0
    monkeypatch.setattr("fetcher.cluster.overview.monotonic", lambda: now)
    folder = Folder(str(tmp_path))
    folder.make()
    overview = Overview(folder, ClusterRun("run", (10,) * 100, Options(), 100.0, None, (), ()))

    def tell(number, phase, *results):
        state = State(phase, "worker", now, 30.0, 0.0, 0, (), numbers(counts(*results)))
        folder.replace(records_name(number, 1), b"")
        folder.replace(state_name(number, 1), state.encode())

    tell(0, RUNNING)
    assert overview.picture().rate == 0
    for number in range(20):
        tell(number, DONE, *map(result, range(10)))
        tell(number + 1, RUNNING)
        now += 2
        seen = overview.picture()
    assert seen.rate == pytest.approx(5.0)


@pytest.mark.parametrize("width", [20, 40, 80, 200])
@pytest.mark.parametrize("height", [2, 8, 24, 60])
def test_no_line_is_wider_and_no_screen_higher_than_asked(width, height):
    seen = picture(held=(("a-very-long-name-of-a-host.example", "Retry-After 5 s", 2.0, 7),))
    lines = compose(seen, width, height)
    assert len(lines) <= height
    assert max(sum(len(text) for text, _ in line) for line in lines) <= width


def test_the_screen_shows_partitions_workers_hosts_that_wait_and_failures():
    text = "\n".join("".join(text for text, _ in line)
                     for line in compose(picture(held=(("slow.example", "Retry-After 5 s", 2.0, 7),)), 80, 24))
    for word in "2 of 5", "partitions done 0", "running 1", "waiting 1", "machine:7  partition 0", "2 of 3", \
                "slow.example  Retry-After 5 s", "dns":
        assert word in text
