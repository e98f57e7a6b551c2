"""HTTP/2 on real servers: the same answers as curl gets, and no record lost to what they allow."""
import hashlib
from collections import Counter
from typing import Any

import pytest

from tests.peers.clients import differences, fetcher
from tests.peers.process import Server
from tests.peers.site import ECHOES, FILES, PATHS, REDIRECTS

# curl 7.88 takes an answer that comes before the body of the request was read for an error, so it posts over HTTP/1.1
POSTING: dict[str, Any] = {"curl_only": ["--http1.1"], "but_for": ["http_version"]}
AUTO, ONLY = ("--http", "auto"), ("--http", "2")


@pytest.fixture(params=["nginx", "caddy"])
def whole(request: pytest.FixtureRequest) -> tuple[Server, str]:
    """A server of the whole site, and the name of its port for HTTP/2."""
    return request.getfixturevalue(request.param), "https_2" if request.param == "nginx" else "https"


@pytest.fixture(params=["nginx", "caddy", "h2o", "nghttpd"])
def files_server(request: pytest.FixtureRequest) -> tuple[Server, str]:
    return request.getfixturevalue(request.param), "https_2" if request.param == "nginx" else "https"


def test_every_file_arrives_as_it_is(files_server, files):
    server, port = files_server
    names = [name for name in FILES if name.isascii() and not name.startswith(("forbidden", "100%", "with", "a+b"))]
    urls = [server.url(f"/{name}", port, "localhost") for name in names]
    records = fetcher(urls * 3, *ONLY, "--cacert", files / "ca.pem")
    assert [record["sha256"] for record in records] == 3 * [hashlib.sha256(FILES[name]).hexdigest() for name in names]
    assert {record["http_version"] for record in records} == {"2"}


@pytest.mark.parametrize("options", [[], ["--no-follow"], ["-X", "HEAD"], ["-d", "a=1&b=2"], ["-r", "0-99"]],
                         ids=" ".join)
def test_answers_are_those_that_curl_gets(whole, files, options):
    server, port = whole
    urls = [server.url(path, port, "localhost") for path in PATHS + REDIRECTS]
    assert not differences(urls, *AUTO, "--cacert", files / "ca.pem", *options,
                           **POSTING if "-d" in options else {})


@pytest.mark.parametrize("size", [3, 100_000])
def test_posts_are_redirected_as_by_curl(whole, files, size):
    server, port = whole
    urls = [server.url(path, port, "localhost") for path in ECHOES]
    assert not differences(urls, *AUTO, "--cacert", files / "ca.pem", "-d", size * "x", **POSTING)


def test_h2o_and_its_redirects_are_understood_as_by_curl(h2o, files):
    urls = [h2o.url(path, "https", "localhost") for path in
            ("/1k", "/64k", "/1m", "/empty", "/missing", "/redirect/301", "/redirect/302", "/directory/page.html")]
    assert not differences(urls * 3, *AUTO, "--cacert", files / "ca.pem")


def test_an_application_gets_requests_as_from_curl(hypercorn, files):
    urls = [hypercorn.url(path, "https", "localhost") for path in ("/a", "/b?c", "/redirect")]
    assert not differences(urls, *AUTO, "--cacert", files / "ca.pem")
    for options in ["-d", "x" * 100_000], ["-X", "PUT", "-d", "x"]:
        assert not differences(urls[:2], *AUTO, "--cacert", files / "ca.pem", *options, **POSTING)


def test_a_connection_that_ends_after_a_hundred_requests_costs_no_record(nginx, files):
    urls = [nginx.url("/1k", "https_2_hundred", "localhost")] * 5000
    records = fetcher(urls, *ONLY, "--cacert", files / "ca.pem", "--per-host", 50)
    assert Counter((record["error_message"], record["attempts"]) for record in records) == {(None, 1): 5000}


def test_a_server_that_allows_four_at_once_costs_no_record(nginx, files):
    urls = [nginx.url("/1k", "https_2_four", "localhost")] * 5000
    records = fetcher(urls, *ONLY, "--cacert", files / "ca.pem", "--per-host", 50)
    assert Counter((record["error_message"], record["attempts"]) for record in records) == {(None, 1): 5000}
    connections = {line.split()[0] for line in nginx.log("four2.log")}
    assert len(connections) <= 6        # nginx ends one after a thousand requests


def test_a_client_certificate_is_shown(nginx, files):
    urls = [nginx.url("/1k", "https_2_client", "localhost")]
    shown = ["--cert", files / "client.pem"]
    (record,) = fetcher(urls, *ONLY, "--cacert", files / "ca.pem", *shown)
    assert (record["status"], record["http_version"]) == (200, "2")
    (record,) = fetcher(urls, *ONLY, "--cacert", files / "ca.pem")
    assert (record["status"], record["http_version"]) == (400, "2")


def test_certificates_are_refused_as_by_curl(nginx, files):
    urls = [nginx.url("/1k", "https_2")]
    assert not differences(urls, *AUTO, "--cacert", files / "stranger.pem")
    assert not differences(urls, *AUTO, "-k")
