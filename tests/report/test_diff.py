"""Compare two runs: each known change is found, and nothing else."""
import random
from fractions import Fraction
from math import comb

import pytest

from fetcher.report import diff
from fetcher.report.diff import difference, sign_test
from fetcher.report.terminal import compose_difference


def record(url, seconds=0.1, **more):
    return {"url": url, "line": 1, "ok": True, "status": 200, "error": None, "final_url": url, "sha256": "a" * 64,
            "time_total": seconds, **more}


def failed(url, error="timeout"):
    return record(url, ok=False, status=None, error=error, final_url=None, sha256=None)


def kinds(old, new):
    return dict(difference(old, new).counts)


@pytest.mark.parametrize(("old", "new", "kind"), [
    (record("x"), failed("x"), "failing"),
    (failed("x"), record("x"), "mended"),
    (record("x"), record("x", status=204), "status"),
    (failed("x"), failed("x", "dns"), "status"),
    (record("x"), record("x", final_url="y"), "final_url"),
    (record("x"), record("x", sha256="b" * 64), "content"),
])
def test_each_kind_of_change(old, new, kind):
    assert kinds([old], [new]) == {kind: 1}
    assert kinds([new], [new]) == {}


def test_what_came_and_what_went():
    assert kinds([record("x")], [record("y")]) == {"came": 1, "went": 1}


def test_a_request_is_more_than_its_url():
    assert kinds([record("x"), record("x", request="POST 1")], [record("x")]) == {"went": 1}


def test_the_last_record_of_a_request_counts():
    assert kinds([failed("x"), record("x")], [record("x")]) == {}


def test_a_hash_that_one_run_has_not_says_nothing():
    assert kinds([record("x", sha256=None)], [record("x")]) == {}


def times(host, factor, spread, seed, count=40):
    chance = random.Random(seed)
    return [record(f"http://{host}/{number}", factor * chance.lognormvariate(-2, spread)) for number in range(count)]


def test_hosts_that_got_slower():
    old = times("a.example", 1, 0.3, 1) + times("b.example", 1, 0.3, 2)
    found = difference(old, times("a.example", 1, 0.3, 3) + times("b.example", 2, 0.3, 4))
    assert [change.url for change in found.changes["slower"]] == ["b.example"]
    assert "sign test, p = " in found.changes["slower"][0].new


@pytest.mark.parametrize("seed", range(5))
def test_chance_makes_nothing_slower(seed):
    old, new = [[each for host in range(20) for each in times(f"h{host}.example", 1, 1, f"{seed}{run}{host}")]
                for run in range(2)]
    assert kinds(old, new) == {}


def test_what_does_not_matter_is_not_told():
    old = [record(f"http://a.example/{number}", 0.002) for number in range(100)]
    assert kinds(old, [{**each, "time_total": 0.004} for each in old]) == {}


def test_few_requests_tell_nothing():
    assert kinds([record("http://a/", 0.1)], [record("http://a/", 9.0)]) == {}


def test_thirty_known_ways_of_ten_thousand():
    chance = random.Random(5)
    old = [record(f"http://h{number % 40}.example/{number}", chance.lognormvariate(-3, 0.5))
           for number in range(10_000)]
    new = [{**each, "time_total": chance.lognormvariate(-3, 0.5)} for each in old]
    for number in range(0, 50, 10):
        new[number].update(ok=False, status=500, error="http")
        old[number + 1].update(ok=False, status=None, error="dns")
        new[number + 2].update(status=206)
        new[number + 3].update(final_url="http://elsewhere.example/")
        new[number + 4].update(sha256="c" * 64)
    for each in new[7::40]:
        each["time_total"] = each["time_total"] * 2
    del old[200], new[300], new[400]
    new.append(record("http://new.example/"))
    assert kinds(old, new) == {"failing": 5, "mended": 5, "status": 5, "final_url": 5, "content": 5, "slower": 1,
                               "came": 2, "went": 2}


@pytest.mark.parametrize(("heads", "tosses"), [(0, 0), (7, 7), (5, 10), (60, 100), (600, 1000)])
def test_the_sign_test_is_exact(heads, tosses):
    assert sign_test(heads, tosses) == pytest.approx(
        float(sum(Fraction(comb(tosses, count), 2 ** tosses) for count in range(heads, tosses + 1))))


def test_the_sign_test_goes_on_with_the_normal_distribution(monkeypatch):
    near = sign_test(1060, 2001)
    monkeypatch.setattr(diff, "_EXACT", 3000)
    assert near == pytest.approx(sign_test(1060, 2001), rel=0.02)


@pytest.mark.parametrize("width", [200, 80, 20, 1])
def test_it_is_told_in_lines(width):
    found = difference([record(f"x{number}\x1b[2J") for number in range(30)], [failed(f"x{number}\x1b[2J")
                                                                               for number in range(30)])
    lines = ["".join(text for text, _ in line) for line in compose_difference(found, width)]
    assert all(len(line) <= width and line.isprintable() for line in lines)
    if width == 80:
        assert lines[:4] == ["30 requests compared   30 failing", "", "Fails now and did not: 30",
                             "  200 -> timeout  x0\\x1b[2J"]
        assert lines[-1] == "  and 10 more"


def test_no_difference_is_said():
    assert compose_difference(difference([], []), 80)[0][-1][0] == "   no difference"
