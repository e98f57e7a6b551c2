"""Settings for hosts in the configuration file, and that every part obeys them."""
import json
import ssl

import pytest
import trustme

from tests.broken_server import BrokenServer
from tests.proxy_server import HttpProxy


@pytest.fixture
def configured(fetcher):
    """Runs the command with this configuration."""
    def run(text, *arguments, **variables):
        (fetcher.home / "fetcher.toml").write_text(text)
        return fetcher("--config", "fetcher.toml", *arguments, **variables)

    return run


def sent(record):
    """Return the header fields that were sent, as /headers shows them, with names in lower case."""
    return {name.lower(): value for name, value in json.loads(record["body"]).items()}


def test_each_host_has_its_limits(configured, fetcher, server, host):
    slow, quick = f"slow.{host}", f"quick.{host}"
    urls = [server.url(f"/delay/0.1?{n}", name) for n in range(8) for name in (slow, quick)]
    text = f'per-host = 3\n[hosts."slow.{host}"]\nper-host = 1\n[hosts."*.{host}"]\nper-host = 8\n'
    assert configured(text, fetcher.list(*urls)).status == 0
    seen = server.stats()
    slow, quick = (next(key for key in seen if key.startswith(f"{name}:")) for name in (slow, quick))
    assert (seen[slow]["most_at_once"], seen[quick]["most_at_once"] > 3) == (1, True)
    assert configured(text, "--per-host", "2", *urls[1::2]).status == 0
    seen = server.stats()
    assert seen[quick]["requests"] == 16


def test_each_host_has_its_pace(configured, fetcher, server, host):
    urls = [server.url(f"/bytes/1?{n}", host) for n in range(4)]
    done = configured(f'[hosts."{host}"]\nper-host-rate = "10/s"\n', "--ordered", fetcher.list(*urls))
    queued = sorted(record["time_queue"] for record in done.records)
    assert queued[3] - queued[0] >= 0.25


def test_fields_and_credentials_are_the_hosts_own_over_redirects_too(configured, server, host):
    one, other = f"one.{host}", f"other.{host}"
    text = f"""header = ["X-All: all", "X-Team: none"]
[hosts."{one}"]
header = ["X-Team: one", "X-Api-Key: secret"]
user = "me:word"
[hosts."{other}"]
header = ["X-Team: other"]
"""
    there = server.url("/headers", other)
    urls = [server.url("/headers", one), there, server.url("/headers", f"third.{host}"),
            server.url(f"/redirect-to?url={there}", one), server.url(f"/redirect-to?url={server.url('/headers', one)}")]
    for options in (), ("--location-trusted",), ("--transport", "requests"):
        done = configured(text, "--ordered", "--include", "body", *options, *urls)
        found = [sent(record) for record in done.records]
        assert [each["x-team"] for each in found] == ["one", "other", "none", "other", "one"]
        assert [each.get("x-api-key") for each in found] == ["secret", None, None, None, "secret"]
        assert ["authorization" in each for each in found] == [True, False, False, False, True]
        assert {each["x-all"] for each in found} == {"all"}
    done = configured(text, "--include", "body", "-H", "x-team: mine", urls[0])
    assert (sent(done.record)["x-team"], sent(done.record)["x-api-key"]) == ("mine", "secret")


def test_a_row_wins_over_its_host(configured, fetcher, server, host):
    row = json.dumps({"url": server.url("/headers", host), "headers": {"X-Team": "row"}, "accept": "200"})
    text = f'[hosts."{host}"]\nheader = "X-Team: host"\naccept = "404"\n'
    done = configured(text, "--include", "body", fetcher.list(row, name="rows.jsonl"))
    assert (done.record["ok"], sent(done.record)["x-team"]) == (True, "row")


def test_time_retries_and_statuses_are_the_hosts_own(configured, fetcher, server, host):
    del fetcher.environment["FETCHER_RETRIES"]
    text = f'retries = 0\nretry-wait = "1ms"\n[hosts."{host}"]\nretries = 2\ntimeout = "300ms"\naccept = "404,2xx"\n'
    urls = [server.url(path, name) for name in (host, f"x.{host}") for path in ("/status/404", "/status/503")]
    done = configured(text, "--ordered", *urls, server.url("/hang", host))
    assert [record["ok"] for record in done.records] == [True, False, False, False, False]
    assert [record["attempts"] for record in done.records] == [1, 3, 1, 1, 3]
    assert "The attempt took longer than 0.3 s" in done.records[4]["error_message"]
    assert not configured(text, "--accept", "200", server.url("/status/404", host)).record["ok"]
    assert configured(text, server.url("/status/503", host), FETCHER_RETRIES="1").record["attempts"] == 2


@pytest.mark.parametrize("transport", ["urllib", "requests"])
def test_trust_and_proxy_are_the_hosts_own(configured, fetcher, server, transport, host):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
    with BrokenServer(answer, tls=context) as secure, HttpProxy(hosts={host: "localhost"}) as proxy:
        text = f'[hosts.localhost]\ninsecure = true\n[hosts."{host}"]\nproxy = "{proxy.url()}"\n'
        urls = [f"https://localhost:{secure.port}/", f"https://127.0.0.1:{secure.port}/", server.url("/bytes/1", host)]
        done = configured(text, "--ordered", "--transport", transport, *urls)
        assert [record["error"] for record in done.records] == [None, "tls", None]
        assert len(proxy.asked) == 1


@pytest.mark.parametrize(("text", "reason"), [
    ('hosts = 3', "hosts is not a table of tables; write [hosts.\"example.com\"]."),
    ('[hosts."a b"]', "'a b' is not the name of a host, nor a pattern such as *.example.com."),
    ('[hosts.a]\nper-hots = 1', "sets 'per-hots', which is not a setting for hosts; did you mean per-host"),
    ('[hosts.a]\nhttp = "3"', "[hosts.\"a\"], http: '3' is not one of 'auto', '1.1', '2'."),
    ('[hosts.a]\nper-host = 0', "[hosts.\"a\"], per-host: '0' is not a whole number from 1 to 50,000."),
    ('[hosts.a]\nper-host-rate = 3', "per-host-rate: '3' is not a rate; write 50/s, 30/m or 1/10s."),
    ('[hosts.a]\ninsecure = "yes"', "insecure: it must be true or false."),
    ('[hosts.a]\ntimeout = [1, 2]', "timeout: it must be a single value."),
    ('[hosts.a]\nheader = ["secret"]', "header: There is no colon in it; write 'Name: value'."),
    ('[hosts.a]\naccept = "2"', "accept: '2' is not a status or a range of statuses"),
    ('[hosts.a]\n[hosts.A]', "is the same as [hosts.\"a\"]; choose one."),
    ('[hosts.a]\nproxy = "ftp://b"', "ftp"),
    ('[hosts.a]\nheader = ["A\\u0000b: c"]', "is not the name of a header field"),
])
def test_what_hosts_cannot_have_is_told_and_nothing_is_sent(configured, text, reason):
    done = configured(text, "http://127.0.0.1:9/")
    assert (done.status, done.out) == (2, "") and reason in done.err


def test_the_plan_shows_which_host_has_which_and_no_secret(configured, server):
    text = """[hosts."*.example.com"]
per-host-rate = "1/s"
header = ["X-Api-Key: secret"]
user = "me:secret"
proxy = "http://me:secret@p:1/"
[hosts."unmet.example"]
retries = 1
"""
    urls = ["http://a.example.com/1", "http://a.example.com/2", "http://b.example/"]
    done = configured(text, "--dry-run", *urls)
    assert ("2  a.example.com  (*.example.com: per-host-rate 1/s, header X-Api-Key: ***, user ***, "
            "proxy http://me:***@p:1/)\n         1  b.example\n") in done.out
    assert "this takes at least 1" in done.out and "No host in the list matches unmet.example." in done.out
    assert "secret" not in done.out
    url = server.url("/bytes/1")
    assert "No host in the list matches unmet.example" in configured(text, "-v", url).err
    assert "unmet" not in configured(text, url).err
