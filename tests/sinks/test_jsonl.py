import json

import pytest

from fetcher.sinks.jsonl import JsonLines
from fetcher.sinks.output import Output
from tests.sinks.results import bad, good


@pytest.fixture
def records(tmp_path):
    """Writes results, and gives back what can be read of them."""
    def write(*results):
        sink = JsonLines(Output(str(tmp_path / "out")))
        for result in results:
            sink.write(result)
        sink.close()
        return [json.loads(line) for line in (tmp_path / "out").read_bytes().decode("utf-8").split("\n")[:-1]]
    return write


def test_each_result_is_a_line_with_its_record(records):
    results = [good(), bad(), good("http://c.example/ü日本")]
    assert records(*results) == [result.record() for result in results]


def test_a_line_end_in_a_value_does_not_end_the_line(records):
    assert records(bad(url="http://a\n\r\u2028b/"))[0]["url"] == "http://a\n\r\u2028b/"


def test_half_a_surrogate_pair_costs_a_character_not_the_record(records):
    assert records(good("http://\udc80ü/"))[0]["url"] == "http://\ufffdü/"
