import io

import pytest

from fetcher.sinks.terminal.log import Log
from tests.sinks.results import bad, good


def test_a_line_tells_of_outcome_time_method_url_redirects_and_error():
    stream = io.StringIO()
    log = Log(stream)
    log.write(good(seconds=0.25))
    log.write(good(final_url="http://c.example/", redirects=2))
    log.write(bad("dns", method="POST"))
    log.close()
    assert stream.getvalue().splitlines() == [
        "200           250 ms  GET http://a.example/",
        "200          10.0 ms  GET http://a.example/ -> http://c.example/ (2 redirects)",
        "dns                -  POST http://b.example/: It was dns.",
    ]


def test_a_line_stays_one_line():
    stream = io.StringIO()
    Log(stream).write(bad(url="http://a\n\x1b[31m", error_message="no\r\nmore"))
    assert stream.getvalue() == r"timeout            -  GET http://a\x0a\x1b[31m: no\x0d\x0amore" + "\n"


def test_a_stderr_that_cannot_be_written_is_no_failure():
    stream = open("/dev/full", "w", buffering=1)
    log = Log(stream)
    log.write(good())
    log.close()
    with pytest.raises(OSError):
        stream.close()
