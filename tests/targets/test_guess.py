import pytest

from fetcher.targets.guess import format_of_content, format_of_name


@pytest.mark.parametrize(("name", "format"), [
    ("list.csv", "csv"), ("LIST.TSV", "tsv"), ("a.jsonl", "jsonl"), ("a.b/c.ndjson", "jsonl"),
    ("list.csv.gz", "csv"), ("list.jsonl.zst", "jsonl"), ("list.csv.xz", "csv"),
    ("list.tsv.bz2", "tsv"), ("sitemap.xml.gz", "sitemap"),
    ("a.HTM", "html"), ("a.md", "markdown"), ("list.txt", None), ("list.gz", None), ("-", None),
    (".csv", None), ("csv", None), ("list.csv.bak", None),
])
def test_a_name_may_tell(name, format):
    assert format_of_name(name) == format


@pytest.mark.parametrize(("content", "format"), [
    (b"", "text"),
    (b"http://a/\n", "text"),
    (b"http://a/?x=1,url\n", "text"),
    (b"http://a/,url\thttp://b/", "text"),
    (b"url\n", "text"),
    (b'{"url": "http://a/"}\n', "jsonl"),
    (b'\n# records\n  {"url"', "jsonl"),
    (b"\xef\xbb\xbf{", "jsonl"),
    (b"id,url\n", "csv"),
    (b'\xef\xbb\xbf"URL","id"\r\n', "csv"),
    (b"id;url\n", "csv"),
    (b"id\turl,x\turl\n", "tsv"),
    (b"# from the crawl\n\nurl\tid", "tsv"),
    (b"id,link\nurl,x\n", "text"),
    (b"id|url\n", "csv"),
    (b"1;http://a/\n", "csv"),
    (b"1,\"http://a/\"\n", "csv"),
    (b"1\thttp://a/\n", "tsv"),
    (b'"http://a/",7\n', "csv"),
    (b"sep=;\n", "csv"),
    (b"sep=\t\r\n", "csv"),
    (b'"http://a/"\n', "text"),
    (b"<http://a/>,<http://b/>\n", "text"),
    (b"- http://a/;http://b/\n", "text"),
    (b"see http://a/\n", "text"),
    (b"http://a/\thttp://b/\n", "text"),
    (b'["http://a/"]\n', "jsonl"),
    (b"[\n", "jsonl"),
    (b"# Links\n\nSee [this](http://a/).\n", "markdown"),
    (b"[this](http://a/)\n", "markdown"),
    (b'<?xml version="1.0"?>\n<!-- <html> -->\n<urlset xmlns="x">', "sitemap"),
    (b"<sitemapindex>\n", "sitemap"),
    (b'<?xml version="1.0"?><rss>\n', "sitemap"),
    (b"<!DOCTYPE html>\n<html>\n", "html"),
    (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!DOCTYPE html>\n<html>\n", "html"),
    (b"<p>\n", "html"),
    (b"<http://a/>\n", "text"),
])
def test_the_first_line_may_tell(content, format):
    for blocks in [content], [content[:1], content[1:]], [bytes([byte]) for byte in content]:
        guessed, same = format_of_content(iter(blocks))
        assert (guessed, b"".join(same)) == (format, content)


def test_a_column_of_another_name_makes_a_table_too():
    assert format_of_content(iter([b"id,Link\n"]), "Link")[0] == "csv"


def test_no_more_is_read_than_the_first_line():
    def blocks():
        yield b"\n# comment\n"
        yield b"http://"
        yield b"a/\n"
        raise AssertionError("more was read than the first line")

    assert format_of_content(blocks())[0] == "text"


def test_a_beginning_without_lines_is_not_read_for_ever():
    def endless():
        while True:
            yield b"#" * 1000

    assert format_of_content(endless())[0] == "text"
