"""Keywords are the names of the command's options, and each wrong value is told with what is right."""
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

import fetcher
from fetcher import Options
from fetcher.cli.options import ALL
from fetcher.library.keywords import KEYWORDS, options_of
from fetcher.options import SaveOptions

# An option that a script spells in another way, by the field that both fill
RENAMED = {"header": "headers", "no_compressed": "compressed"}
# Four fields of one option, --include, and curl's spellings of --http
WITHOUT_A_KEYWORD = {"include", "http1_1", "http2"}


def fields_of_options():
    """Return the slots of the dataclasses in Options, each with the concern that it belongs to."""
    found = {getattr(SaveOptions, field.name): ("save", field.name) for field in fields(SaveOptions)}
    for concern in fields(Options):
        value = getattr(Options(), concern.name)
        found[getattr(Options, concern.name)] = ("", concern.name)
        for field in fields(value) if is_dataclass(value) else ():
            found[getattr(type(value), field.name)] = (concern.name, field.name)
    return found


def test_each_option_of_a_fetch_is_a_keyword():
    slots = fields_of_options()
    for option in ALL:
        name = RENAMED.get(str(option.name), str(option.name))
        if option.to[0] in slots and name not in WITHOUT_A_KEYWORD:
            assert slots[option.to[0]] == KEYWORDS[name][:2], name


def test_each_keyword_is_an_option_of_a_fetch():
    options = {slot: option for option in ALL for slot in option.to}
    slots = {place: slot for slot, place in fields_of_options().items()}
    assert {name for name, keyword in KEYWORDS.items() if slots[keyword.concern, keyword.field] not in options} == {
        "hosts"}     # the tables of the configuration file


def test_each_keyword_has_a_type():
    assert set(fetcher.Keywords.__annotations__) == set(KEYWORDS)


@pytest.mark.parametrize(("keywords", "concern", "field", "value"), [
    ({"concurrency": 20}, "limits", "concurrency", 20),
    ({"timeout": 5}, "timeouts", "total", 5),
    ({"rate": 0.5}, "limits", "rate", 0.5),
    ({"rate": None}, "limits", "rate", None),
    ({"headers": {"Accept": "text/html"}}, "request", "headers", (("Accept", "text/html"),)),
    ({"headers": [("A", "1"), ("A", "2")]}, "request", "headers", (("A", "1"), ("A", "2"))),
    ({"data": "größe"}, "request", "data", "größe".encode()),
    ({"cookie_jar": Path("jar")}, "request", "cookie_jar", "jar"),
    ({"accept": "200-299,404"}, "answer", "accept", ((200, 299), (404, 404))),
    ({"accept": 404}, "answer", "accept", ((404, 404),)),
    ({"accept": [200, 404]}, "answer", "accept", ((200, 200), (404, 404))),
    ({"expect": "a"}, "answer", "expect", ("a",)),
    ({"expect": ["a", "/b/"]}, "answer", "expect", ("a", "/b/")),
    ({"retry_on": "429, timeout"}, "retry", "on", frozenset({429, "timeout"})),
    ({"retry_on": [429, "all-methods"]}, "retry", "all_methods", True),
    ({"ipv4": True, "ipv6": False}, "network", "family", 4),
    ({"resolve": "*:443:192.0.2.1"}, "network", "resolve", (("*", 443, ("192.0.2.1",)),)),
    ({"http": "auto"}, "network", "http", "auto"),
    ({"keep_body": True}, "body", "keep", True),
])
def test_a_keyword_fills_its_field(keywords, concern, field, value):
    assert getattr(getattr(options_of(Options(), keywords), concern), field) == value


def test_saving_has_its_keywords(tmp_path):
    save = options_of(Options(), {"save_dir": tmp_path, "save_name": "{n}"}).body.save
    assert (save.directory, save.name) == (str(tmp_path), "{n}")
    again = options_of(options_of(Options(), {"save_dir": "a"}), {"save_all": True}).body.save
    assert (again.directory, again.all) == ("a", True)
    assert options_of(Options(), {"save_dir": None}).body.save is None
    with pytest.raises(ValueError, match="need a save_dir"):
        options_of(Options(), {"save_all": True})


@pytest.mark.parametrize(("keywords", "error", "says"), [
    ({"concurency": 2}, TypeError, "There is no keyword 'concurency'; did you mean 'concurrency'?"),
    ({"zzz": 2}, TypeError, "There is no keyword 'zzz': there are method, headers"),
    ({"concurrency": 0}, ValueError, "concurrency must be a whole number of at least 1, not 0"),
    ({"concurrency": "20"}, TypeError, "concurrency must be a whole number of at least 1, not '20'"),
    ({"concurrency": True}, TypeError, "concurrency must be a whole number of at least 1, not True"),
    ({"timeout": "5s"}, TypeError, "timeout must be a number of seconds above 0, not '5s'"),
    ({"timeout": 0}, ValueError, "timeout must be a number of seconds above 0, not 0"),
    ({"timeout": float("nan")}, ValueError, "timeout must be a number of seconds above 0, not nan"),
    ({"rate": "50/s"}, TypeError, "rate must be a number of starts a second above 0, not '50/s'"),
    ({"follow": "no"}, TypeError, "follow must be True or False, not 'no'"),
    ({"method": b"GET"}, TypeError, "method must be a str, not b'GET'"),
    ({"method": "G T"}, ValueError, "G T"),
    ({"headers": "Accept: x"}, TypeError, "headers must be a mapping of str to str"),
    ({"headers": {"Accept": 1}}, TypeError, "headers must be a mapping of str to str"),
    ({"headers": 1}, TypeError, "headers must be a mapping of str to str"),
    ({"data": {"a": 1}}, TypeError, "data must be bytes or a str, not of the type dict"),
    ({"accept": []}, TypeError, "accept must be statuses"),
    ({"accept": "many"}, ValueError, "'many' is not a status or a range of statuses"),
    ({"accept": 1.5}, TypeError, "accept must be statuses"),
    ({"expect": [b"a"]}, TypeError, "expect must be a str or several"),
    ({"expect": "/(/"}, ValueError, "not a valid RE2 expression"),
    ({"retry_on": "sometimes"}, ValueError, "'sometimes' is not a status from 200 to 599 or one of dns"),
    ({"retry_on": 429}, TypeError, "retry_on must be statuses and error words"),
    ({"cacert": 1}, TypeError, "cacert must be a path, not 1"),
    ({"cacert": b"a"}, TypeError, "cacert must be a path, not b'a'"),
    ({"tls_min": "1"}, ValueError, "tls_min must be one of 1.0, 1.1, 1.2, 1.3, not '1'"),
    ({"ipv4": True, "ipv6": True}, ValueError, "ipv6=True contradicts another keyword"),
    ({"range": "abc"}, ValueError, "range must be a range of bytes, as in 0-499, 500- or -500, not 'abc'"),
    ({"resolve": "x"}, ValueError, "'x' is not HOST:PORT:ADDRESS"),
    ({"transport": "pigeon"}, ValueError, "pigeon"),
    ({"hosts": [{"pattern": "a"}]}, TypeError, "hosts must be several fetcher.HostOptions"),
    ({"options": {"retries": 1}}, TypeError, "options must be fetcher.Options"),
    ({"on_progress": 1}, TypeError, "on_progress must be a function, not 1"),
])
@pytest.mark.parametrize("take", [fetcher.fetch_all, fetcher.records, fetcher.afetch_all])
def test_a_wrong_value_is_told_with_what_is_right(take, keywords, error, says):
    with pytest.raises(error) as raised:
        take(["http://localhost:1/"], **keywords)
    assert says in str(raised.value)


@pytest.mark.parametrize("keywords", [{"user": b"me:secret"}, {"cookie": {"id": "secret"}},
                                      {"proxy": ["http://secret@h"]}, {"headers": {"Authorization": b"secret"}},
                                      {"data": {"secret": 1}}])
def test_no_message_shows_a_secret(keywords):
    with pytest.raises(TypeError) as raised:
        fetcher.fetch("http://localhost:1/", **keywords)
    assert "secret" not in str(raised.value)
