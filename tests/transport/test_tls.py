import ssl
from datetime import datetime

import pytest
import trustme

from fetcher.options import BodyOptions, NetworkOptions, RequestOptions, Timeouts, TlsOptions
from fetcher.transport.tls import _MAX_NAMES, _MAX_SESSIONS, Handshakes
from tests.broken_server import CLOSE, READ, SILENCE, BrokenServer
from tests.fetching import failure, fetch, fetch_in_turn

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CLOSING = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


@pytest.fixture(scope="module")
def authority():
    return trustme.CA(organization_name="The Authority")


@pytest.fixture(scope="module")
def cacert(authority, tmp_path_factory):
    path = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture(scope="module")
def trusting(cacert):
    """Return options that trust the authority of these tests."""
    return TlsOptions(cacert=cacert)


@pytest.fixture(autouse=True)
def no_certificates_of_the_environment(monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)


def serving(certificate, **attributes):
    """Return settings for a server with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    for name, value in attributes.items():
        setattr(context, name, value)
    return context


@pytest.fixture
def good(authority):
    return serving(authority.issue_cert("localhost", "127.0.0.1", "::1"))


# Who is trusted

@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "b.a.localhost"])
def test_a_certificate_is_verified(authority, trusting, host):
    with BrokenServer(OK, tls=serving(authority.issue_cert("localhost", "*.a.localhost", "127.0.0.1"))) as server:
        result = fetch(server.url(host=host), tls=trusting)
        assert (result.error_message, result.status) == (None, 200)
        assert result.timings.connect <= result.timings.appconnect <= result.timings.starttransfer


def test_an_authority_that_is_not_known(good):
    with BrokenServer(OK, tls=good) as server:
        assert failure(fetch(server.url())) == (
            "tls", f"The certificate of 127.0.0.1 port {server.port} is not accepted: unable to get local issuer "
                   f"certificate; it is issued by {issuer(server)}.")


def issuer(server):
    told = fetch(server.url(), tls=TlsOptions(insecure=True), body=BodyOptions(tls=True)).tls.issuer
    assert told.endswith(",O=The Authority")
    return told


def test_an_expired_certificate(authority, trusting):
    expired = authority.issue_cert("127.0.0.1", not_before=datetime(2019, 1, 1), not_after=datetime(2020, 2, 29))
    with BrokenServer(OK, tls=serving(expired)) as server:
        assert failure(fetch(server.url(), tls=trusting)) == (
            "tls", f"The certificate of 127.0.0.1 port {server.port} expired on 2020-02-29.")


def test_a_certificate_of_the_future(authority, trusting):
    future = authority.issue_cert("127.0.0.1", not_before=datetime(2080, 1, 2), not_after=datetime(2090, 1, 1))
    with BrokenServer(OK, tls=serving(future)) as server:
        assert failure(fetch(server.url(), tls=trusting)) == (
            "tls", f"The certificate of 127.0.0.1 port {server.port} is not valid before 2080-01-02.")


def test_a_self_signed_certificate():
    alone = trustme.CA(organization_name="Nobody Else")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with alone.private_key_pem.tempfile() as key, alone.cert_pem.tempfile() as certificate:
        context.load_cert_chain(certificate, key)
    with BrokenServer(OK, tls=context) as server:
        word, sentence = failure(fetch(server.url()))
    assert word == "tls"
    assert sentence.startswith(f"The certificate of 127.0.0.1 port {server.port} is self-signed, by ")
    assert sentence.endswith("O=Nobody Else.")


@pytest.mark.parametrize(("names", "told"), [
    (["a.example"], "a.example"), (["a.example", "b.example", "192.0.2.1"], "a.example, b.example, 192.0.2.1"),
    (["a.example", "b.example", "c.example", "d.example", "e.example"], "a.example, b.example, c.example and 2 more")])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_certificate_of_another_host(authority, trusting, host, names, told):
    with BrokenServer(OK, tls=serving(authority.issue_cert(*names))) as server:
        assert failure(fetch(server.url(host=host), tls=trusting)) == (
            "tls", f"The certificate of {host} port {server.port} is for {told}, not for {host}.")


@pytest.mark.parametrize(("name", "host", "accepted"), [
    ("*.lab.test", "a_b.lab.test", True), ("*.lab.test", "a-b.lab.test", True),
    ("*.lab.test", "a_b.c.lab.test", False), ("*.lab.test", "a.b_c.lab.test", False), ("*.test", "a_b.test", False),
    ("c.lab.test", "a_b.lab.test", False)])
def test_a_wildcard_fits_a_label_with_an_underscore(authority, trusting, name, host, accepted):
    with BrokenServer(OK, tls=serving(authority.issue_cert(name))) as server:
        network = NetworkOptions(proxy="", resolve=(("*", server.port, ("127.0.0.1",)),))
        told = failure(fetch(server.url(host=host), tls=trusting, network=network))
        assert told == ((None, None) if accepted else (
            "tls", f"The certificate of {host} port {server.port} is for {name}, not for {host}."))


def test_a_name_with_an_underscore_needs_a_certificate_that_is_trusted(authority):
    with BrokenServer(OK, tls=serving(authority.issue_cert("*.lab.test"))) as server:
        network = NetworkOptions(proxy="", resolve=(("*", server.port, ("127.0.0.1",)),))
        assert fetch(server.url(host="a_b.lab.test"), network=network).error == "tls"
        assert fetch(server.url(host="a_b.lab.test"), network=network, tls=TlsOptions(insecure=True)).ok


@pytest.mark.parametrize(("minimum", "spoken", "accepted"), [
    ("1.0", ssl.TLSVersion.TLSv1, True), ("1.1", ssl.TLSVersion.TLSv1, False), ("1.1", ssl.TLSVersion.TLSv1_1, True),
    ("1.2", ssl.TLSVersion.TLSv1_1, False), ("1.2", ssl.TLSVersion.TLSv1_2, True),
    ("1.3", ssl.TLSVersion.TLSv1_2, False), ("1.3", ssl.TLSVersion.TLSv1_3, True)])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_the_lowest_version_that_is_spoken(good, cacert, minimum, spoken, accepted):
    good.set_ciphers("DEFAULT:@SECLEVEL=0")
    good.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    good.maximum_version = spoken
    with BrokenServer(OK, tls=good) as server:
        result = fetch(server.url(), tls=TlsOptions(cacert=cacert, minimum=minimum))
        assert result.error == (None if accepted else "tls"), result.error_message


def test_a_version_that_is_none():
    with pytest.raises(ValueError, match="^'2' is not a version of TLS; choose one of 1.0, 1.1, 1.2, 1.3$"):
        fetch("http://a.example/", tls=TlsOptions(minimum="2"))


def test_what_can_be_told_of_a_certificate_that_is_shown_only_once(authority, trusting):
    context = serving(authority.issue_cert("a.example"))
    with BrokenServer([OK], [CLOSE], tls=context) as server:
        first = failure(fetch(server.url(host="localhost"), tls=trusting))
    assert first[0] == "tls"
    assert first[1].startswith(f"The certificate of localhost port {server.port} is ")


def test_any_certificate_is_good_enough_for_who_does_not_care(authority):
    expired = authority.issue_cert("a.example", not_before=datetime(2019, 1, 1), not_after=datetime(2020, 1, 1))
    with BrokenServer(OK, tls=serving(expired)) as server:
        assert fetch(server.url(), tls=TlsOptions(insecure=True)).ok


def test_the_environment_can_name_whom_to_trust(good, cacert, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", cacert)
    with BrokenServer(OK, tls=good) as server:
        assert fetch(server.url()).ok


def test_a_given_authority_wins_over_the_environment(good, cacert, tmp_path, monkeypatch):
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    with BrokenServer(OK, tls=good) as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(other))
        assert fetch(server.url(), tls=TlsOptions(cacert=cacert)).ok
        monkeypatch.setenv("SSL_CERT_FILE", cacert)
        assert fetch(server.url(), tls=TlsOptions(cacert=str(other))).error == "tls"


@pytest.mark.parametrize("options", [
    {"cacert": "/no/such/file"}, {"cert": "/no/such/file"}, {"cacert": __file__}, {"cert": __file__}])
def test_files_that_hold_no_certificate_are_told_before_anything_is_fetched(options):
    with pytest.raises(ValueError, match=f"the certificates in {next(iter(options.values()))} cannot be used: "):
        fetch("https://a.example/", tls=TlsOptions(**options))


# Client certificates

@pytest.fixture
def asking(authority):
    """Return settings for a server that requires a client certificate."""
    context = serving(authority.issue_cert("127.0.0.1"), verify_mode=ssl.CERT_REQUIRED)
    authority.configure_trust(context)
    return context


def test_a_certificate_of_ours(asking, authority, cacert, tmp_path):
    ours = authority.issue_cert("me@a.example")
    both, key = tmp_path / "both.pem", tmp_path / "key.pem"
    ours.private_key_and_cert_chain_pem.write_to_path(both)
    ours.private_key_pem.write_to_path(key)
    with BrokenServer(OK, tls=asking) as server:
        assert fetch(server.url(), tls=TlsOptions(cacert=cacert, cert=str(both))).ok
        assert fetch(server.url(), tls=TlsOptions(cacert=cacert, cert=str(both), key=str(key))).ok


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_certificate_of_ours_that_is_missing(asking, trusting, version):
    asking.minimum_version = asking.maximum_version = version
    with BrokenServer(OK, tls=asking) as server:
        word, sentence = failure(fetch(server.url(), tls=trusting))
        assert word == "tls"
        assert sentence.startswith(f"The TLS handshake with 127.0.0.1 port {server.port} failed: ")


# The handshake

def test_a_session_is_taken_up_again_from_the_third_connection_on(good, trusting):
    with BrokenServer(CLOSING, CLOSE, tls=good) as server:
        before = good.session_stats()["hits"]
        assert all(result.ok for result in fetch_in_turn([server.url()] * 5, tls=trusting))
        assert good.session_stats()["hits"] - before == 3


def test_no_session_is_read_more_often_than_that_costs_memory(good, trusting, monkeypatch):
    monkeypatch.setattr("fetcher.transport.tls._MAX_SESSIONS", 1)
    monkeypatch.setattr("fetcher.transport.tls._READING_LEAKS", True)
    with BrokenServer(CLOSING, CLOSE, tls=good) as server, BrokenServer(CLOSING, CLOSE, tls=good) as other:
        before = good.session_stats()["hits"]
        assert all(result.ok for result in fetch_in_turn([server.url()] * 3 + [other.url()] * 4, tls=trusting))
        assert good.session_stats()["hits"] - before == 1


class AsAfterAnswer:
    """A connection's socket, as far as `remember` looks at it."""

    class session:
        has_ticket = True

    session_reused = False


def test_sessions_do_not_grow_with_the_number_of_hosts(monkeypatch):
    monkeypatch.setattr("fetcher.transport.tls._READING_LEAKS", False)
    handshakes = Handshakes(TlsOptions())
    for number in range(3 * _MAX_NAMES):
        for _ in range(2):
            handshakes.remember(f"h{number}.example", 443, AsAfterAnswer())     # type: ignore[arg-type]
    assert len(handshakes._sessions) == _MAX_SESSIONS
    assert len(handshakes._names) == _MAX_NAMES


def test_a_session_that_cannot_be_taken_up_takes_the_place_of_the_one_before(monkeypatch):
    monkeypatch.setattr("fetcher.transport.tls._READING_LEAKS", False)
    handshakes = Handshakes(TlsOptions())
    for _ in range(2):
        handshakes.remember("h.example", 443, AsAfterAnswer())      # type: ignore[arg-type]
    assert len(handshakes._sessions) == 1
    without = AsAfterAnswer()
    without.session = None
    handshakes.remember("h.example", 443, without)      # type: ignore[arg-type]
    assert len(handshakes._sessions) == 0


def test_a_session_of_one_host_is_not_used_for_another(authority, trusting):
    context = serving(authority.issue_cert("localhost", "127.0.0.1"))
    with BrokenServer(CLOSING, CLOSE, tls=context) as server:
        urls = [server.url(), server.url(host="localhost")]
        assert all(result.ok for result in fetch_in_turn(urls, tls=trusting))
        assert context.session_stats()["hits"] == 0


def test_a_name_is_told_to_the_server_and_an_address_is_not(good, trusting):
    names = []
    good.sni_callback = lambda _socket, name, _context: names.append(name)
    with BrokenServer(OK, tls=good) as server:
        for host in "localhost", "127.0.0.1":
            assert fetch(server.url(host=host), tls=trusting).ok
    assert names == ["localhost", None]


def test_http_1_1_is_what_is_offered(good, trusting):
    good.set_alpn_protocols(["h2", "http/1.1"])
    with BrokenServer(OK, tls=good) as server:
        assert fetch(server.url(), tls=trusting).ok


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_what_was_agreed_on_can_be_told(authority, trusting, version):
    until = datetime(2050, 1, 2, 3, 4, 5)
    certificate = authority.issue_cert("127.0.0.1", common_name="the host", organization_name="Tests", not_after=until)
    context = serving(certificate, minimum_version=version, maximum_version=version)
    for options in trusting, TlsOptions(insecure=True):
        with BrokenServer(OK, tls=context) as server:
            told = fetch(server.url(), tls=options, body=BodyOptions(tls=True)).tls
        assert told.version == version.name.replace("_", ".")
        assert told.cipher.startswith(("TLS_", "ECDHE-"))
        assert told.subject.startswith("CN=the host,OU=Testing cert ") and told.subject.endswith(",O=Tests")
        assert told.issuer.startswith("OU=Testing CA ") and told.issuer.endswith(",O=The Authority")
        assert told.not_after == "2050-01-02T03:04:05.000Z"


def test_what_was_agreed_on_can_be_told_of_an_answer_that_broke_off(good, trusting):
    with BrokenServer(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", CLOSE, tls=good) as server:
        result = fetch(server.url(), tls=trusting, body=BodyOptions(tls=True))
        assert (result.error, result.tls.version) == ("incomplete", "TLSv1.3")


def test_what_nobody_asked_for_is_not_told(good, trusting):
    with BrokenServer(OK, tls=good) as server:
        assert fetch(server.url(), tls=trusting).tls is None


def test_a_port_that_speaks_something_else():
    with BrokenServer(b"220 mail.example ESMTP\r\n", SILENCE, speaks_first=True) as server:
        assert failure(fetch(f"https://127.0.0.1:{server.port}/")) == (
            "tls", f"127.0.0.1 port {server.port} does not speak TLS.")


@pytest.mark.parametrize("script", [[CLOSE], [0.05, CLOSE]])
def test_a_peer_that_leaves_within_the_handshake(script):
    with BrokenServer(*script, speaks_first=True) as server:
        assert failure(fetch(f"https://127.0.0.1:{server.port}/")) == (
            "tls", f"127.0.0.1 port {server.port} ended the connection in the TLS handshake.")


def test_a_peer_that_says_nothing_in_the_handshake():
    with BrokenServer(SILENCE, speaks_first=True) as server:
        assert failure(fetch(f"https://127.0.0.1:{server.port}/", timeouts=Timeouts(connect=0.1))) == (
            "timeout", "Connecting took longer than 0.1 s, while the TLS handshake with 127.0.0.1 port "
                       f"{server.port}.")


def test_no_version_in_common(authority, trusting):
    context = serving(authority.issue_cert("127.0.0.1"))
    with pytest.warns(DeprecationWarning):
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1
    with BrokenServer(OK, tls=context) as server:
        word, sentence = failure(fetch(server.url(), tls=trusting))
    assert word == "tls"
    assert sentence.startswith(f"The TLS handshake with 127.0.0.1 port {server.port} failed: ")


# The conversation

def test_requests_in_turn_share_a_connection(good, trusting):
    with BrokenServer(OK, READ, OK, READ, OK, tls=good) as server:
        results = fetch_in_turn([server.url()] * 3, tls=trusting)
        assert [result.ok for result in results] == [True] * 3
        assert server.connections == 1
        assert results[0].timings.appconnect > 0
        assert results[1].timings.appconnect == 0.0


def test_a_large_body_in_many_records(good, trusting):
    size = 5_000_000
    with BrokenServer(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size, bytes(size), tls=good) as server:
        result = fetch(server.url(), tls=trusting, body=BodyOptions(keep=True))
        assert (result.error, len(result.body)) == (None, size)


def test_records_that_hold_a_byte_each(good, trusting):
    with BrokenServer(*[bytes([byte]) for byte in OK], tls=good) as server:
        assert fetch(server.url(), tls=trusting).ok


def test_a_large_request(good, trusting):
    with BrokenServer(OK, tls=good) as server:
        assert fetch(server.url(), tls=trusting, request=RequestOptions(data=b"x" * 3_000_000)).ok
        assert len(server.requests[0]) > 3_000_000


def test_an_end_without_notice_is_the_end(good, trusting):
    with BrokenServer(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", CLOSE, tls=good) as server:
        assert failure(fetch(server.url(), tls=trusting)) == (
            "incomplete", f"127.0.0.1 port {server.port} closed the connection after 3 of 9 bytes of the body.")


@pytest.mark.slow
def test_resolve_tells_where_a_name_is_and_the_certificate_is_still_for_the_name(authority, trusting):
    with BrokenServer(OK, tls=serving(authority.issue_cert("a.example"))) as server:
        there = NetworkOptions(proxy="", resolve=(("a.example", server.port, ("127.0.0.1",)),))
        result = fetch(f"https://a.example:{server.port}/", tls=trusting, network=there)
        assert (result.ok, result.remote_ip) == (True, "127.0.0.1")
