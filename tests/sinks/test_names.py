import re
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fetcher.errors import InvalidUrl
from fetcher.sinks.names import Template, extension, flat, marked
from fetcher.url import parse

MARK = re.compile(r"~[0-9a-f]{12}")


def name(url, template="{host}/{path}", **more):
    known: dict[str, Any] = {"line": 7, "n": 3, "sha256": "ab" * 32, "content_type": None, **more}
    return Template(template).name(parse(url), **known)


def is_safe(path):
    """Return whether it stays below any directory, on any file system."""
    pure = PurePosixPath(path)
    return (not pure.is_absolute() and path == str(pure) and ".." not in pure.parts and path not in ("", ".")
            and not re.search(r'[\x00-\x1f\x7f<>:"\\|?*]', path) and len(path.encode()) <= 1024 + 255
            and all(len(part.encode()) <= 255 and not part.endswith((".", " ")) for part in pure.parts))


@pytest.mark.parametrize(("url", "path"), [
    ("http://a.example/x/y.txt", "a.example/x/y.txt"),
    ("http://a.example", "a.example/index.html"),
    ("http://a.example/x/", "a.example/x/index.html"),
    ("http://a.example:8080/x", "a.example+8080/x"),
    ("http://[::1]:8080/x", "[++1]+8080/x"),
    ("http://user:secret@a.example/x", "a.example/x"),
    ("http://a.example/x#part", "a.example/x"),
    ("http://a.example/README.md", "a.example/README.md"),
    ("http://a.example/.well-known/x", "a.example/.well-known/x"),
    ("http://a.example/caf%C3%A9/é", "a.example/café/é"),
    ("http://a.example/a%20b%2Fc%00", "a.example/a%20b%2Fc%00"),
    ("http://a.example/caf%e9/%E2%80%AE", "a.example/caf%e9/%E2%80%AE"),
    ("http://a.example/../../etc/passwd", "a.example/etc/passwd"),
    ("http://a.example/%2e%2e/%2E./etc/passwd", "a.example/etc/passwd"),
    (r"http://a.example/..\..\etc\passwd", "a.example/etc/passwd"),
])
def test_a_name_reads_like_its_url(url, path):
    assert name(url) == path


@pytest.mark.parametrize(("url", "pattern"), [
    ("http://a.example/x.jpg?v=2", r"a\.example/x~\w{12}\.jpg"),
    ("http://a.example/?q", r"a\.example/index~\w{12}\.html"),
    ("http://a.example/a//b", r"a\.example/a/b~\w{12}"),
    ("http://a.example/a:b*c", r"a\.example/a%3Ab%2Ac~\w{12}"),
    ("http://a.example/...", r"a\.example/%2E%2E%2E~\w{12}"),
    ("http://a.example/a./b", r"a\.example/a%2E/b~\w{12}"),
    ("http://a.example/con", r"a\.example/_con~\w{12}"),
    ("http://a.example/Nul.txt", r"a\.example/_Nul~\w{12}\.txt"),
    ("http://a.example/LPT1.a.b/c", r"a\.example/_LPT1\.a\.b/c~\w{12}"),
    ("http://a.example/.fetcher-1.part", r"a\.example/_\.fetcher-1~\w{12}\.part"),
])
def test_what_a_name_cannot_say_is_in_its_mark(url, pattern):
    assert re.fullmatch(pattern, name(url))


def test_a_name_that_is_too_long_keeps_its_suffix_and_whole_characters():
    last = name("http://a.example/" + "é" * 300 + ".html").split("/")[-1]
    assert len(last.encode()) <= 255
    assert re.fullmatch("é+~[0-9a-f]{12}.html", last)


def test_a_path_that_is_too_deep_becomes_one_name():
    deep = name("http://a.example/" + "a/" * 2000 + "end.txt")
    assert re.fullmatch(r"a\.example(%2Fa)+[%2F]*~\w{12}\.txt", deep)
    assert is_safe(deep)


def test_names_that_were_cut_differ_where_their_urls_do():
    assert name(f"http://a.example/{'a' * 300}b") != name(f"http://a.example/{'a' * 300}c")


@pytest.mark.parametrize(("template", "path"), [
    ("{line}-{n}.{ext}", "7-3.gif"),
    ("{line:06}/{n:3}", "000007/003"),
    ("{sha256}", "ab" * 32),
    ("{host}/{query}", "a.example/q=1%2F2"),
    ("pages/{host}", "pages/a.example"),
    ("/{line}", "7"),
    ("../{line}", "%2E%2E/7"),
])
def test_a_template_says_what_a_name_is_made_of(template, path):
    assert name("http://a.example/x.gif?q=1/2", template) == path


def test_a_template_that_names_path_and_query_needs_no_mark():
    assert name("http://a.example/x?q=1", "{host}/{path}@{query}") == "a.example/x@q=1"


@pytest.mark.parametrize("template", [
    "{url}", "{host", "host}", "{}", "{host.__class__}", "{line:x}", "", "/", "{{line}}"])
def test_a_template_with_a_mistake_is_refused(template):
    with pytest.raises(ValueError):
        Template(template)


@pytest.mark.parametrize(("path", "content_type", "expected"), [
    ("/a.JPG", "image/jpeg", "jpg"),
    ("/a.jpeg", "image/jpeg", "jpeg"),
    ("/a.php", "text/html; charset=utf-8", "html"),
    ("/a.csv", "text/plain", "csv"),
    ("/a.tar", None, "tar"),
    ("/a", "image/png", "png"),
    ("/a.xyz", "application/x-nobody-knows", "xyz"),
    ("/a", None, "bin"),
    ("/a.b/c", "", "bin"),
    ("/a.png/../x%2F", "/../../", "bin"),
])
def test_the_suffix_is_that_of_the_content(path, content_type, expected):
    assert extension(path, content_type) == expected


SEGMENTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["..", ".", "%2e%2e", "%2E.", "a", "A", "b.txt", "", "con", "nul.txt", "a.", "a%20", "%00", "\\",
                     "~", "index.html", "a" * 300, "é" * 200, "%C3%A9" * 90, ".fetcher-1.part", "a:b", "%3a", "%3A"]))
HOSTS = st.sampled_from(["a.example", "a.example:8080", "[::1]", "A.example", "bücher.example", "con", "aux.txt"])
TEMPLATES = st.sampled_from(["{host}/{path}", "{path}", "{host}{path}.{ext}", "../{path}", "/{host}/../{query}",
                             "{query}", "./{path}/..", "{line}-{path}", "{sha256}/{path}", "\\{path}",
                             "{host}\0{path}"])


@st.composite
def urls(draw):
    path = "/".join(draw(st.lists(SEGMENTS, max_size=5)))
    try:
        return parse(f"http://{draw(HOSTS)}/{path}{draw(st.sampled_from(['', '?', '?a', '?/../']))}")
    except InvalidUrl:
        return parse("http://a.example/")


@given(urls(), TEMPLATES, st.one_of(st.none(), st.text(max_size=30)))
@example(parse("http://a.example/" + "%2e" * 9), "{path}", None)
def test_no_name_leads_out_of_its_directory(url, template, content_type):
    path = Template(template).name(url, line=1, n=1, sha256="cd" * 32, content_type=content_type)
    assert is_safe(path)
    assert is_safe(marked(path, "key"))
    assert is_safe(marked(flat(path), "key")) and "/" not in flat(path)


@given(urls(), urls())
@example(parse("http://a.example/a:b"), parse("http://a.example/a%3Ab"))
@example(parse("http://a.example/é"), parse("http://a.example/%c3%a9"))
@example(parse("http://a.example/a"), parse("http://a.example/a?"))
@example(parse("http://a.example/a?b"), parse("http://a.example/a%3Fb"))
@example(parse("http://a.example//"), parse("http://a.example//#b"))
def test_two_urls_have_two_names(first, second):
    """Otherwise the body store handles it: names of directories, and names that look like a mark."""
    def is_plain(url):
        return not (url.target.partition("?")[0].endswith("index.html") or MARK.search(url.target))

    names = Template("{host}/{path}")
    known: dict[str, Any] = {"line": 1, "n": 1, "sha256": "", "content_type": None}
    if is_plain(first) and is_plain(second):
        bare = [str(url).partition("#")[0] for url in (first, second)]
        assert (names.name(first, **known) == names.name(second, **known)) == (bare[0] == bare[1])
