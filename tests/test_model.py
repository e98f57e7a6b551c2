import base64
import codecs
import json
import pickle
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fetcher
from fetcher.model import Hop, Overrides, Result, Target, Timings, TlsDetails, rfc3339
from fetcher.url import parse

RESULT = Result(
    "http://a/", 7, "list.txt", ok=True, status=200, final_url="http://a/b", redirects=1, http_version="1.1",
    content_type="text/html", remote_ip="127.0.0.1", size=3, size_download=2, attempts=1, timestamp=1_700_000_000.25,
    timings=Timings(queue=0.5, namelookup=0.0, connect=0.1234567, starttransfer=0.2, total=0.3))

MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
KEYS = [
    "url", "line", "source", "ok", "status", "error", "error_message", "method", "final_url", "redirects",
    "http_version", "content_type", "remote_ip", "size", "size_download", "sha256", "saved_to", "attempts",
    "time_queue", "time_namelookup", "time_connect", "time_appconnect", "time_starttransfer", "time_total",
    "timestamp", "change"]


def test_a_target_knows_where_it_stood_and_what_it_means():
    target = Target.read("HTTP://A.example/b", 3, "list.txt")
    assert target == Target("HTTP://A.example/b", 3, "list.txt", parse("http://a.example/b"))
    assert target.host == "a.example"


def test_a_target_that_is_no_url_says_why():
    target = Target.read("ftp://a/")
    assert (target.url, target.parsed, target.host) == ("ftp://a/", None, "")
    assert target.problem == "The scheme ftp is not supported; only http and https are."


def test_a_target_shows_no_password_but_keeps_it():
    good, bad = Target.read("http://me:secret@a/"), Target.read("http://me:secret@a:b/")
    assert good.parsed is not None and good.parsed.userinfo == "me:secret"
    assert (good.url, bad.url) == ("http://me:***@a/", "http://me:***@a:b/")
    assert "secret" not in f"{good} {bad}"


@pytest.mark.parametrize(("text", "url", "userinfo"), [
    ("b?c", "http://a/x/b?c", "me:secret"), ("/b", "http://a/b", "me:secret"), ("//b/", "http://b/", None),
    ("https://a/", "https://a/", None), ("http://you@a/", "http://a/", "you")])
def test_a_relative_target_is_joined_to_the_base_and_shares_its_credentials(text, url, userinfo):
    target = Target.read(text, base=parse("http://me:secret@a/x/y"))
    assert (str(target.parsed), target.parsed.userinfo) == (url, userinfo)


@given(st.text(st.characters() | st.sampled_from("\0\n\ud800:/@")))
def test_reading_a_target_never_raises_and_a_record_can_hold_it(text):
    for given_text in text, f"http://{text}":
        target = fetcher.Target.read(given_text)
        assert (target.parsed is None) == (target.problem is not None)
        json.dumps(Result(target.url, 1, error_message=target.problem).record()).encode()
        target.url.encode()


def test_the_keys_stand_in_the_order_of_the_contract():
    everything = replace(RESULT, headers=(("a", "b"),), body=b"c")
    assert list(everything.record()) == [*KEYS, "headers", "body", "body_encoding"]


def test_what_stood_in_the_row_comes_after_what_changed():
    everything = replace(RESULT, input={"id": 7}, headers=(("a", "b"),))
    assert list(everything.record()) == [*KEYS, "input", "headers"]
    assert everything.record()["input"] == {"id": 7}


def test_the_source_is_named_only_where_there_are_several():
    assert RESULT.record()["source"] == "list.txt"
    assert list(replace(RESULT, source=None).record()) == [key for key in KEYS if key != "source"]


def test_a_record_holds_what_became_of_the_target():
    record = RESULT.record()
    assert (record["url"], record["line"], record["ok"], record["status"]) == ("http://a/", 7, True, 200)
    assert (record["final_url"], record["redirects"]) == ("http://a/b", 1)
    assert (record["size"], record["size_download"]) == (3, 2)
    assert [record[key] for key in ("error", "error_message", "sha256", "saved_to", "change")] == [None] * 5


def test_times_are_in_seconds_to_the_microsecond():
    record = RESULT.record()
    assert record["time_connect"] == 0.123457
    assert record["time_namelookup"] == 0.0
    assert record["time_appconnect"] is None


@pytest.mark.parametrize(("timestamp", "text"), [
    (0, "1970-01-01T00:00:00.000Z"),
    (1_700_000_000.25, "2023-11-14T22:13:20.250Z"),
    (1_700_000_000.9999, "2023-11-14T22:13:20.999Z"),
])
def test_a_timestamp_is_rfc_3339_in_utc(timestamp, text):
    assert rfc3339(timestamp) == replace(RESULT, timestamp=timestamp).record()["timestamp"] == text


def test_header_values_are_grouped_by_name_in_their_order():
    headers = (("set-cookie", "a=1"), ("date", "now"), ("set-cookie", "b=2"))
    assert replace(RESULT, headers=headers).record()["headers"] == {"set-cookie": ["a=1", "b=2"], "date": ["now"]}
    assert replace(RESULT, headers=()).record()["headers"] == {}


def test_a_body_is_text_where_it_can_be():
    record = replace(RESULT, body="caf\u00e9\x1b".encode()).record()
    assert (record["body"], record["body_encoding"]) == ("caf\u00e9\x1b", None)
    assert replace(RESULT, body=b"").record()["body"] == ""


@pytest.mark.parametrize("body", [b"caf\0", b"\x01\n", "\ufeffa\0".encode("utf-16-le")])
def test_what_holds_a_control_that_no_text_has_is_no_text(body):
    """In JSON, each of these would be six bytes long."""
    record = replace(RESULT, body=body).record()
    assert (record["body"], record["body_encoding"]) == (base64.b64encode(body).decode(), "base64")


@given(st.binary())
def test_any_body_can_be_got_back(body):
    record = json.loads(json.dumps(replace(RESULT, body=body).record()))
    if record["body_encoding"] == "base64":
        assert base64.b64decode(record["body"]) == body
    elif not body.startswith(MARKS):
        assert record["body"].encode() == body


def test_the_redirects_on_the_way_and_the_handshake_are_told_where_asked():
    hops = (Hop(parse("http://me:secret@a/"), 302, 0.1),)
    tls = TlsDetails("TLSv1.3", "TLS_AES_128_GCM_SHA256", "CN=ca", "CN=a", "2030-01-01T00:00:00.000Z")
    record = replace(RESULT, hops=hops, tls=tls).record()
    assert record["timings"]["redirects"] == [{"url": "http://a/", "status": 302, "time_starttransfer": 0.1}]
    assert list(record["tls"]) == ["version", "cipher", "issuer", "subject", "not_after", "alpn"]


@pytest.mark.parametrize(("url", "final_url", "host"), [
    ("http://a:81/b", None, "a:81"),
    ("http://a/", "https://b/c", "b"),
    ("http://me:***@a/", None, "a"),
    ("http://a?b", None, "a"),
    ("no url", None, ""),
])
def test_the_host_of_a_result_is_the_one_that_was_asked_last(url, final_url, host):
    assert Result(url, 1, final_url=final_url).host == host


def test_targets_and_results_can_be_sent_to_another_process():
    row = replace(Target.read("http://a/"), overrides=Overrides("PUT", timeout=1.0), input={"id": 7})
    for value in Target.read("http://me:secret@a/"), Target.read("no url"), row, replace(RESULT, body=b"c"):
        assert pickle.loads(pickle.dumps(value)) == value


def test_a_result_does_not_show_its_body():
    assert "secret" not in repr(replace(RESULT, body=b"secret"))
