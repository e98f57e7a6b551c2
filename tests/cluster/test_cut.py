"""Cut a list into partitions."""
from collections import defaultdict

from fetcher.cluster import cut as cutting
from fetcher.cluster.cut import PartitionList, cut
from fetcher.model import Target


def targets(count, hosts=50):
    return [Target.read(f"http://host{number % hosts}/path/{number}", number) for number in range(1, count + 1)]


def found(directory, number):
    partition = PartitionList(str(directory / f"{number:03}"))
    try:
        return list(partition)
    finally:
        partition.close()


def test_each_target_is_in_one_partition_and_each_host_too(tmp_path, monkeypatch):
    monkeypatch.setattr(cutting, "_MAX_BUFFERED", 1000)
    counts = cut(iter(targets(1000)), tmp_path, 8)
    parts = [found(tmp_path, number) for number in range(8)]
    assert tuple(map(len, parts)) == counts
    lines = sorted(((target.line, target.parsed) for part in parts for target in part), key=lambda line: line[0])
    assert lines == [(target.line, target.parsed) for target in targets(1000)]
    homes = defaultdict(set)
    for number, part in enumerate(parts):
        for target in part:
            homes[target.host].add(number)
    assert len(homes) == 50
    assert all(len(numbers) == 1 for numbers in homes.values())


def test_the_same_list_is_cut_the_same_way_every_time(tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    assert cut(iter(targets(500)), tmp_path, 16) == cut(iter(targets(500)), other, 16)


def test_a_line_can_be_read_again(tmp_path):
    cut(iter(targets(100)), tmp_path, 1)
    partition = PartitionList(str(tmp_path / "000"))
    for target in list(partition):
        assert partition.read_again(target.place, target.line) == target
    partition.close()


def test_a_damaged_line_becomes_a_target_with_a_problem(tmp_path):
    cut(iter(targets(2)), tmp_path, 1)
    with open(tmp_path / "000", "ab") as file:
        file.write(b'{"url": "http://host')
    *_, damaged = found(tmp_path, 0)
    assert damaged.parsed is None
    assert "damaged" in damaged.problem


def test_many_partitions_take_few_descriptors(place, fetcher):
    name = fetcher.list(*(f"http://host{number}/" for number in range(2000)))
    program = ("import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40)); "
               "from fetcher.cli import main; main()")
    done = fetcher.python(program, "submit", name, "--run", "run", "--out", "out", "--partitions", "1000",
                          "--broker", "broker")
    assert (done.status, done.err.partition(" lines")[0]) == (0, "run: 2,000")
