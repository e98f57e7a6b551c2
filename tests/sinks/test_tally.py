from fetcher.model import Timings
from fetcher.sinks.tally import Failure, Slow, Tally
from tests.sinks.results import bad, good


def tally(*results):
    counted = Tally()
    for result in results:
        counted.write(result)
    counted.close()
    return counted


def test_results_bytes_and_words_are_counted():
    counted = tally(good(size=10, size_download=7), good(status=302), bad("http", status=404, size=3),
                    bad("timeout"), bad("incomplete", status=200, size_download=5))
    assert (counted.done, counted.ok, counted.failed) == (5, 2, 3)
    assert (counted.size, counted.size_download) == (13, 12)
    assert counted.classes == {"2xx": 1, "3xx": 1, "4xx": 1, "error": 2}
    assert counted.errors == {"http": 1, "timeout": 1, "incomplete": 1}


def test_failures_are_grouped_by_what_happened_and_where():
    counted = tally(bad("http", status=503), bad("http", status=503), bad("dns"), good())
    assert counted.failures == {Failure("503", "b.example"): 2, Failure("dns", "b.example"): 1}


def test_no_host_is_blamed_for_an_interruption():
    counted = tally(bad("interrupted"), bad("interrupted", "http://c.example/"))
    assert counted.failures == {Failure("interrupted", ""): 2}


def test_a_status_outside_the_classes_counts_as_5xx():
    assert tally(bad("http", status=999)).classes == {"5xx": 1}


def test_groups_of_failures_are_bounded():
    counted = tally(*[bad("dns", f"http://h{number}.example/") for number in range(1200)],
                    bad("dns", "http://h5.example/"))
    assert len(counted.failures) == 1001
    assert counted.failures[Failure("dns", "")] == 200
    assert counted.failures[Failure("dns", "h5.example")] == 2


def test_the_slowest_are_kept_in_their_order():
    counted = tally(*[good(f"http://a.example/{number}", seconds=number % 7 + 0.5) for number in range(14)],
                    bad(timings=Timings(total=30.0)), bad(timings=Timings()))
    assert counted.slowest == [
        Slow(30.0, "timeout", "http://b.example/"),
        Slow(6.5, "200", "http://a.example/6"), Slow(6.5, "200", "http://a.example/13"),
        Slow(5.5, "200", "http://a.example/5"), Slow(5.5, "200", "http://a.example/12"),
    ]


def test_a_line_of_a_megabyte_is_not_kept():
    counted = tally(bad("timeout", "http://" + "a" * 1_000_000, timings=Timings(total=1.0)))
    assert len(counted.slowest[0].url) + sum(len(failure.host) for failure in counted.failures) < 2000


def test_time_stands_still_after_the_end():
    counted = tally(good())
    elapsed = counted.elapsed
    counted.close()
    assert 0 <= elapsed == counted.elapsed
