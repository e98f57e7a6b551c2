"""Lists that must be read as a whole: sitemaps, pages, Markdown, JSON of any form."""
import gzip
import json
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher import green
from fetcher.errors import InputError
from fetcher.model import Target
from fetcher.options import InputOptions
from fetcher.targets import TargetReader
from fetcher.targets.document import MAX_MARKUP, Document
from fetcher.targets.html import Html
from fetcher.targets.json_values import JsonValues
from fetcher.targets.lines import MAX_LINE_BYTES
from fetcher.targets.links import Links
from fetcher.targets.markdown import MAX_SIZE, Markdown
from fetcher.targets.rows import Rows
from fetcher.targets.sitemap import Sitemap

URLSET = b"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>"


def read(kind: type[Document], *blocks: bytes, base: str | None = None) -> list[Target]:
    return list(kind("The list", None, Links(InputOptions(base_url=base))).targets(blocks))


def values(*blocks: bytes) -> list[Target]:
    return list(JsonValues("The list", Rows()).targets(blocks))


def seen(targets: list[Target]) -> list[tuple[int, str]]:
    return [(target.line, target.url) for target in targets]


def refusal(kind: type[Document], *blocks: bytes) -> str:
    with pytest.raises(InputError) as caught:
        read(kind, *blocks)
    return str(caught.value)


# Sitemaps

def test_a_sitemap_has_an_entry_for_each_page_with_what_else_it_says():
    first, second = read(Sitemap, b"<?xml version='1.0' encoding='UTF-8'?>\n" + URLSET + b"""
        <url><loc> http://me:secret@a/?x=1&amp;y=2 </loc>
             <lastmod>2026-11-28</lastmod><priority>0.5</priority></url>
        <url xmlns:image="i"><image:image><image:loc>http://no/</image:loc></image:image>
             <loc><![CDATA[http://b/]]></loc></url></urlset>""")
    assert (first.line, first.url, first.input) == (
        3, "http://me:***@a/?x=1&y=2", {"lastmod": "2026-11-28", "priority": "0.5"})
    assert (second.line, second.url, second.input) == (6, "http://b/", {})


def index(*locs: str) -> bytes:
    entries = "".join(f"<s:sitemap><s:loc>{loc}</s:loc><s:lastmod>2026</s:lastmod></s:sitemap>" for loc in locs)
    return f"<s:sitemapindex xmlns:s='x'>{entries}</s:sitemapindex>".encode()


def test_an_index_is_refused_with_the_command_that_fetches_what_is_in_its_sitemaps():
    assert refusal(Sitemap, index("http://a/b?c", "http://a/d")) == (
        "The list is an index of 2 sitemaps; an index is not followed. To fetch its pages: "
        "for url in 'http://a/b?c' http://a/d; do curl -sL \"$url\" | fetcher --input-format sitemap -; done")
    assert refusal(Sitemap, index("n/a")) == "The list is an index of 1 sitemap; an index is not followed."


def test_of_a_long_index_the_first_sitemaps_are_named():
    told = refusal(Sitemap, index(*(f"http://a/{number}" for number in range(1000))))
    assert "an index of 1,000 sitemaps" in told and "To fetch the pages of the first 20: for url in http://a/0 " in told
    assert told.count("http://a/") == 20


def test_an_entry_without_a_url_has_its_record():
    first, second = read(Sitemap, URLSET + b"<url/>\n<url><loc>n/a</loc></url></urlset>")
    assert (first.problem, second.url) == ("The entry has no loc.", "n/a")


@pytest.mark.parametrize(("content", "problem"), [
    (b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + URLSET + b"</urlset>", "declares entities, which a sitemap does not need"),
    (b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>" + URLSET + b"</urlset>", "declares entities"),
    (URLSET + b"<url>\n</urlset>", "is not well-formed XML in line 2: mismatched tag."),
    (URLSET, "is not well-formed XML in line 1: no element found."),
    (b"<rss/>", "is XML, but no sitemap: it begins with <rss>."),
    (URLSET + b"<url x='" + b"y" * 2 * MAX_MARKUP, "has a tag or the like of more than 1,048,576 bytes in line 1."),
])
def test_what_is_no_sitemap_is_refused(content, problem):
    assert problem in refusal(Sitemap, *(content[start:start + 65536] for start in range(0, len(content), 65536)))


def test_sitemaps_in_other_encodings_are_read(tmp_path):
    text = "<?xml version='1.0' encoding='{}'?><urlset><url><loc>http://a/ü</loc></url></urlset>"
    for encoding in "utf-16", "iso-8859-1", "utf-8":
        (tmp_path / "a.xml.gz").write_bytes(gzip.compress(text.format(encoding).encode(encoding)))
        assert [target.url for target in TargetReader([str(tmp_path / "a.xml.gz")])] == ["http://a/ü"]


@pytest.mark.slow
def test_a_long_sitemap_is_read_in_flat_memory():
    entries = b"<url><loc>http://a/</loc><lastmod>2026</lastmod></url>\n" * 1000
    tracemalloc.start()
    try:
        blocks = (URLSET if number == 0 else entries for number in range(21))
        with pytest.raises(InputError, match="no element found"):
            for number, _ in enumerate(Sitemap("The list").targets(blocks), 1):
                pass
        assert number == 20_000 and tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


# Pages

def test_the_links_of_a_page_are_those_that_lead_somewhere():
    page = b"""<!DOCTYPE html><title>http://no/</title>
        <a class=x href="http://a/?x&amp;y">A</a> <A HREF=' b
c '>B</A><a name=d><a href="#e"><a href=mailto:f@g><a href="">
        <script>"<a href='http://no/'>"</script><!-- <a href="http://no/"> --><![CDATA[x]]><area href=//h/>
        <a href="htp://i/"><img src="http://no/">"""
    targets = read(Html, page, base="http://base/x/y")
    assert seen(targets) == [(2, "http://a/?x&y"), (2, "bc"), (4, "//h/"), (5, "htp://i/")]
    assert [str(target.parsed) for target in targets[:3]] == ["http://a/?x&y", "http://base/x/bc", "http://h/"]
    assert targets[3].problem == "The scheme htp is not supported; only http and https are."


def test_relative_links_need_a_base_which_the_page_itself_may_name():
    (target,) = read(Html, b"<a href=page.html>")
    assert target.problem == "The link is relative; name the page's URL with --base-url."
    page = b"<base target=x><base href='/c/'><base href='/d/'><a href=page.html>"
    (target,) = read(Html, b"<base href=http://b/c/>" + page)
    assert str(target.parsed) == "http://b/c/page.html"
    (target,) = read(Html, page, base="http://me:secret@a/")
    assert (str(target.parsed), target.parsed and target.parsed.userinfo) == ("http://a/c/page.html", "me:secret")


def test_a_page_is_read_however_it_is_cut():
    page = "<p>ü</p>\n<a href='http://a/ü'>".encode()
    assert seen(read(Html, *(page[place:place + 1] for place in range(len(page))))) == [(2, "http://a/ü")]


def test_a_tag_without_an_end_is_not_kept():
    blocks = [b"<a href='http://no/" + b"\n" * 65536] + [b"x" * 65536] * 20 + [b">\n<a href=http://a/>"]
    assert seen(read(Html, *blocks)) == [(65538, "http://a/")]


# Markdown

def test_the_links_of_a_document_have_the_lines_where_they_stand():
    text = b"""# Title [a](http://a/)

See [b][b] and
<http://c/>, http://d/x(y). And (http://e/).
`http://no/` ![i](http://no/)

* x <a href="http://f/">y</a>
  [g](http://g/ "http://no/")

```
http://no/
```
<div>
<a href='http://h/'></a></div>

[b]: http://b/
"""
    assert seen(read(Markdown, text)) == [
        (1, "http://a/"), (3, "http://b/"), (4, "http://c/"), (4, "http://d/x(y)"), (4, "http://e/"),
        (7, "http://f/"), (8, "http://g/"), (14, "http://h/")]


def test_a_document_that_is_too_long_is_refused():
    blocks = [b"x" * 65536] * (MAX_SIZE // 65536 + 1)
    assert "too long for Markdown; name its --input-format." in refusal(Markdown, *blocks)


@pytest.mark.slow
def test_while_a_document_is_read_others_have_their_turn():
    turns = 0

    def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            green.sleep(0)

    thread = green.spawn(others)
    green.sleep(0)
    try:
        turns = 0
        read(Markdown, b"![" * 10_000)
        assert turns > 3
    finally:
        thread.kill()


# JSON

@pytest.mark.parametrize("size", [1, 3, 1000])
def test_the_values_of_arrays_and_those_beside_them_are_rows(size):
    content = b'\xef\xbb\xbf[ "http://a/",\n\n{"url": "http://b/,]\\"[",\n"id": [1, 18446744073709551616]} ]\n' \
              b'{\n"url": "http://c/"}{"url":"http://d/"}\n["http://e/"]["http://f/"] "http://g/"\n7\n[]\n[7]\n'
    targets = values(*(content[place:place + size] for place in range(0, len(content), size)))
    assert seen(targets) == [(1, "http://a/"), (3, 'http://b/,]"['), (5, "http://c/"), (6, "http://d/"),
                             (7, "http://e/"), (7, "http://f/"), (7, "http://g/"), (8, "7"), (10, "7")]
    assert str(targets[1].input) == "{'id': [1, 18446744073709551616]}"


def test_an_array_that_is_cut_off_says_so():
    for content in b'["http://a/"', b'["http://a/",', b'["http://a/", {"url": "', b'["http://a/", [':
        last = values(content)[-1]
        assert last.problem == "The list ends in the middle: an array, an object or a string is not closed."


def test_a_value_that_is_too_long_or_broken_costs_no_other():
    broken = values(b'["http://a/", {"url" 7}, "caf\xe9", "' + b"x" * (MAX_LINE_BYTES + 1) + b'", "http://b/"]')
    assert [target.parsed is None for target in broken] == [False, True, True, True, False]


@pytest.mark.slow
@given(st.lists(st.recursive(st.text(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
    st.text(), inner, max_size=3))), st.sampled_from([None, 1]), st.integers(1, 30))
def test_every_value_of_an_array_has_its_target(rows, indent, size):
    content = json.dumps(rows, indent=indent).encode()
    targets = values(*(content[place:place + size] for place in range(0, len(content), size)))
    assert len(targets) == len(rows)


# All

@pytest.mark.parametrize("name", ["sitemap", "html", "markdown", "jsonl"])
@given(content=st.binary() | st.text(st.sampled_from("<>![]()&;/'\"=-?{},:\\\n ah ref")).map(str.encode))
def test_no_content_raises_anything_else(tmp_path_factory, name, content):
    path = tmp_path_factory.getbasetemp() / f"any-{name}"
    path.write_bytes({"sitemap": URLSET, "jsonl": b"["}.get(name, b"") + content)
    try:
        for target in TargetReader([str(path)], InputOptions(format=name)):
            assert (target.parsed is None) == (target.problem is not None)
    except InputError as error:
        assert str(error)


@pytest.mark.slow
@pytest.mark.parametrize("pattern", [b"<a ", b"<a href='", b"<!--", b"<![", b"</", b"<", b"&", b"[", b"](", b"`", b"*",
                                     b"> ", b"- ", b"<a x=", b"![", b"{", b'"', b"\\", b"_a", b"http://", b"[\n",
                                     b"[]: <", b"- [\n", b"1. > ", b"[a](b", b"**a_"])
@pytest.mark.parametrize("kind", [Html, Markdown])
def test_what_hostile_content_takes_grows_no_faster_than_its_length(kind, pattern):
    def seconds(size: int) -> float:
        start = time.process_time()
        read(kind, pattern * (size // len(pattern)), base="http://a/")
        return time.process_time() - start

    assert any(seconds(40_000) < 10 * max(seconds(10_000), 0.02) for _ in range(3))     # machines are slow at times


def test_brackets_behind_a_url_are_taken_off_in_one_go():
    url = b"http://a/" + b"(" * 200_000
    assert seen(read(Markdown, url + b")" * 400_000)) == [(1, (url + b")" * 200_000).decode())]
