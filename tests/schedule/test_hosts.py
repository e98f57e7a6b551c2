from collections import Counter, defaultdict

from hypothesis import given
from hypothesis import strategies as st

from fetcher.model import Target
from fetcher.options import Limits
from fetcher.schedule import Schedule


def targets_of(*hosts: str) -> list[Target]:
    return [Target.read(f"http://{host}.example/{line}", line) for line, host in enumerate(hosts, 1)]


def scheduled(targets: list[Target], concurrency: int = 100, per_host: int = 10) -> Schedule:
    schedule = Schedule(Limits(concurrency, per_host))
    for target in targets:
        schedule.add(target)
    return schedule


def handed_out(schedule: Schedule) -> list[Target]:
    """All that may go before another is done."""
    return list(iter(schedule.next, None))


def test_the_order_of_the_list_is_kept_where_no_cap_binds():
    targets = targets_of("a", "a", "b", "a", "c", "b")
    assert handed_out(scheduled(targets)) == targets


def test_no_more_run_than_the_concurrency_allows():
    schedule = scheduled(targets_of(*"abcdefgh"), concurrency=3)
    running = handed_out(schedule)
    assert [target.line for target in running] == [1, 2, 3]
    assert schedule.running == 3
    schedule.done(running[1])
    assert [target.line for target in handed_out(schedule)] == [4]


def test_a_host_gets_no_more_than_its_slots():
    schedule = scheduled(targets_of("a", "a", "a", "b"), per_host=2)
    assert [target.line for target in handed_out(schedule)] == [1, 2, 4]


def test_a_host_with_a_long_queue_does_not_delay_the_others():
    schedule = scheduled(targets_of(*["a"] * 50, "b", "c"), concurrency=4, per_host=2)
    assert [target.host[0] for target in handed_out(schedule)] == ["a", "a", "b", "c"]


def test_hosts_whose_slots_are_free_take_turns():
    schedule = scheduled(targets_of("a", "a", "a", "b", "b", "b"), concurrency=1, per_host=1)
    order = []
    while target := schedule.next():
        order.append(target.host[0])
        schedule.done(target)
    assert order == list("ababab")


def test_a_slot_passes_on_to_the_next_of_its_host():
    schedule = scheduled(targets_of("a", "b", "a", "b"), per_host=1)
    first_of_a, first_of_b = handed_out(schedule)
    schedule.done(first_of_b)
    assert [target.line for target in handed_out(schedule)] == [4]
    schedule.done(first_of_a)
    assert [target.line for target in handed_out(schedule)] == [3]


def test_targets_that_cannot_be_fetched_wait_for_nobody():
    targets = [Target.read("no url", line) for line in range(1, 6)]
    assert handed_out(scheduled(targets, per_host=1)) == targets


def test_it_is_full_when_its_window_is():
    targets = targets_of(*["a"] * 1000)
    assert not scheduled(targets[:-1]).full
    schedule = scheduled(targets)
    assert len(schedule) == 1000 and schedule.full
    schedule.next()
    assert len(schedule) == 999 and not schedule.full


def test_the_window_grows_with_the_concurrency():
    assert not scheduled(targets_of(*["a"] * 1000), concurrency=200).full


def test_hosts_that_are_done_with_are_forgotten():
    schedule = Schedule(Limits(per_host=1))
    for target in targets_of(*(f"host-{number}" for number in range(2000)), *["again"] * 3):
        schedule.add(target)
        while going := handed_out(schedule):
            for one in going:
                schedule.done(one)
    left = [name for name, value in vars(schedule).items() if isinstance(value, (dict, list)) and value]
    assert left == [] and len(schedule) == schedule.running == 0


@given(st.lists(st.sampled_from("aaaaabbc")), st.integers(1, 4), st.integers(1, 3), st.randoms(use_true_random=False))
def test_whatever_the_order_of_completions(hosts, concurrency, per_host, random):
    """Nothing lost or doubled, no cap exceeded, no slot idle, each host in the list's order."""
    schedule = Schedule(Limits(concurrency, per_host))
    unread, waiting = targets_of(*hosts), Counter()
    running: list[Target] = []
    order = defaultdict(list)
    while unread or waiting.total() or running:
        if unread and random.random() < 0.5:
            target = unread.pop(0)
            schedule.add(target)
            waiting[target.host] += 1
        elif target := schedule.next():
            running.append(target)
            waiting[target.host] -= 1
            order[target.host].append(target.line)
        else:
            busy = Counter(target.host for target in running)
            assert len(running) == concurrency or all(busy[host] == per_host for host in +waiting)
            if running:
                schedule.done(running.pop(random.randrange(len(running))))
        assert len(schedule) == waiting.total() and schedule.running == len(running) <= concurrency
        assert all(count <= per_host for count in Counter(target.host for target in running).values())
    assert sorted(line for lines in order.values() for line in lines) == list(range(1, len(hosts) + 1))
    assert all(lines == sorted(lines) for lines in order.values())
