from fetcher.files.output import Output
from fetcher.sinks.terminal.rows import Rows
from tests.sinks.results import bad, good


def rows(path, results, width=None):
    sink = Rows(Output(str(path)), width)
    for result in results:
        sink.write(result)
    sink.close()
    return path.read_text().splitlines()


def test_each_result_is_an_aligned_row(tmp_path):
    assert rows(tmp_path / "out", [good(size=1234, seconds=0.0421), bad("too_many_redirects", status=302)]) == [
        "200  1.23 KB  42.1 ms  -                   http://a.example/",
        "302      0 B        -  too_many_redirects  http://b.example/",
    ]


def test_a_row_is_printable_and_no_wider_than_asked(tmp_path):
    assert rows(tmp_path / "out", [good("http://\x1b[2J日本語/")], width=60) == [
        r"200      0 B  10.0 ms  -                   http://\x1b[2J日…"]
