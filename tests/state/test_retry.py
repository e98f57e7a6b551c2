"""Records of failures, as the list of another run."""
import pytest

from fetcher.errors import InputError
from fetcher.files.output import Output
from fetcher.fingerprint import fingerprint
from fetcher.model import Overrides, Result, Target
from fetcher.options import InputOptions, RequestOptions
from fetcher.sinks.jsonl import JsonLines
from fetcher.state.retry import failures, known, once_more
from fetcher.targets import TargetReader

PLAIN = RequestOptions()
FORM = RequestOptions(data=b"a=1")
INCOMPLETE = "in the record; name its list, too: --retry-failed FILE LIST."


@pytest.fixture
def records(tmp_path):
    """Return the failures among these results, as they are read from a file of records."""
    def written_and_read(*results, torn=""):
        path = tmp_path / "out.jsonl"
        sink = JsonLines(Output(str(path)))
        for result in results:
            sink.write(result)
        sink.close()
        with path.open("a") as file:
            file.write(torn)
        return list(failures(TargetReader([str(path)], InputOptions("jsonl")), "out.jsonl"))

    return written_and_read


def bad(url="http://a.example/", **more):
    return Result(url, **{"line": 7, "error": "timeout", **more})


def test_only_failures_are_taken_each_of_which_is_its_target_again(records):
    found = records(Result("http://a.example/1", 1, ok=True), bad("http://a.example/2", source="list"),
                    bad("http://a.example/3", error="http", status=404, input={"id": 3}, method="GET"))
    assert [once_more(record, PLAIN) for record in found] == [
        Target.read("http://a.example/2", 7, "list", found[0].place),
        Target(**{**fields(Target.read("http://a.example/3", 7, None, found[1].place)), "input": {"id": 3}})]


def fields(target):
    return {name: getattr(target, name) for name in target.__slots__}


def test_a_line_that_could_not_be_fetched_cannot_now(records):
    (record,) = records(bad("nothing", error="invalid_url"))
    target = once_more(record, PLAIN)
    assert (target.url, target.line, target.parsed) == ("nothing", 7, None)
    assert target.problem == "The URL has no scheme; it must begin with http:// or https://."


@pytest.mark.parametrize(("recorded", "options", "overrides"), [
    (None, PLAIN, None),
    (None, RequestOptions(method="HEAD"), Overrides(method="GET")),
    ("HEAD", PLAIN, Overrides(method="HEAD")),
    ("HEAD", RequestOptions(method="HEAD"), None),
    (fingerprint(FORM), FORM, None),
    (fingerprint(RequestOptions("PUT", data=b"a=1")), FORM, Overrides(method="PUT")),
])
def test_the_same_request_is_made(records, recorded, options, overrides):
    (record,) = records(bad(request=recorded))
    target = once_more(record, options)
    assert (target.parsed is not None, target.overrides) == (True, overrides)
    assert fingerprint(options, target.overrides) == recorded


@pytest.mark.parametrize(("recorded", "options"), [
    (fingerprint(FORM), PLAIN),
    (fingerprint(FORM), RequestOptions(data=b"a=2")),
    (None, FORM),
    (fingerprint(PLAIN, Overrides(headers=(("Authorization", "secret"),))), PLAIN),
])
def test_a_request_that_is_not_known_as_a_whole_is_not_made(records, recorded, options):
    (record,) = records(bad(request=recorded))
    target = once_more(record, options)
    assert (target.parsed, target.problem) == (None, f"Its body, or its own header fields, are not {INCOMPLETE}")


def test_a_password_that_is_masked_is_not_sent(records):
    (record,) = records(bad("http://me:***@a.example/"))
    target = once_more(record, PLAIN)
    assert (target.url, target.parsed) == ("http://me:***@a.example/", None)
    assert target.problem == f"Its password is not {INCOMPLETE}"


def test_beside_the_list_nothing_is_missing(records):
    requests = known(records(bad(), bad(), bad(request=fingerprint(FORM)), bad("http://me:***@a.example/")), PLAIN)
    posted = Target.read("http://a.example/")
    posted = Target(**{**fields(posted), "overrides": Overrides(method="POST", data=b"a=1")})
    wanted = [Target.read("http://a.example/"), posted, Target.read("http://me:secret@a.example/")]
    assert [requests.discard(target) for target in wanted] == [True, True, True]
    assert [requests.discard(target) for target in wanted] == [True, False, False]


def test_a_torn_record_tells_nothing(records):
    assert len(records(bad(), torn='{"url":"http://a.exam')) == 1


@pytest.mark.parametrize("line", ["http://a.example/", '{"url":"http://a.example/"}', '{"ok":false}', "[]"])
def test_a_list_of_something_else_is_refused(records, line):
    with pytest.raises(InputError, match="line 2, is not a record of a run; name a file that --output wrote."):
        records(bad(), torn=line)
