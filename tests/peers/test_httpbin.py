import json

import pytest

from tests.peers.clients import curl, differences, fetcher

PATHS = [
    "/", "/html", "/robots.txt", "/deny", "/encoding/utf8", "/json", "/xml", "/image/png", "/range/100000", "/cache",
    "/drip?duration=0.2&numbytes=5&delay=0", "/delay/0", "/base64/aGVsbG8%3D", "/links/3/0", "/etag/x", "/stream/5",
    "/gzip", "/deflate", "/brotli", "/get?a=1&b=%20&c=+", "/anything/a%2Fb", "/response-headers?X-A=1&X-A=2",
    "/status/200", "/status/204", "/status/304", "/status/400", "/status/404", "/status/418", "/status/429",
    "/redirect/1", "/redirect/10", "/redirect/11", "/relative-redirect/3", "/absolute-redirect/3",
    "/redirect-to?url=%2Fhtml&status_code=307", "/redirect-to?url=http%3A%2F%2F127.0.0.1%3A1%2F",
]
# httpbin echoes the request, so both must send the same.
ALIKE = ["-A", "a peer", "-H", "Accept-Encoding: gzip, deflate, br"]


def test_answers_are_those_that_curl_gets(httpbin):
    assert not differences([httpbin.url(path) for path in PATHS], *ALIKE)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_it_is_sent_what_curl_sends(httpbin, method):
    urls = [httpbin.url(f"/{method.lower()}"), httpbin.url("/anything?a=b"), httpbin.url("/status/405")]
    assert not differences(urls, *ALIKE, "-X", method, "-d", "name=value&other=%20")


def test_a_user_is_let_in_where_curl_is(httpbin):
    urls = [httpbin.url(f"/{path}") for path in ("basic-auth/peer/secret", "hidden-basic-auth/peer/secret",
                                                 "basic-auth/peer/other")]
    assert not differences(urls, "-u", "peer:secret")


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_digest_opens_what_it_opens_to_curl(httpbin, algorithm):
    urls = [httpbin.url(f"/digest-auth/auth/peer/{password}/{algorithm}") for password in ("secret", "other")]
    assert not differences(urls, "-u", "peer:secret", curl_only=["--digest"])


def test_cookies_are_kept_between_redirects_and_understood_by_curl(httpbin, tmp_path):
    jar = tmp_path / "jar"
    record, = fetcher([httpbin.url("/cookies/set?flavour=oat")], "--cookie-jar", jar, "--include", "body")
    told, = curl([httpbin.url("/cookies")], "-b", jar)
    assert json.loads(record["body"]) == {"cookies": {"flavour": "oat"}}
    assert record["sha256"] == told["sha256"]
