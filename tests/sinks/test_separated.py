import csv
import io
import json

import pytest

from fetcher import verbatim
from fetcher.files.output import Output
from fetcher.sinks.separated import Separated
from tests.sinks.results import bad, good


@pytest.fixture
def written(tmp_path):
    def write(delimiter, *results, extra=()):
        sink = Separated(Output(str(tmp_path / "out")), delimiter, extra)
        for result in results:
            sink.write(result)
        sink.close()
        return (tmp_path / "out").read_bytes().decode("utf-8")
    return write


def test_csv_begins_with_the_keys_of_the_record_and_has_a_row_for_each_result(written):
    first, second = good(), bad(error_message='He said "no", and\nleft.')
    header, *rows = csv.reader(io.StringIO(written(",", first, second), newline=""))
    assert header == list(first.record())
    assert dict(zip(header, rows[1]))["error_message"] == 'He said "no", and\nleft.'
    assert [len(row) for row in rows] == [len(header)] * 2


def test_values_are_spelled_as_in_json_and_null_is_empty(written):
    header, row = csv.reader(io.StringIO(written(",", good(seconds=0.25))))
    cells = dict(zip(header, row))
    assert (cells["ok"], cells["status"], cells["time_total"], cells["error"]) == ("true", "200", "0.25", "")


def test_tsv_has_no_tab_and_no_line_end_inside_a_value(written):
    text = written("\t", bad(error_message='a\tb\r\n"c"'))
    header, row = [line.split("\t") for line in text.splitlines()]
    assert dict(zip(header, row))["error_message"] == 'a b "c"'


def test_a_column_that_only_some_records_have_is_there_for_all(written):
    answered = good(headers=(("server", "x"),))
    header, *rows = csv.reader(io.StringIO(written(",", bad(), answered, extra=("headers",))))
    assert [dict(zip(header, row))["headers"] for row in rows] == ["", '{"server":["x"]}']


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_numbers_of_a_row_are_as_they_stood(written, delimiter):
    row = '{"id":18446744073709551616,"price":1.50,"of":[-0,1e400]}'
    text = written(delimiter, bad(input=verbatim.loads(row)), extra=("input",))
    if delimiter == ",":
        text = text.replace('""', '"')
    assert row in text


def test_half_a_surrogate_pair_costs_a_character_not_the_row(written):
    assert "http://?/" in written("\t", good("http://\udc80/"))


@pytest.mark.parametrize("delimiter", [",", "\t"])
@pytest.mark.parametrize("text", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "=cmd|' /C calc'!A0", "\t=1", "\r=1", "-",
                                  "-1.5.2", "\uff1d1+1"])
def test_no_text_is_a_formula_to_a_spreadsheet(written, delimiter, text):
    header, row = csv.reader(io.StringIO(written(delimiter, bad(url=text)), newline=""), delimiter=delimiter,
                             quoting=csv.QUOTE_MINIMAL if delimiter == "," else csv.QUOTE_NONE)
    assert row[0].startswith("'" + text[0].strip())


@pytest.mark.parametrize("text", ["-1", "+1.5", "-.5", "-2e10", "a=1", "http://a.example/?=1", "", "'=1"])
def test_numbers_and_plain_text_stay_as_they_are(written, text):
    assert written("\t", bad(url=text)).splitlines()[1].split("\t")[0] == text


def test_a_formula_in_the_list_reaches_no_spreadsheet(written):
    row = written("\t", bad(url="=HYPERLINK(1)", final_url=None, content_type="@x")).splitlines()[1].split("\t")
    assert not [cell for cell in row if cell.startswith(("=", "@", "+", "-"))]


@pytest.mark.parametrize("delimiter", [",", "\t"])
@pytest.mark.parametrize("text", ["\x1b[2J", "\x07", "\x9b2J", "\u202e", "\u200b", "\ufeff", "\x7f", "\x00", "\r"])
def test_no_value_has_what_a_terminal_obeys(written, delimiter, text):
    written_text = written(delimiter, bad(content_type=f"a{text}b", input={"key": f"a{text}b"}), extra=("input",))
    assert text not in written_text and "\xa0日本" in written(delimiter, bad(content_type="\xa0日本"))
    row = list(csv.reader(io.StringIO(written_text), delimiter=delimiter,
                          quoting=csv.QUOTE_MINIMAL if delimiter == "," else csv.QUOTE_NONE))[1]
    assert json.loads(row[-1]) == {"key": f"a{text}b"}
