"""Reports for issues, for programs and for CI can be read there, whatever the network sent."""
import json
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped
from markdown_it import MarkdownIt
from xmlschema import XMLSchema

from fetcher.files.output import Output
from fetcher.record import encode
from fetcher.report import account, junit, markdown
from fetcher.report.counting import counted
from fetcher.report.diff import difference
from fetcher.report.sink import Reported
from fetcher.sinks.terminal.printable import printable
from tests.sinks.results import bad, good

HOSTILE = "http://b.example/<script>alert(1)</script>|`x`|``|\\|&\"']]>\x00\x1b[2J\u202e\ufffe @everyone [x](http://y)"
RESULTS = [
    good("http://a.example/", seconds=0.5, timestamp=1e9), bad("http", HOSTILE, line=7, status=500, source=HOSTILE),
    bad("timeout"), bad("interrupted"), bad("deadline"),
]
RECORDS = [json.loads(encode(result)) for result in RESULTS]


@pytest.fixture
def report():
    return counted(RECORDS, by="error", keeps_passed=True)


@pytest.fixture
def changes():
    return difference(RECORDS[:1], [{**RECORDS[1], "url": RECORDS[0]["url"]}, RECORDS[1]])


def rendered(text):
    """Return the tokens that are not plain text. None may come from the network."""
    tokens = MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(text)
    return {inner.type for token in tokens for inner in [token, *(token.children or [])]}, tokens


def test_markdown(report, changes):
    for text in markdown.report(report, True), markdown.difference(changes):
        kinds, tokens = rendered(text)
        assert not kinds & {"html_inline", "html_block", "link_open", "fence", "image"}
        rows, cells = (sum(token.type == kind for token in tokens) for kind in ("tr_open", "td_open"))
        assert rows and cells
    cells = [token.content for token in rendered(markdown.report(report, True))[1] if token.type == "inline"]
    assert any("<script>alert(1)</script>|`x`|``|\\|&" in cell for cell in cells)
    assert markdown.report(report, True).startswith("## 5 URLs: 1 ok, 2 failed, 1 interrupted, 1 not begun\n")


class Html(HTMLParser):
    """The elements of HTML, and the text of each cell."""

    def __init__(self, text):
        super().__init__()
        self.tags = set()
        self.cells = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_data(self, data):
        if self.cells:
            self.cells[-1] += data


def test_markdown_renders_as_tables_and_obeys_nothing(report, changes):
    renderer = MarkdownIt("gfm-like", {"html": True, "linkify": False})
    for text, url in (markdown.report(report, True), HOSTILE), (markdown.difference(changes), RECORDS[0]["url"]):
        html = Html(renderer.render(text))
        assert html.tags <= {"h2", "h3", "p", "table", "thead", "tbody", "tr", "th", "td", "code"}
        assert {"table", "td", "code"} <= html.tags
        assert any(printable(url)[:60] in cell for cell in html.cells)


@pytest.mark.parametrize("text", ["a", "`", "``a`", "a|b", "\\", "a\\|b", " a ", "a\nb", "|", "`|`"])
def test_a_code_span_says_what_it_is_made_of(text):
    table = f"| x | y |\n| --- | --- |\n| {markdown.code(text)} | z |\n"
    cells = [token for token in MarkdownIt("gfm-like", {"linkify": False}).parse(table) if token.type == "inline"]
    assert [cell.children[0].content for cell in cells[2:]] == [text.replace("\n", "\\x0a"), "z"]


def test_json(report, changes):
    found = json.loads(json.dumps(account.report(report)))
    assert (found["urls"], found["failed"], found["errors"]["timeout"]) == (5, 2, 1)
    assert (found["interrupted"], found["not_begun"]) == (1, 1)
    assert {group["value"]: group["urls"] for group in found["groups"]}["(none)"] == 1
    assert found["failures"][0]["url"] == HOSTILE
    told = account.difference(changes)
    assert (told["worse"], told["counts"]["came"], told["changes"]["failing"][0]["new"]) == (1, 1, "500")


SCHEMA = XMLSchema(str(Path(__file__).with_name("junit.xsd")))


@pytest.mark.parametrize("records", [RECORDS, [], RECORDS[:1]])
def test_junit_is_what_its_schema_allows(records, changes):
    SCHEMA.validate(junit.report(counted(records, keeps_passed=True)))
    SCHEMA.validate(junit.difference(changes))
    SCHEMA.validate(junit.difference(difference(records, records)))


def test_the_schema_refuses_what_junit_has_not(report):
    text = junit.report(report)
    for wrong in text.replace("<testcase ", '<testcase file="list" '), text.replace(' tests="', ' test="'):
        assert not SCHEMA.is_valid(wrong)


def test_junit(report):
    text = junit.report(report)
    (suite,) = JUnitXml.fromstring(text.encode())
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (5, 1, 1, 2)
    assert [type(case.result[0]) if case.result else None for case in suite] == [Failure, Error, Skipped, Skipped, None]
    assert next(iter(suite)).result[0].text.endswith(":7")
    assert [case.name for case in suite][-1] == "http://a.example/"
    assert "\\x00\\x1b[2J\u202e\\ufffe" in next(iter(suite)).name


def test_junit_of_a_difference(changes):
    suites = JUnitXml.fromstring(junit.difference(changes).encode())
    assert [(suite.name, suite.tests, suite.failures) for suite in suites] == [
        ("Fails now and did not", 1, 1), ("Came", 1, 0)]
    assert ElementTree.fromstring(junit.difference(difference([], []))).get("tests") is None


def test_what_is_not_listed_is_counted(monkeypatch):
    monkeypatch.setattr("fetcher.report.counting.MAX_FAILURES", 2)
    root = ElementTree.fromstring(junit.report(counted(RECORDS, keeps_passed=True)))
    assert (root.get("tests"), root.find("*/properties/property").get("value")) == ("3", "2")


@pytest.mark.parametrize("format", ["md", "junit"])
def test_the_end_of_a_run_has_the_same(tmp_path, format):
    sink = Reported(Output(str(tmp_path / "out")), format)
    for result in RESULTS:
        sink.write(result)
    sink.close()
    report = counted(RECORDS, keeps_passed=True)
    assert (tmp_path / "out").read_text() == (
        junit.report(report) if format == "junit" else markdown.report(report, False))
