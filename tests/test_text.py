import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.model import Result
from fetcher.options import BodyOptions
from fetcher.text import decoded
from tests.broken_server import BrokenServer
from tests.fetching import fetch

JAPANESE = "<!doctype html><title>\u65e5\u672c\u8a9e\u306e\u30da\u30fc\u30b8</title>"
RUSSIAN = "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440"
CHINESE = "\u4f60\u597d\uff0c\u4e16\u754c"


@pytest.mark.parametrize(("text", "charset", "declared"), [
    ("caf\u00e9 \u20ac\u201cquoted\u201d", "cp1252", "iso-8859-1"),
    ("caf\u00e9 \u20ac", "cp1252", "US-ASCII"),
    ("\u0131\u015f\u0131k \u20ac", "cp1254", "iso-8859-9"),
    (RUSSIAN, "koi8-r", "KOI8-R"),
    (RUSSIAN, "cp1251", "Windows-1251"),
    (JAPANESE, "cp932", "Shift_JIS"),
    (JAPANESE, "euc-jp", "euc-jp"),
    (JAPANESE, "iso-2022-jp", "ISO-2022-JP"),
    (CHINESE, "gbk", "gb2312"),
    (CHINESE + "\U00020000", "gb18030", "gbk"),
    ("\u9999\u6e2f\u5605", "big5hkscs", "Big5"),
    ("\ub620\ubc29\uac01\ud558", "cp949", "ks_c_5601-1987"),
    ("\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35 \u20ac", "cp874", "tis-620"),
    ("\u0645\u0631\u062d\u0628\u0627", "cp1256", "windows-1256"),
    (CHINESE, "utf-16-le", "utf-16"),
    (CHINESE, "utf-16-be", "UTF-16BE"),
    (CHINESE, "utf-8", "utf8"),
])
def test_a_declared_charset_means_what_it_means_to_a_browser(text, charset, declared):
    for parameter in f"; charset={declared}", f';Charset="{declared}"', f"; format=flowed ;charset={declared} ; x=y":
        assert decoded(text.encode(charset), f"text/plain{parameter}") == text


@pytest.mark.parametrize("charset", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("content_type", [None, "text/html; charset=iso-8859-1", "application/json"])
def test_a_byte_order_mark_counts_more_than_what_is_declared(charset, content_type):
    assert decoded(RUSSIAN.encode(charset), content_type) == RUSSIAN


def test_big_endian_is_known_by_its_mark():
    assert decoded(codecs.BOM_UTF16_BE + CHINESE.encode("utf-16-be"), "text/plain") == CHINESE
    assert decoded(codecs.BOM_UTF32_BE + CHINESE.encode("utf-32-be"), "text/plain") == CHINESE


@pytest.mark.parametrize("meta", [
    "<meta charset=shift_jis>",
    '<meta charset="Shift_JIS">',
    "<META CHARSET = ' sjis '/>",
    '<meta name=viewport content="charset=utf-16"><meta/charset=x-sjis>',
    '<meta http-equiv="Content-Type" content="text/html; charset=Shift_JIS">',
    '<meta content="text/html;charset=\'Shift_JIS\'" http-equiv=content-type>',
    '<!-- <meta charset="koi8-r"> --><meta charset="windows-31j">',
    '<meta charset="no-such"><meta charset="shift_jis">',
    '<meta name="a > b" content="c"><meta charset="shift_jis">',
])
@pytest.mark.parametrize("content_type", ["text/html", "TEXT/HTML; charset=no-such", "application/xhtml+xml"])
def test_html_says_itself_what_it_is_in(meta, content_type):
    page = meta + JAPANESE
    assert decoded(page.encode("cp932"), content_type) == page


def test_what_is_declared_counts_more_than_meta():
    page = f'<meta charset="koi8-r">{RUSSIAN}'
    assert decoded(page.encode("cp1251"), "text/html; charset=windows-1251") == page


def test_meta_counts_in_the_first_kilobyte_of_html_alone():
    page = '<meta charset="shift_jis">' + JAPANESE
    assert decoded(page.encode("cp932"), "text/plain") is None
    assert decoded(page.encode("cp932"), None) is None
    assert decoded((" " * 1000 + page).encode("cp932"), "text/html") is None


def test_a_page_that_could_be_read_for_its_meta_is_not_in_utf_16():
    page = f'<meta charset="utf-16le">{RUSSIAN}'
    assert decoded(page.encode(), "text/html") == page


@pytest.mark.parametrize("content_type", ["text/xml", "application/xml", "application/rss+xml", "text/xml; charset=?"])
def test_xml_says_it_in_its_declaration(content_type):
    feed = f'<?xml version="1.0" encoding="windows-1251"?>\n<a>{RUSSIAN}</a>'
    assert decoded(feed.encode("cp1251"), content_type) == feed


@pytest.mark.parametrize(("body", "content_type"), [
    (b"\x89PNG\r\n\x1a\n\xff", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg; charset=binary"),
    (b"caf\xe9", "text/plain"),
    (b"caf\xe9", "text/plain; charset=utf-8"),
    (b"\xff\xfea", None),                                   # half a character of UTF-16
    (b"\xff\xfe\x00\xd8", None),                            # half a surrogate pair
    (b"\xef\xbb\xbfcaf\xe9", "text/plain; charset=latin1"),
    (b"\x82", "text/html; charset=shift_jis"),              # cut in the middle of a character
])
def test_what_does_not_fit_is_no_text(body, content_type):
    assert decoded(body, content_type) is None
    record = Result("http://a/", 1, body=body, content_type=content_type).record()
    assert record["body_encoding"] == "base64"


def test_utf_8_under_a_wrong_name_that_does_not_fit_is_still_read():
    assert decoded("\u201cquoted\u201d".encode(), "text/html; charset=iso-8859-1") == "\u201cquoted\u201d"
    assert decoded("caf\u00e9".encode(), "text/html; charset=utf8mb4") == "caf\u00e9"


@pytest.mark.parametrize("label", [
    "zlib", "bz2", "hex", "base64", "rot13", "idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape",
    "utf-7", "mbcs", "oem", "cp037", "replacement", "x-user-defined", "hz-gb-2312", "iso-2022-kr", "a" * 100_000, "",
    "..", "../../x", "\0", "\xe9", "\ud800", '"', "'", ";", "%s", "\u0130", "utf-8\0",
])
@pytest.mark.parametrize("body", [b"", b"plain", b"\x80\xff\0", "caf\u00e9".encode(), b"xn--\xff", b"\\ud800"])
def test_no_label_raises_or_makes_text_that_cannot_be_written(label, body):
    in_html = b"<meta charset='" + label.encode("utf-8", "surrogatepass")[:2000] + b"'>" + body
    for text in (decoded(body, f"text/html; charset={label}"), decoded(in_html, "text/html"),
                 decoded(in_html.replace(b"meta", b"?xml encoding"), "text/xml")):
        if text is not None:
            text.encode()


@given(st.binary(),
       st.none() | st.text() | st.from_regex(r"text/(html|xml|plain); ?charset=[a-z0-9_-]+", fullmatch=True))
def test_no_body_raises(body, content_type):
    for start in b"", b"<meta charset=", b"<meta http-equiv=content-type content='charset=", b"<?xml encoding='":
        text = decoded(start + body, content_type)
        if text is not None:
            text.encode()


def test_a_record_holds_pages_of_any_charset_as_text():
    page = f"<meta charset=koi8-r><p>{RUSSIAN}"
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n"
    body = page.encode("koi8-r")
    with BrokenServer(head % len(body) + body) as broken:
        record = fetch(broken.url(), body=BodyOptions(keep=True)).record()
    assert (record["body"], record["body_encoding"]) == (page, None)
