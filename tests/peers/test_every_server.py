"""What nginx, Apache, lighttpd and Caddy all do, each in its way, compared with curl."""
import hashlib

import pytest

from tests.peers.clients import differences, fetcher
from tests.peers.process import Server
from tests.peers.site import ECHOES, FILES, PASSWORD, PATHS, REDIRECTS, USER


@pytest.fixture(params=["nginx", "apache", "lighttpd", "caddy"])
def server(request: pytest.FixtureRequest) -> Server:
    running: Server = request.getfixturevalue(request.param)
    return running


def test_every_file_arrives_as_it_is(server):
    names = [name for name in FILES if not name.startswith("forbidden")]
    records = fetcher([server.url(f"/{name.replace('%', '%25')}") for name in names])
    assert [record["sha256"] for record in records] == [hashlib.sha256(FILES[name]).hexdigest() for name in names]


def test_redirects_of_every_kind_are_followed(server):
    records = fetcher([server.url(path) for path in REDIRECTS])
    assert [(record["status"], record["redirects"]) for record in records] == [
        (200, 1), (200, 1), (200, 1), (200, 1), (200, 1), (200, 1), (200, 2), (200, 6), (200, 10), (302, 10)]
    assert records[-1]["error"] == "too_many_redirects"


@pytest.mark.parametrize("options", [[], ["--no-compressed"], ["--no-follow"], ["-X", "HEAD"], ["-d", "a=1&b=2"],
                                     ["-r", "0-99"], ["-r", "-10"], ["-r", "70000-"]], ids=" ".join)
def test_answers_are_those_that_curl_gets(server, options):
    assert not differences([server.url(path) for path in PATHS + REDIRECTS], *options)


@pytest.mark.parametrize("options", [["-X", "PUT", "-d", "new"], ["-X", "UNHEARD-OF"]], ids=" ".join)
def test_other_methods_are_answered_as_with_curl(server, options):
    assert not differences([server.url(path) for path in PATHS], *options)


def test_several_ranges_are_parts_of_one_body_as_with_curl(server):
    urls = [server.url("/text.txt"), server.url("/1k")]
    boundary_differs = ["content_type", "sha256"]
    assert not differences(urls, "-r", "0-9,20-29", but_for=boundary_differs)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "identity"])
def test_codings_are_undone_as_by_curl(server, coding):
    urls = [server.url("/text.txt"), server.url("/1k"), server.url("/stored/text.txt")]
    assert not differences(urls, "-H", f"Accept-Encoding: {coding}")


def test_what_was_posted_is_sent_again_where_the_status_says_so(server):
    records = fetcher([server.url(path) for path in ECHOES], "-d", "a=1", "--include", "body")
    posted = records[0]["body"]
    assert posted in ("POST a=1", "POST 3")     # Caddy only echoes the length
    assert [record["body"].strip() for record in records] == [posted, "GET", "GET", "GET", posted, posted]


@pytest.mark.parametrize("size", [3, 100_000])
def test_posts_are_redirected_as_by_curl(server, size):
    assert not differences([server.url(path) for path in ECHOES], "-d", size * "x")


@pytest.mark.parametrize("user", [f"{USER}:{PASSWORD}", f"{USER}:wrong"])
def test_users_are_let_in_where_curl_is(server, user):
    assert not differences([server.url("/basic/1k"), server.url("/1k")], "-u", user)


def test_credentials_in_a_url_are_used_and_not_told(server):
    url = server.url("/basic/1k", host=f"{USER}:{PASSWORD.replace(' ', '%20')}@127.0.0.1")
    record, = fetcher([url])
    assert (record["status"], record["final_url"]) == (200, server.url("/basic/1k"))
