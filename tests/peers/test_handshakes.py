"""TLS, as nginx logs it: the version, whether the session was resumed, and the client's certificate."""
import pytest

from tests.peers.clients import differences, fetcher


def test_who_vouches_for_the_server_is_trusted(nginx, files):
    record, = fetcher([nginx.url("/1k", "https", "localhost")], "--cacert", files / "ca.pem", "--include", "tls")
    assert (record["status"], record["tls"]["version"]) == (200, "TLSv1.3")


def test_who_is_vouched_for_by_a_stranger_is_not(nginx, files):
    urls = [nginx.url("/1k", "https", "localhost")]
    assert not differences(urls, "--cacert", files / "stranger.pem")
    record, = fetcher(urls, "--cacert", files / "stranger.pem")
    assert record["error"] == "tls"


def test_a_certificate_for_other_names_is_refused_with_the_name_that_was_meant(nginx, files):
    urls = [nginx.url("/1k", "https", "other.test")]
    options = ["--cacert", files / "ca.pem", "--resolve", f"other.test:{nginx.ports['https']}:127.0.0.1"]
    assert not differences(urls, *options)
    record, = fetcher(urls, *options)
    assert record["error"] == "tls"
    assert "other.test" in record["error_message"]


@pytest.mark.parametrize("port, version, log", [("https_close", "TLSv1.3", "tls.log"),
                                                ("https_old", "TLSv1.2", "tls12.log")])
def test_sessions_are_taken_up_again_from_the_third_connection_on(nginx, files, port, version, log):
    urls = [nginx.url(f"/1k?{number}", port) for number in range(10)]
    records = fetcher(urls, "--cacert", files / "ca.pem", "-c", 1)
    assert all(record["ok"] and record["time_appconnect"] > 0 for record in records)
    assert [line.split()[:2] for line in nginx.log(log)] == [[version, "."]] * 2 + [[version, "r"]] * 8


def test_a_connection_is_kept_alive_over_tls_too(nginx, files):
    records = fetcher([nginx.url("/1k", "https")] * 500, "--cacert", files / "ca.pem", "--per-host", 10)
    assert all(record["ok"] for record in records)
    assert sum(record["time_appconnect"] > 0 for record in records) <= 10


def test_a_client_certificate_is_shown_to_who_asks_for_it(nginx, files):
    urls = [nginx.url("/1k", "https_client"), nginx.url("/text.txt", "https_client")]
    options = ["--cacert", files / "ca.pem", "--cert", files / "client.pem"]
    assert not differences(urls, *options)
    assert [record["status"] for record in fetcher(urls, *options)] == [200, 200]
    assert "CN=a client," in nginx.log("client.log")[-1]


def test_without_one_the_server_says_no_as_to_curl(nginx, files):
    assert not differences([nginx.url("/1k", "https_client")], "--cacert", files / "ca.pem")
