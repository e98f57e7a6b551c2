import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fetcher.transport.cookies.cookie import Cookie
from fetcher.transport.cookies.file import read_cookies, write_cookies
from fetcher.transport.cookies.parse import parse_set_cookie
from fetcher.url import parse


@pytest.fixture
def path(tmp_path):
    return tmp_path / "jar"


def read(path, text):
    path.write_bytes(text.encode("latin-1"))
    return read_cookies(str(path))


@pytest.mark.parametrize(("line", "cookie"), [
    (".A.example\tTRUE\t/x\tTRUE\t0\ta\tb\r", Cookie("a", "b", "a.example", False, "/x", True)),
    ("#HttpOnly_a.example\tFALSE\t/\tFALSE\t9999999999\ta\t\xfc",
     Cookie("a", "\xfc", "a.example", http_only=True, expires=9999999999)),
    ("127.0.0.1\tTRUE\t/\tFALSE\t0\ta\tb", Cookie("a", "b", "127.0.0.1")),
    (".github.io\tTRUE\t/\tFALSE\t0\ta\tb", Cookie("a", "b", "github.io")),
    ("a.example\tfalse\t\tfalse\t0\ta", Cookie("a", "", "a.example")),
    ("\xef\xbb\xbfa.example\tFALSE\t/\tFALSE\t0\ta\tb", Cookie("a", "b", "a.example")),
    ("\xef\xbb\xbf# A comment\na.example\tFALSE\t/\tFALSE\t0\ta\tb", Cookie("a", "b", "a.example")),
])
def test_lines_as_others_write_them(path, line, cookie):
    assert read(path, line) == [cookie]


@pytest.mark.parametrize("line", [
    "\tFALSE\t/\tFALSE\t0\ta\tb", "a.example\tFALSE\t/\tFALSE\t0\t\tb", "a.example\tFALSE\t/\tFALSE\t\ta\tb",
    "a.example\tFALSE\t/\tFALSE\t0\t__Secure-a\tb", "a.example\tFALSE\t/\tFALSE\t0\ta\t" + "b" * 4096])
def test_a_line_that_is_no_cookie_is_told_and_left_out(path, line, caplog):
    assert read(path, f"# comment\n{line}\n") == []
    assert [record.getMessage() for record in caplog.records] == [
        f"{path} line 2 is not a cookie in Netscape's format."]


def test_what_has_expired_is_left_out(path, caplog):
    assert read(path, "a.example\tFALSE\t/\tFALSE\t1\ta\tb\na.example\tFALSE\t/\tFALSE\t-1\ta\tb\n") == []
    assert caplog.records == []


fields = st.text(st.characters(max_codepoint=255) | st.sampled_from("=;\t /"), max_size=20)


@given(fields, fields)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_cookie_that_was_written_is_read_again(path, value, where):
    cookie = parse_set_cookie(f"a{value}; Path=/{where}", parse("http://b.a.example/x/"), 0.0)
    cookies = [cookie] if cookie is not None else []
    write_cookies(str(path), cookies)
    assert read_cookies(str(path)) == [cookie for cookie in cookies if cookie.expires is None]


@given(st.binary() | st.lists(st.sampled_from([b"a.example", b"\t", b"TRUE", b"0", b"\n", b"#", b"/", b"\xff"])).map(
    b"".join))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_reading_raises_nothing_whatever_the_file_is(path, content):
    path.write_bytes(content)
    read_cookies(str(path))
