from hypothesis import given
from hypothesis import strategies as st

from fetcher.demo.memory import MAX_TIMES, Memory
from fetcher.demo.message import Request


def request(host="a", target="/status/200"):
    return Request(method="GET", target=target, host=host)


@given(st.lists(st.sampled_from(["began", "ended", "reset"]), max_size=60))
def test_most_at_once_is_the_highest_of_at_once_since_the_reset(events):
    memory, at_once, most, requests = Memory(), 0, 0, 0
    for event in events:
        if event == "began":
            memory.began(request())
            at_once, requests = at_once + 1, requests + 1
            most = max(most, at_once)
        elif event == "ended" and at_once:
            memory.ended(request())
            at_once -= 1
        elif event == "reset":
            memory.reset()
            most, requests = at_once, 0
    counted = memory.stats().get("a", {"requests": 0, "at_once": 0, "most_at_once": 0})
    assert counted == {"requests": requests, "at_once": at_once, "most_at_once": most}


def test_hosts_are_counted_apart():
    memory = Memory()
    for host in ("a", "a", "b:80"):
        memory.began(request(host))
    memory.ended(request("a"))
    assert memory.stats() == {"a": {"requests": 2, "at_once": 1, "most_at_once": 2},
                              "b:80": {"requests": 1, "at_once": 1, "most_at_once": 1}}


def test_who_asks_for_the_stats_is_not_in_them():
    memory = Memory()
    memory.began(request(target="/stats?times=1"))
    memory.ended(request(target="/stats?times=1"))
    assert memory.stats() == {}


def test_the_last_arrivals_are_kept():
    memory = Memory()
    for _ in range(MAX_TIMES + 5):
        memory.began(request())
    times = memory.stats(times=True)["a"]["times"]
    assert len(times) == MAX_TIMES
    assert times == sorted(times)
