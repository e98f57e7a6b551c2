"""Targets and results are the same after they were sent to another process."""
from __future__ import annotations

import marshal
from dataclasses import fields
from typing import Any

import pytest

from fetcher import AnswerOptions, Result, Target, url
from fetcher.engine.processes.wire import pack_result, pack_target, unpack_result, unpack_target
from fetcher.model import Beside, Exchange, Hop, Memory, Overrides, Timings, TlsDetails


def sent(packed: Any) -> Any:
    return marshal.loads(marshal.dumps(packed))


@pytest.mark.parametrize("target", [
    Target.read("http://user:secret@[::1]:8080/a%20path?q=Zoë#there", 7, "list"),
    Target("http://a.example/", 1, parsed=url.parse("http://a.example/"), input={"id": 1, "tags": ["x", None, 0.5]}),
    Target("http://a.example/", 2, parsed=url.parse("http://a.example/"),
           overrides=Overrides("PUT", (("X-One", "1"), ("X-None", "")), b"\xff data", 1.5)),
    Target("http://a.example/", 3, parsed=url.parse("http://a.example/"), answer=AnswerOptions(
        ((200, 299), (404, 404)), ("a", "/b/"), ("c",), sha256="0" * 64, size=3, content_type="a/*", max_time=1.5)),
    ], ids=["url", "row", "own", "expecting"])
def test_a_target_is_the_same_but_for_its_place(target):
    there = unpack_target(sent(pack_target(target)), 17)
    assert there.place == 17 and there.read_at == target.read_at
    assert all(getattr(there, field.name) == getattr(target, field.name)
               for field in fields(target) if field.name != "place")
    assert str(there.parsed) == str(target.parsed)


PLAIN = Result("http://a.example/", 3, "list", True, 200, final_url="http://a.example/b", redirects=1,
               timings=Timings(0.1, 0.2, 0.3, None, None, 0.4, 0.5), timestamp=1.5, input={"id": [1, None]},
               headers=(("set-cookie", "a=1"), ("set-cookie", "b=2")), body=b"\x00\xff", saved_to="a/b",
               beside=Beside((), Memory("http://a.example/", "", 200, '"x"', None, "00", "http://a.example/b", None),
                             private=True),
               change="new")
HOP = Hop(url.parse("http://a.example/"), 302, 0.1)
TLS = TlsDetails("TLSv1.3", "TLS_AES_256_GCM_SHA384", "CN=us", "CN=a.example", "2030-01-01T00:00:00Z")
EXCHANGE = Exchange("http://a.example/", b"GET / HTTP/1.1\r\n\r\n", 200, "1.1", (("a", "b"),), b"", None, True, None)


@pytest.mark.parametrize("result", [
    Result("http://a.example/", 1, error="dns", error_message="No such host."), PLAIN,
    Result("http://a.example/", 1, hops=()), Result("http://a.example/", 1, hops=(HOP,)),
    Result("https://a.example/", 1, tls=TLS), Result("http://a.example/", 1, beside=Beside((EXCHANGE,)))],
    ids=["bad", "plain", "no_hops", "hops", "tls", "exchange"])
def test_a_result_is_the_same_and_has_its_record(result):
    there = unpack_result(sent(pack_result(result, b"{}\n")))
    assert there == result
    assert there.record() == result.record()
    assert there.beside.encoded == b"{}\n"
