"""Which answers are as expected: parse the options, and judge answers."""
import hashlib
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.expectation import accepted, parse_statuses, shown_statuses
from fetcher.judge import Judge
from fetcher.options import AnswerOptions, BodyOptions, RedirectOptions, SaveOptions
from tests.fetching import failure, fetch

SHA256 = hashlib.sha256(bytes(range(256)) * 3 + bytes(range(232))).hexdigest()      # of /bytes/1000


def accepting(text):
    return AnswerOptions(accept=parse_statuses(text))


# Statuses

@pytest.mark.parametrize(("text", "statuses"), [
    ("200", {200}), ("200-204", range(200, 205)), ("2xx", range(200, 300)), ("2XX , 404", {*range(200, 300), 404}),
    ("999", {999}),
])
def test_statuses_are_codes_ranges_and_hundreds(text, statuses):
    assert accepted(parse_statuses(text)) == set(statuses)


def test_statuses_can_be_shown_as_they_are_typed():
    assert shown_statuses(parse_statuses("2xx,304,404-410")) == "200-299,304,404-410"


def test_without_a_choice_statuses_below_400_are_accepted():
    assert accepted(None) == set(range(400))


# Answers

@pytest.mark.parametrize(("text", "status", "ok"), [
    ("2xx", 200, True), ("2xx,404", 404, True), ("403,429", 429, True), ("2xx", 404, False), ("403", 200, False),
    ("204", 204, True), ("2xx", 304, False), ("304", 304, True),
])
@pytest.mark.usefixtures("transport")
def test_an_answer_is_ok_by_its_status(server, text, status, ok):
    result = fetch(server.url(f"/status/{status}"), answer=accepting(text))
    assert (result.ok, result.status, result.error) == (ok, status, None if ok else "http")


def test_the_sentence_says_that_a_good_status_is_not_accepted(server):
    assert failure(fetch(server.url("/status/200"), answer=accepting("204"))) == (
        "http", "The server answered with status 200, which is not accepted.")
    assert failure(fetch(server.url("/status/404"), answer=accepting("204"))) == (
        "http", "The server answered with status 404.")


def test_a_redirect_that_is_not_followed_is_judged_by_its_own_status(server):
    no_follow = RedirectOptions(follow=False)
    assert fetch(server.url("/redirect/1"), redirects=no_follow, answer=accepting("2xx")).error == "http"
    assert fetch(server.url("/redirect/1"), redirects=no_follow, answer=accepting("302")).ok
    assert fetch(server.url("/redirect/1"), answer=accepting("2xx")).ok


def test_bodies_are_saved_by_whether_their_status_is_accepted(server, tmp_path):
    body = BodyOptions(save=SaveOptions(str(tmp_path)))
    saved = fetch(server.url("/status/404"), answer=accepting("404"), body=body).saved_to
    assert saved is not None and saved.startswith(str(tmp_path))
    assert fetch(server.url("/bytes/10"), answer=accepting("404"), body=body).saved_to is None


# Bodies

def judged(body, *cuts, content_type=None, **expected):
    """Return the complaint about `body`, which arrives in pieces that end at `cuts`."""
    judge = Judge(AnswerOptions(**expected))
    watch = judge.watch(content_type)
    for begin, end in zip((0, *sorted(cuts)), (*sorted(cuts), len(body))):
        watch.feed(body[begin:end])
    return judge.complaint(watch, len(body), None, content_type, 0.0)


@pytest.mark.parametrize(("expected", "complaint"), [
    ({"expect": ("stock",)}, None),
    ({"expect": ("stock", "In")}, None),
    ({"expect": ("stock", "sold")}, 'The body does not contain "sold"; it begins "In stock: <b>3</b>\\n".'),
    ({"expect": ("Stock",)}, 'The body does not contain "Stock"; it begins "In stock: <b>3</b>\\n".'),
    ({"expect": ("/STOCK/i",)}, None),
    ({"expect": (r"/stock: <b>\d+</",)}, None),
    ({"expect": ("/STOCK/",)}, 'The body does not match /STOCK/; it begins "In stock: <b>3</b>\\n".'),
    ({"expect_not": ("sold", "/sold/")}, None),
    ({"expect_not": ("3",)}, 'The body contains "3", which is not expected: "In stock: <b>3</b>\\n".'),
    ({"expect_not": (r"/\d/",)}, r'The body matches /\d/, which is not expected: "In stock: <b>3</b>' '\\n".'),
    ({"expect": ("stock",), "expect_not": ("stock",)},
     'The body contains "stock", which is not expected: "In stock: <b>3</b>\\n".'),
])
def test_a_body_has_all_that_is_expected_and_none_of_the_rest(expected, complaint):
    assert judged(b"In stock: <b>3</b>\n", **expected) == complaint


def test_an_empty_body_is_said_to_be_empty():
    assert judged(b"", expect=("a",)) == 'The body does not contain "a"; it is empty.'
    assert judged(b"", expect=("/^$/",), expect_not=("a",)) is None


def test_what_came_is_shown_cut_and_escaped():
    assert judged("\x1b[31m\u202e".encode() + b"x" * 100, expect=("a",)) == (
        'The body does not contain "a"; it begins "\\u001b[31m\\u202e' + "x" * 54 + '...".')
    assert judged(b"x" * 2000 + b"bad\n" + b"y" * 2000, expect_not=("bad",)) == (
        'The body contains "bad", which is not expected: ... "' + "x" * 20 + "bad\\n" + "y" * 36 + '...".')


@pytest.mark.parametrize(("charset", "content_type", "head"), [
    ("utf-8", None, ""), ("latin-1", "text/html; charset=iso-8859-1", ""), ("utf-16", None, ""),
    ("shift_jis", "text/plain; charset=shift_jis", ""), ("iso-2022-jp", "text/plain; charset=iso-2022-jp", ""),
    ("cp1251", "text/html", "<meta charset=windows-1251>"),
])
def test_a_text_is_found_in_the_charset_of_the_body(charset, content_type, head):
    text = {"latin-1": "größer", "cp1251": "Есть"}.get(charset, "在庫")
    body = f"{head}{'.' * 2000}{text}{'.' * 2000}".encode(charset)
    assert judged(body, *range(0, len(body), 7), content_type=content_type, expect=(text, f"/{text}/")) is None
    assert judged(body, content_type=content_type, expect=(f"{text}{text}",)) is not None


@given(st.data())
def test_a_text_is_found_wherever_the_body_is_cut(data):
    """Its own edges, and those of the window that moves along, included."""
    text = data.draw(st.text("ab€", min_size=1, max_size=12))
    before, after = (data.draw(st.text("ab€", max_size=3000)) for _ in range(2))
    body = f"{before}{text}{after}".encode()
    place = len(before.encode())
    near = st.integers(max(place - 3, 0), min(place + len(text.encode()) + 3, len(body)))
    cuts = data.draw(st.lists(near | st.integers(0, len(body)), max_size=12))
    assert judged(body, *cuts, expect=(text,)) is None
    assert judged(body, *cuts, expect_not=(text,)) is not None
    absent = data.draw(st.text("ab€", min_size=1, max_size=4).filter(lambda each: each not in body.decode()))
    assert judged(body, *cuts, expect=(absent,)) is not None
    assert judged(body, *cuts, expect_not=(absent,)) is None


@pytest.mark.parametrize("cut", range(0, 24))
def test_a_text_is_found_over_every_cut(cut):
    body = b"x" * 2000 + b"needle" + b"y" * 10
    assert judged(body, 2000 - 9 + cut, expect=("needle",)) is None
    assert judged(body, 2000 - 9 + cut, 2000 - 8 + cut, expect=("needle",)) is None


def test_a_regular_expression_sees_so_much_of_the_beginning():
    body = b"." * 99 + b"a" + b"." * 4000
    assert judged(body, 50, expect=("/a/",), expect_bytes=100) is None
    assert judged(body, 50, expect=("/a/",), expect_bytes=99) == (
        'The body does not match /a/ in its first 99 bytes; it begins "' + "." * 60 + '...".')
    assert judged(body, 50, expect_not=("/a/",), expect_bytes=99) is None


@pytest.mark.parametrize("expression", ["(a+)+$", "(a|a)*b", "(a*)*c", "(.*a){20}b"])
def test_an_expression_that_explodes_elsewhere_takes_time_in_proportion_to_the_body(expression):
    """With other engines, each character doubles the time, which would exceed the age of the universe."""
    assert "does not match" in judged(b"a" * (2 ** 20 - 1) + b"!", expect=(f"/{expression}/",))


def test_a_window_is_as_long_as_the_longest_text(monkeypatch):
    watch = Judge(AnswerOptions(expect=("missing", "absent", "/none/"), expect_bytes=1000)).watch(None)
    tracemalloc.start()
    for _ in range(1000):
        watch.feed(b"x" * 100_000)
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()
    assert len(watch._tail) == len("missing") - 1


# Answers of a server

@pytest.mark.usefixtures("transport")
@pytest.mark.parametrize("path", ["/gzip", "/deflate", "/br", "/zstd"])
def test_what_is_looked_at_is_the_decoded_body(server, path):
    assert fetch(server.url(path), answer=AnswerOptions(expect=("How vainly men", "/the oak/"))).ok
    assert failure(fetch(server.url(path), answer=AnswerOptions(expect=("missing",)))) == (
        "unexpected", 'The body does not contain "missing"; it begins "How vainly men themselves amaze\\nTo win the '
                      'palm, the oak, or...".')


def test_a_long_body_is_judged_as_it_streams(server):
    """The text is at the end of the body, so that looking at the beginning is not enough."""
    end = bytes(range(200)).decode("latin-1")[97:123]
    result = fetch(server.url("/bytes/20000200"), answer=AnswerOptions(expect=(end,)))
    assert (result.ok, result.size, result.sha256, result.body) == (True, 20_000_200, None, None)


@pytest.mark.parametrize(("expected", "message"), [
    ({"size": 1000}, None), ({"size": 999}, "The body has 1,000 bytes; 999 are expected."),
    ({"content_type": "application/octet-stream"}, None), ({"content_type": "Application/*"}, None),
    ({"content_type": "image/*"}, 'The body is "application/octet-stream"; "image/*" is expected.'),
    ({"max_time": 60.0}, None), ({"sha256": "0" * 64}, f"The SHA-256 of the body is {SHA256}; {'0' * 64} is expected."),
    ({"sha256": SHA256}, None),
])
@pytest.mark.usefixtures("transport")
def test_what_else_can_be_expected(server, expected, message):
    result = fetch(server.url("/bytes/1000"), answer=AnswerOptions(**expected))
    assert failure(result) == (message and "unexpected", message)
    assert result.sha256 == (SHA256 if "sha256" in expected else None)


def test_an_answer_can_take_too_long(server):
    result = fetch(server.url("/delay/0.1"), answer=AnswerOptions(max_time=0.05))
    assert result.error == "unexpected"
    assert result.error_message.endswith(" s; at most 0.05 s are expected.")


def test_parameters_of_a_content_type_count_where_they_are_expected(server):
    url = server.url("/etag")       # text/plain; charset=utf-8
    for expected, ok in ("text/plain", True), ("text/plain;charset=UTF-8", True), ("text/plain; charset=ascii", False):
        assert fetch(url, answer=AnswerOptions(content_type=expected)).ok is ok


def test_a_status_that_is_not_accepted_is_http_whatever_the_body(server):
    assert fetch(server.url("/status/404"), answer=AnswerOptions(expect=("missing",))).error == "http"
    assert fetch(server.url("/status/404"), answer=AnswerOptions(parse_statuses("404"), ("missing",))).error == (
        "unexpected")


def test_a_body_that_did_not_come_whole_is_not_judged(server):
    assert fetch(server.url("/cut/10"), answer=AnswerOptions(expect=("missing",))).error == "incomplete"


def test_a_page_that_is_not_as_expected_is_saved_only_on_request(server, tmp_path):
    answer = AnswerOptions(expect=("missing",))
    for all, url in (False, "/etag"), (True, "/etag"), (True, "/status/404"), (False, "/status/404"):
        folder = tmp_path / f"{all}{url[1:4]}"
        result = fetch(server.url(url), answer=answer, body=BodyOptions(save=SaveOptions(str(folder), all=all)))
        assert not result.ok
        assert (result.saved_to is not None) is all
        assert [file for file in folder.rglob("*") if file.is_file()] == ([Path(result.saved_to)] if all else [])


def test_what_is_expected_wrongly_is_told_before_anything_is_sent():
    with pytest.raises(ValueError, match="'/[(]/' is not a valid RE2 expression: missing [)]: [(]"):
        fetch("http://localhost:1/", answer=AnswerOptions(expect=("/(/",)))
    with pytest.raises(ValueError, match="AnswerOptions.max_time must be a number of seconds above 0, not 0"):
        AnswerOptions(max_time=0)
