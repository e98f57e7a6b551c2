"""The page says what the records say, obeys nothing in them, and stays small."""
import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from fetcher.report.diff import difference
from fetcher.report.page.text import Room, is_link
from tests.report.pages import HOSTILE, failed, hostile, page, record

SHAPES = {"svg", "g", "rect", "line", "text", "title"}
KNOWN = {"html", "head", "meta", "title", "style", "body", "a", "header", "div", "h1", "h2", "h3", "p", "time", "nav",
         "ul", "li", "main", "section", "dl", "dt", "dd", "figure", "figcaption", "span", "details", "summary", "table",
         "caption", "thead", "tbody", "tr", "th", "td", "b", "label", "input", "output", "footer", "script", *SHAPES}


class Elements(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def of(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


RECORDS = [*(record(f"http://a.example/{number}", line=number, timestamp=f"2026-03-01T12:00:{number:02}.000Z")
             for number in range(1, 10)), failed("http", status=404, line=12)]


def test_verdict_totals_and_sections():
    text = Elements(page(RECORDS)).text
    assert "10 URLs: 9 ok, 1 failed" in text
    assert [name for name in ("Records over time", "Failures", "Hosts", "Times", "Phases", "Slowest requests")
            if name not in text] == []
    assert "2026-03-01 12:00:00 to 2026-03-01 12:00:09 UTC" in text
    assert "Certificates" not in text and "Changes" not in text


def test_all_ok_and_nothing_at_all():
    assert "9 URLs: all ok" in page(RECORDS[:9])
    assert "<h1>No records</h1>" in page([])
    assert "1 URL: all ok" in page([record()])


@pytest.mark.parametrize("missing", [
    ["timestamp"], ["time_total", "time_starttransfer"], ["final_url"], ["status", "error", "time_namelookup"]])
def test_what_records_do_not_say_is_left_out(missing):
    assert "2 URLs: 1 ok, 1 failed" in page([{key: value for key, value in one.items() if key not in missing}
                                             for one in (record(), failed())])


def test_groups():
    text = Elements(page([record(input={"shop": "north"})], "input.shop")).text
    assert "By input.shop" in text and "north" in text


def test_certificates_that_expire_soon():
    def showing(host, not_after):
        return record(f"https://{host}/", tls={"not_after": not_after, "subject": f"CN={host}", "issuer": "CN=R3"})

    text = page([showing("soon.example", "2026-03-05T12:00:01.000Z"), showing("gone.example", "2026-02-27T00:00:00Z"),
                 showing("late.example", "2027-03-05T12:00:00.000Z"), record(tls="x"), record(tls={"not_after": 7})])
    assert "2 of 3 hosts showed a certificate that expires within 30 days" in text
    assert 'data-n="4">4' in text and ">expired" in text and "CN=late.example" not in text
    assert "None of the 1 hosts" in page([showing("late.example", "2027-03-05T12:00:00.000Z")])


def test_changes():
    found = difference([record("http://a.example/1"), record("http://a.example/2")],
                       [failed("dns", "http://a.example/1"), record("http://a.example/3")])
    text = Elements(page([failed("dns", "http://a.example/1"), record("http://a.example/3")], found=found)).text
    assert "Compared with an earlier run: 1 fails now and did not, 1 came, 1 went." in text
    assert "Fails now and did not: 1" in text
    assert "no difference" in page([record()], found=difference([record()], [record()]))


def test_hostile_records_are_text_and_nothing_else():
    texts = [text for text in HOSTILE if text != "\ud800"]       # no file of records has half a character
    found = difference([record(text, sha256="1", final_url="http://x/") for text in texts],
                       [record(text, sha256=text, final_url=text) for text in texts])
    elements = Elements(page(hostile(), "content_type", found))
    assert {tag for tag, _ in elements.found} <= KNOWN
    assert (len(elements.of("script")), len(elements.of("style"))) == (1, 1)
    attributes = {name for _, attributes in elements.found for name in attributes}
    assert [name for name in attributes if name.startswith("on") or name in ("style", "src", "srcset")] == []
    links = [link for link in elements.of("a") if not link["href"].startswith("#")]
    assert links
    for link in links:
        assert re.match("https?://[^@]*$", link["href"]) and link["rel"] == "noreferrer"
    assert [character for character in elements.text if not character.isprintable() and character != "\n"] == []
    assert "{{ 7 * 7 }}" in elements.text and "\\u202egpj.exe" in elements.text


def test_the_policy_allows_our_script_and_style_alone():
    text = page(RECORDS)
    (policy,) = (one["content"] for one in Elements(text).of("meta") if one.get("http-equiv"))
    assert policy.startswith("default-src 'none'; ")
    for tag in "script", "style":
        content = re.search(f"<{tag}>(.*?)</{tag}>", text, re.S)[1]
        assert f"{tag}-src 'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(("url", "expected"), [
    ("http://a.example/", True), ("HTTPS://a.example?x=1", True), ("http://a.example", True), ("a.example/", False),
    ("javascript:x//http://a", False), ("http://me:***@a.example/", False), ("http://a.example/\u202e", False),
    ("http:///x", False), ("ftp://a.example/", False), (f"http://a.example/{'x' * 500}", False),
    ("http://a.example\\@b/", False),
])
def test_what_is_a_link(url, expected):
    assert is_link(url) is expected


def test_rows_are_cut_where_they_would_take_too_much():
    room = Room(170)
    assert room.fitting(["a" * 10] * 9, lambda text: (text, text), 10, 100) == ["a" * 10] * 3
    assert room.left == 80
    assert room.fitting(["a" * 10] * 9, lambda text: (text, text), 10) == ["a" * 10] * 2
    assert Room(3).fitting(["<"], lambda text: (text,), 0) == []


@pytest.mark.slow
@pytest.mark.parametrize("host", ["b.example", "\u202e" * 400])
def test_the_page_stays_below_three_megabytes(host):
    records = [failed("http", f"http://{host}/{number}/{'p' * 60}", line=number, error_message="x" * 80)
               for number in range(12_000)]
    text = page(records)
    assert len(text.encode()) < 3_000_000
    shown = len(re.findall("^<tr><td>http<td>", text, re.M))
    assert f"And {12_000 - shown:,} more failures" in text
    assert shown > (5_000 if host == "b.example" else 100)
