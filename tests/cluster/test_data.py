"""Convert options and targets to JSON, and back."""
import orjson
import pytest

from fetcher.cluster.data import as_data, from_data, target_as_data, target_from_data
from fetcher.model import Overrides, Target
from fetcher.options import (
    AnswerOptions, BodyOptions, HostOptions, Limits, NetworkOptions, Options, RequestOptions, RetryOptions, SaveOptions)


def through_json(data):
    return orjson.loads(orjson.dumps(data))


@pytest.mark.parametrize("options", [
    Options(),
    Options(limits=Limits(rate=2, per_host_rate=0.5), retry=RetryOptions(on=frozenset({429, "dns"})),
            request=RequestOptions(headers=(("A", "b"),), data=b"\xff\x00", user="name:password"),
            network=NetworkOptions(resolve=(("host", 80, ("127.0.0.1", "::1")),)),
            body=BodyOptions(save=SaveOptions("bodies")),
            hosts=(HostOptions("*.a", 2, 0.5, (("A", "b"),), "a:b", 1.5, 0, True, "", ((404, 404),)),
                   HostOptions("b"))),
])
def test_options_come_back_as_they_were(options):
    assert from_data(Options, through_json(as_data(options))) == options


@pytest.mark.parametrize("data", [
    None, [], {"no_such_option": 1}, {"limits": {"concurrency": "100"}}, {"limits": {"concurrency": True}},
    {"request": {"headers": [["A"]]}}, {"request": {"data": "not base64"}}, {"network": {"resolve": "host"}},
    {"body": {"save": {}}},
])
def test_what_is_not_understood_is_refused(data):
    with pytest.raises(ValueError):
        from_data(Options, data)


@pytest.mark.parametrize("target", [
    Target.read("http://host/path?query#fragment", 7),
    Target.read("HTTP://Name:Secret@HÖST:80/a b", 8, "list.txt"),
    Target.read("no url", 9),
    Target("http://host/", 1, None, Target.read("http://host/").parsed, None, -1,
           Overrides("PUT", (("A", "b"),), b"data", 1.5), {"id": 5}),
    Target("http://host/", 1, None, Target.read("http://host/").parsed, answer=AnswerOptions(
        ((200, 299), (404, 404)), ("a", "/b/"), ("c",), sha256="0" * 64, size=3, content_type="a/*", max_time=1.5)),
])
def test_targets_come_back_as_they_were(target):
    assert target_from_data(through_json(target_as_data(target))) == target
