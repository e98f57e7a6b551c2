from fetcher.sinks.tally import Tally
from fetcher.sinks.terminal.spans import BAD, GOOD, by_class
from tests.sinks.results import bad, good


def test_colours_follow_what_is_accepted():
    counted = Tally()
    for result in good(status=404), bad("http", status=200), good(status=302), bad("http", status=503):
        counted.write(result)
    assert [(line[0]) for line in by_class(counted)] == [("2xx", BAD), ("3xx", "cyan"), ("4xx", GOOD), ("5xx", BAD)]
