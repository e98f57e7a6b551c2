import tracemalloc
from collections import Counter
from itertools import islice
from time import thread_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.errors import InputError
from fetcher.model import Overrides, Target
from fetcher.options import InputOptions
from fetcher.targets.choice import Choice
from fetcher.url import parse

LIST = [Target.read(text, line) for line, text in enumerate(
    [f"http://host-{number % 40}/{number}" for number in range(400)] + ["no url", "no url", "http://"], 1)]


def choose(targets, **options) -> list[Target]:
    return list(Choice(InputOptions(**options)).of(iter(targets)))


def urls(*texts: str) -> list[str]:
    return [target.url for target in choose(map(Target.read, texts), unique=True)]


def test_without_a_choice_all_are_taken():
    assert choose(LIST) == LIST


# Patterns

def test_one_of_the_patterns_has_to_be_found_and_none_of_the_others():
    targets = list(map(Target.read, ["http://a/1.pdf", "http://a/2.html", "HTTP://B/3.pdf#x", "http://a/4.txt"]))
    assert [target.url[-1] for target in choose(targets, match=("pdf$", r"\.txt"))] == ["f", "x", "t"]
    assert choose(targets, match=("^http://a/",), exclude=("pdf", "html")) == targets[3:]
    assert choose(targets, exclude=("",)) == []


def test_what_holds_no_url_is_left_out_by_no_pattern_and_what_is_left_out_is_counted():
    choice = Choice(InputOptions(match=("host-1/",), limit=5))
    assert [target.line for target in choice.of(iter(LIST))] == [2, 42, 82, 122, 162]
    assert choice.left_out == 157
    assert choose(LIST, match=("no such host",)) == LIST[-3:]


def test_a_pattern_that_is_none_says_so():
    for options in InputOptions(match=("(",)), InputOptions(exclude=("(",)):
        with pytest.raises(InputError, match=r"^--(match|exclude) '\(' is not a valid RE2 expression: missing \)"):
            Choice(options)


def test_a_pattern_cannot_explode():
    targets = [Target.read("http://a/" + "a" * 60_000)]
    start = thread_time()
    assert choose(targets, match=("(a+)+(a+)+$$b", "(a|a)*c")) == []
    assert thread_time() - start < 2.0


# Shards

@pytest.mark.parametrize("parts", [1, 2, 3, 7])
def test_every_line_is_in_exactly_one_shard_in_the_order_of_the_list(parts):
    shards = [choose(LIST, shard=(part, parts)) for part in range(1, parts + 1)]
    assert sorted((target for shard in shards for target in shard), key=lambda target: target.line) == LIST
    assert all(shard == sorted(shard, key=lambda target: target.line) for shard in shards)


def test_a_host_is_in_one_shard_whatever_the_port_and_the_spelling():
    spellings = ["http://example.org/", "https://EXAMPLE.org/b", "http://example.org:81/", "http://me@example.org/"]
    assert len({len(choose(map(Target.read, spellings), shard=(part, 2))) for part in (1, 2)} - {0, 4}) == 0


def test_a_shard_is_the_same_in_every_run_on_every_machine():
    hosts = [Target.read(f"http://{name}.example/") for name in "abcdefgh"]
    assert [[target.host[0] for target in choose(hosts, shard=(part, 3))] for part in (1, 2, 3)] == [
        ["b", "c", "d", "f"], ["a", "e"], ["g", "h"]]


def test_shards_are_of_about_the_same_size():
    hosts = [Target.read(f"http://host-{number}/") for number in range(4000)]
    assert all(850 < len(choose(hosts, shard=(part, 4))) < 1150 for part in (1, 2, 3, 4))


# Each request once

def test_the_same_url_after_normalisation_is_taken_once():
    assert urls("http://a/b", "HTTP://A:80/b", "http://a/./b#c", "http://a/c", "http://a/b") == [
        "http://a/b", "http://a/c"]


def test_what_differs_is_another_request():
    different = ["http://a/", "https://a/", "http://a:81/", "http://a/?", "http://a/A", "http://me@a/", "http://b/"]
    assert urls(*different) == [url.replace("me@", "***@") for url in different]


def test_another_method_or_other_data_or_headers_make_another_request_but_no_other_timeout():
    says = [None, Overrides("POST"), Overrides("POST", data=b"a"), Overrides(data=b"a"),
            Overrides(headers=(("A", "b"),))]
    targets = [Target("http://a/", 1, None, parse("http://a/"), overrides=overrides) for overrides in says]
    slow = Target("http://a/", 1, None, parse("http://a/"), overrides=Overrides("POST", timeout=9.0))
    assert choose([*targets, *targets, slow], unique=True) == targets


def test_a_line_that_holds_no_url_has_its_record_each_time():
    assert urls("no url", "http://a/", "no url") == ["no url", "http://a/", "no url"]


@pytest.mark.slow
def test_a_url_that_was_there_costs_at_most_100_bytes():
    count = 60_000
    targets = Choice(InputOptions(unique=True)).of(Target.read(f"http://a/{number}") for number in range(count))
    tracemalloc.start()
    try:
        assert sum(1 for _ in islice(targets, count)) == count      # not to the end, where everything is forgotten
        assert tracemalloc.get_traced_memory()[0] < 100 * count
    finally:
        tracemalloc.stop()


# So many

def test_a_limit_counts_what_the_other_choices_leave():
    assert choose(LIST, limit=3) == LIST[:3]
    assert choose(LIST * 2, limit=10**6, unique=True) == LIST + LIST[-3:]
    assert choose(LIST, shard=(2, 3), limit=5) == choose(LIST, shard=(2, 3))[:5]


def test_nothing_is_read_beyond_the_limit():
    def endless():
        yield from LIST[:2]
        raise AssertionError("a third one was read")

    assert choose(endless(), limit=2) == LIST[:2]


@given(st.lists(st.integers(0, 30)), st.integers(1, 4), st.integers(0, 40))
def test_choices_compose(numbers, parts, limit):
    targets = [Target.read(f"http://host-{number % 5}/{number}", line) for line, number in enumerate(numbers)]
    first_seen = [target for position, target in enumerate(targets)
                  if target.url not in [other.url for other in targets[:position]]]
    counts: Counter[int] = Counter()
    for part in range(1, parts + 1):
        mine = choose(targets, shard=(part, parts))
        expected = [target for target in first_seen if target in mine]
        assert choose(targets, shard=(part, parts), unique=True, limit=limit) == expected[:limit]
        counts.update(target.line for target in mine)
    assert counts == Counter(target.line for target in targets)
