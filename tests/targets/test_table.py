import csv
import io
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.errors import InputError
from fetcher.model import Overrides, Target
from fetcher.targets.lines import MAX_LINE_BYTES
from fetcher.targets.rows import Rows
from fetcher.targets.table import MAX_LINES, Table


def read(*blocks: bytes, delimiter: str = ",", url_column: str | None = None) -> list[Target]:
    return list(Table(Rows(url_column=url_column), delimiter).targets(blocks))


def urls(*blocks: bytes) -> list[tuple[int, str]]:
    return [(target.line, target.url) for target in read(*blocks)]


def refusal(content: bytes, **reading) -> str:
    with pytest.raises(InputError) as caught:
        read(content, **reading)
    return str(caught.value)


# Columns

def test_each_row_is_a_target_with_what_else_stands_in_it():
    first, second = read(b"id,url\n7,http://a/\n8,http://b/")
    assert (first.line, first.url, str(first.parsed), first.input) == (2, "http://a/", "http://a/", {"id": "7"})
    assert (second.line, second.url, second.place) == (3, "http://b/", -1)


def test_a_row_may_say_what_its_request_is():
    content = b'URL,Method,headers,data,timeout\nhttp://a/,PUT,"A: b\nC: d",ab,1.5\nhttp://b/,,,,\n'
    first, second = read(content)
    assert first.overrides == Overrides("PUT", (("A", "b"), ("C", "d")), b"ab", 1.5)
    assert (second.line, second.overrides, second.input) == (4, None, {})


def test_headers_may_be_json():
    for content, delimiter in (b'url\theaders\nhttp://a/\t{"A": "b"}\n', "\t"), (
            b'url,headers\nhttp://a/,"{""A"": ""b""}"\n', ","):
        (target,) = read(content, delimiter=delimiter)
        assert target.overrides == Overrides(headers=(("A", "b"),))


def test_a_table_whose_first_row_holds_a_url_has_no_header():
    assert [(target.line, target.url, target.input) for target in read(b"1,http://a/\n2,http://b/\n")] == [
        (1, "http://a/", {"1": "1"}), (2, "http://b/", {"1": "2"})]
    assert [target.url for target in read(b"http://a/,http://b/\n", url_column="2")] == ["http://b/"]


def test_columns_without_a_name_of_their_own_are_called_by_their_number():
    (target,) = read(b"url,note,,note,url\nhttp://a/,b,c,d,e\n")
    assert (target.url, target.input) == ("http://a/", {"note": "b", "3": "c", "4": "d", "5": "e"})


def test_a_column_of_any_name_can_hold_the_urls():
    (target,) = read(b"url,Link\nhttp://a/,http://b/\n", url_column="Link")
    assert (target.url, target.input) == ("http://b/", {"url": "http://a/"})


def test_a_column_that_is_not_there_is_an_error_that_names_those_that_are():
    assert refusal(b"url,note\n", url_column="link") == "The table has no column 'link'; there are: url, note."


def test_a_header_that_cannot_be_read_is_an_error():
    assert "The table has no header that can be read. The row is not well-formed: " in refusal(b'url,"note" x\n')
    assert "is not UTF-8" in refusal(b"url,caf\xe9\n")


def test_comments_may_stand_above_the_header_and_blank_rows_anywhere():
    assert urls(b"\n# from the crawl\n\nurl,id\n\n,\n \nhttp://a/,#7\n\n") == [(8, "http://a/")]
    assert urls(b"") == urls(b"\xef\xbb\xbf\n") == urls(b"url,id\n") == []


@pytest.mark.parametrize("content", [b"\xef\xbb\xbfurl,id\r\nhttp://a/,7\r\n", b'\xef\xbb\xbf"url","id"\n"http://a/",7',
                                     b"url;id\nhttp://a/;7\n", b' URL , id\n http://a/ ,7\n'])
def test_what_spreadsheets_write_is_read(content):
    (target,) = read(content)
    assert (target.url, target.input) == ("http://a/", {"id": "7"})


def test_semicolons_are_no_delimiters_where_a_url_may_hold_them():
    assert urls(b"http://a/;b\n") == [(1, "http://a/;b")]


@pytest.mark.parametrize("content", [b"1;http://a/b,c\n", b"1|http://a/b,c\n", b"1\thttp://a/b,c\n",
                                     b'1,"http://a/b,c"\n',
                                     b'"1";"http://a/b,c"\r\n', b"sep=;\n1;http://a/b,c", b'"sep=|"\n1|http://a/b,c\n',
                                     b"sep=\t\r\n1\thttp://a/b,c\r\n", b"\xef\xbb\xbfsep=;\r\n1;http://a/b,c"])
def test_what_stands_between_cells_is_found_by_reading(content):
    (target,) = read(content)
    assert (target.line, target.url, target.input) == (1 + content.count(b"sep="), "http://a/b,c", {"1": "1"})
    assert Table(Rows(), ",").count([content]) == 1


@pytest.mark.parametrize("content", [b"Name, first name;address\nDoe, Jane;http://a/\n", b"name|address\n,|http://a/\n",
                                     b"# x;y\n\nname\taddress\nDoe, Jane\thttp://a/\n", b"a,b;c,d;URL\n,;;http://a/"])
def test_the_row_below_the_header_tells_where_that_does_not(content):
    (target,) = read(content)
    assert target.url == "http://a/"


@pytest.mark.parametrize("delimiter", [",", ";", "|", "\t"])
@given(rows=st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n") |
                                      st.sampled_from(",;|\t\"' ")), min_size=2, max_size=2)))
def test_what_the_csv_module_wrote_with_any_delimiter_comes_back(delimiter, rows):
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter).writerows([["a", "url", "b"], *([a, "http://a/", b] for a, b in rows)])
    assert [[target.input["a"], target.input["b"]] for target in read(file.getvalue().encode())] == rows


# TSV

def test_tsv_as_excel_writes_it_is_read():
    file = io.StringIO()
    rows = [["url", "note"], ["http://a/?a,b", 'say "hi"'], ["http://b/", "two\nlines"], ["http://c/", "x\ty"]]
    csv.writer(file, "excel-tab", quoting=csv.QUOTE_MINIMAL).writerows(rows)
    targets = read(b'"http://0/a,b"\t1\r\n', delimiter="\t") + read(file.getvalue().encode(), delimiter="\t")
    assert [(target.line, target.url) for target in targets] == [
        (1, "http://0/a,b"), (2, "http://a/?a,b"), (3, "http://b/"), (5, "http://c/")]
    assert [target.input["note"] for target in targets[1:]] == ['say "hi"', "two\nlines", "x\ty"]


def test_quotes_of_tsv_that_has_none_cost_no_row():
    content = b'url\tnote\nhttp://a/\t"open\nhttp://b/\tclosed"\nhttp://c/\t"x" y\nhttp://d/\t"\n'
    targets = read(content, delimiter="\t")
    assert [(target.line, target.url, target.input["note"]) for target in targets] == [
        (2, "http://a/", '"open'), (3, "http://b/", 'closed"'), (4, "http://c/", '"x" y'), (5, "http://d/", '"')]


@given(st.lists(st.lists(st.text(st.sampled_from('ab" ,;')), min_size=1, max_size=1)))
def test_every_line_of_tsv_has_its_row(notes):
    content = "url\tnote\n" + "".join(f"http://a/\t{note}\n" for note, in notes)
    assert [target.line for target in read(content.encode(), delimiter="\t")] == list(range(2, 2 + len(notes)))


def test_tsv_may_have_no_quotes():
    (target,) = read(b'url\tnote\nhttp://a/?"\t"b, c\n', delimiter="\t")
    assert (target.url, target.input) == ('http://a/?"', {"note": '"b, c'})


# Rows

def test_a_cell_may_hold_line_breaks_and_its_row_is_known_by_its_first_line():
    content = b'url,note\nhttp://a/,"one\n\ntwo\r\n"\nhttp://b/,\n'
    first, second = read(content)
    assert (first.line, first.input) == (2, {"note": "one\n\ntwo\r\n"})
    assert (second.line, second.url) == (6, "http://b/")


def test_a_short_row_has_less_to_carry():
    assert [target.input for target in read(b"url,id,note\nhttp://a/,7\nhttp://b/\n")] == [{"id": "7"}, {}]


def test_a_long_row_is_unusable_unless_its_rest_is_empty():
    first, second = read(b"url,id\nhttp://a/,7,,\nhttp://me:secret@a/?b,c,7\n")
    assert (first.url, first.input) == ("http://a/", {"id": "7"})
    assert (second.line, second.url, second.parsed) == (3, "http://me:***@a/?b,c,7", None)
    assert second.problem == "The row has 3 cells, and the table 2 columns."


def test_a_row_without_a_url_says_so():
    (target,) = read(b"id,url\n7,\n")
    assert (target.line, target.problem, target.input) == (2, "The row has no URL: its url is empty.", {"id": "7"})


@pytest.mark.parametrize("row", [b'"http://a/', b'"http://a/"b', b'http://a/,"7" ', b"http://a/\rb", b"http://a/\xff",
                                 b'"http://a/\xff', b'"' + b"x" * 200_000 + b'"', b"x" * (MAX_LINE_BYTES + 1),
                                 b'http://a/,"' + b'\n","' * 2000])
def test_a_broken_row_is_one_bad_target_and_costs_no_other(row):
    first, *_, last = read(b"url,id\n" + row + b"\nhttp://b/,\n")
    assert (first.line, first.parsed, len(first.url) <= 1000) == (2, None, True)
    assert first.problem.startswith(("The row is not well-formed: ", "Byte ", "The row is longer than 1,048,576 bytes.",
                                     "The row has more than 1,000 lines: is a quote left open?"))
    assert (last.line, last.url) == (3 + row.count(b"\n"), "http://b/")


def test_a_quote_that_is_never_closed_costs_no_other_row():
    rows = [f"http://{number}/,\n".encode() for number in range(20_000)]
    rows[5] = b'http://5/,"\n'
    targets = read(b"url,id\n", *rows)
    assert [target.line for target in targets] == list(range(2, 20_002))
    assert [target.line for target in targets if target.parsed is None] == [7]


def test_a_cell_may_have_a_thousand_lines_with_those_beside_it():
    lines = "x\n" * (MAX_LINES - 1)
    first, second = read(f'url,note\nhttp://a/,"{lines}"\nhttp://b/,\n'.encode())
    assert (first.input, second.line) == ({"note": lines}, 2 + MAX_LINES)


def test_counting_makes_the_same_rows():
    content = b'id,url\n7,"http://\na/"\n\n,,,\n8,"x\n9,http://b/,1\n'
    assert Table(Rows(), ",").count([content]) == len(read(content)) == 3
    assert Table(Rows(), ",").count([b"http://a/\nhttp://b/\n"]) == 2


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0") | st.sampled_from('\n\r,"; #'))


@given(st.lists(st.tuples(cells, cells)), st.sampled_from(["\r\n", "\n"]), st.integers(1, 20), st.booleans())
def test_what_the_csv_module_wrote_comes_back_row_by_row(rows, line_end, size, quote_all):
    file = io.StringIO()
    writer = csv.writer(file, lineterminator=line_end, quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL)
    writer.writerow(["a", "url", "b"])
    lines = []
    for one, other in rows:
        lines.append(file.getvalue().count("\n") + 1)
        if line_end == "\n":    # then the writer does not quote a lone carriage return
            one, other = one.replace("\r", " "), other.replace("\r", " ")
        writer.writerow([one, "http://a/", other])
    content = file.getvalue().encode()
    targets = read(*(content[start:start + size] for start in range(0, len(content), size)))
    assert [target.line for target in targets] == lines
    expected = rows if line_end == "\r\n" else [tuple(cell.replace("\r", " ") for cell in row) for row in rows]
    assert [(target.input["a"], target.input["b"]) for target in targets] == expected


@given(st.lists(st.sampled_from([b"http://a/", b",", b'"', b"\n", b"\r", b"\0", b"\xff", b"x", b" "])))
def test_no_content_raises_and_every_line_is_told_at_most_once(pieces):
    content = b"url,id,x,x,x,x,x,x\n" + b"".join(pieces)
    found = [target.line for target in read(content)]
    assert found == sorted(set(found))
    assert Table(Rows(), ",").count([content]) == len(found)


@pytest.mark.slow
def test_memory_stays_flat():
    def peak(rows: int) -> int:
        tracemalloc.reset_peak()
        blocks = (b'http://a/,"a\nb"\n' * 1000 for _ in range(rows // 1000))
        assert sum(1 for _ in Table(Rows(), ",").targets(blocks)) == rows
        return tracemalloc.get_traced_memory()[1]

    tracemalloc.start()
    try:
        few = peak(5_000)
        assert peak(20_000) < 1.5 * few
    finally:
        tracemalloc.stop()
