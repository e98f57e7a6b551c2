import json

import pytest

from fetcher.files.output import Output
from fetcher.sinks.jsonl import JsonLines
from tests.sinks.results import bad, good


@pytest.fixture
def records(tmp_path):
    """Return a function that writes results and returns what can be read of them."""
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


OBEYED = ["\x9b2J", "\x85", "\x7f", "\xad", "\u061c", "\u200b", "\u200f", "\u202e", "\u2060", "\u2066", "\ufeff",
          "\U000e0041"]


@pytest.mark.parametrize("text", OBEYED)
def test_what_a_terminal_obeys_is_escaped_and_means_the_same(records, tmp_path, text):
    result = bad(error_message=f"é{text}日", input={text: [text]})
    assert records(result) == [result.record()]
    written = (tmp_path / "out").read_bytes().decode()
    assert text not in written and "é\\u" in written
