"""Which settings apply to a host, and how they change the options."""
import pytest

from fetcher.host_settings import limits_for, options_for, settings_of
from fetcher.options import AnswerOptions, HostOptions, Limits, Options, RequestOptions, Timeouts
from fetcher.transport.of_hosts import of_hosts

PATTERNS = ["api.example.com", "*.example.com", "*.b.example.com", "a*.example.com", "*", "[::1]", "Bücher.example",
            "*.localhost"]


@pytest.mark.parametrize(("host", "pattern"), [
    ("api.example.com", "api.example.com"), ("api.example.com.", "api.example.com"), ("x.example.com", "*.example.com"),
    ("x.y.example.com", "*.example.com"), ("x.b.example.com", "*.b.example.com"), ("ab.example.com", "a*.example.com"),
    ("example.com", "*"), ("::1", "[::1]"), ("xn--bcher-kva.example", "Bücher.example"), ("localhost", "*"),
    ("a.b.localhost", "*.localhost")])
def test_the_longest_pattern_that_fits_counts(host, pattern):
    settings = settings_of(tuple(map(HostOptions, PATTERNS)))
    assert settings.find(host).pattern == settings.find(host).pattern == pattern


def test_there_may_be_none():
    assert settings_of(()) is None
    assert settings_of((HostOptions("a.example"),)).find("b.example") is None


@pytest.mark.parametrize("pattern", ["", "a b", "http://a/", "a:80", "a/b", ".a", "me@a"])
def test_what_is_no_pattern_is_refused(pattern):
    with pytest.raises(ValueError, match="is not the name of a host, nor a pattern such as"):
        settings_of((HostOptions(pattern),))


def test_what_a_host_does_not_set_is_as_for_the_others():
    options = Options(request=RequestOptions(headers=(("A", "1"), ("B", "2")), user="x:y"), timeouts=Timeouts(total=9))
    host = HostOptions("a", headers=(("b", "3"),), accept=((404, 404),))
    there = options_for(options, host)
    assert there.request == RequestOptions(headers=(("A", "1"), ("b", "3")), user="x:y")
    assert (there.timeouts, there.answer) == (options.timeouts, AnswerOptions(accept=((404, 404),)))
    assert limits_for(Limits(per_host=5, rate=2), HostOptions("a", per_host_rate=1)) == Limits(
        per_host=5, rate=2, per_host_rate=1)


def test_credentials_for_a_host_make_a_run_private():
    assert Options(hosts=(HostOptions("a", headers=(("Cookie", "a=b"),)),)).identifies_user
    assert Options(hosts=(HostOptions("a", user="a:b"),)).identifies_user
    assert not Options(hosts=(HostOptions("a", headers=(("A", "b"),)),)).identifies_user
    assert of_hosts(Options(hosts=(HostOptions("a", retries=1),))) is None
