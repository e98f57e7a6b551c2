import pytest

from tests.peers.clients import differences, fetcher
from tests.peers.site import ECHOES, PASSWORD, PATHS, REDIRECTS, USER

KNOWN = f"{USER}:{PASSWORD.replace(' ', '%20')}@127.0.0.1"
UNKNOWN = f"{USER}:wrong@127.0.0.1"


def test_a_proxy_changes_nothing_of_http(nginx, squid):
    assert not differences([nginx.url(path) for path in PATHS + REDIRECTS], "-x", squid.url(""))


def test_a_proxy_changes_nothing_of_https(nginx, squid, files):
    urls = [nginx.url(path, "https") for path in PATHS + REDIRECTS]
    assert not differences(urls, "-x", squid.url(""), "--cacert", files / "ca.pem")


def test_posts_pass_a_proxy(nginx, squid):
    assert not differences([nginx.url(path) for path in ECHOES], "-x", squid.url(""), "-d", "x" * 100_000)


def test_a_known_user_passes_a_proxy_that_asks(nginx, squid, files):
    urls = [nginx.url("/1k"), nginx.url("/redirect/301"), nginx.url("/1k", "https"), nginx.url("/missing", "https")]
    assert not differences(urls, "-x", squid.url("", "auth", KNOWN), "--cacert", files / "ca.pem")
    records = fetcher(urls, "-x", squid.url("", "auth", KNOWN), "--cacert", files / "ca.pem")
    assert [record["status"] for record in records] == [200, 200, 200, 404]


@pytest.mark.parametrize("user", ["127.0.0.1", UNKNOWN])
def test_nobody_else_does_and_the_record_names_the_proxy(nginx, squid, user):
    records = fetcher([nginx.url("/1k"), nginx.url("/1k", "https")], "-x", squid.url("", "auth", user))
    assert [record["error"] for record in records] == ["proxy", "proxy"]
    assert all(f"he proxy 127.0.0.1 port {squid.ports['auth']} " in record["error_message"] for record in records)


def test_an_origin_that_is_not_there_is_told_of_as_by_curl(squid):
    urls = ["http://127.0.0.1:1/", "https://127.0.0.1:1/"]
    assert not differences(urls, "-x", squid.url(""), but_for=["sha256", "size_download"])


def test_one_connection_to_the_proxy_serves_several_origins(nginx, apache, squid):
    urls = [server.url(f"/1k?{number}") for number in range(20) for server in (nginx, apache)]
    records = fetcher(urls, "-x", squid.url(""), "-c", 1)
    assert [record["status"] for record in records] == [200] * 40
    assert [record["time_connect"] == 0 for record in records].count(False) == 1
