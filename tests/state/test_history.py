"""What a run learns about each URL, and how the next run uses that."""
import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from fetcher.errors import InputError, LockHeld, OutputError
from fetcher.model import Beside, Memory, Overrides, Target
from fetcher.options import BodyOptions, RequestOptions, SaveOptions
from fetcher.state.history import History, connect, memories
from fetcher.state.learning import Learner, forget
from fetcher.url import parse
from tests.fetching import fetch_at_once, fetch_in_turn
from tests.sinks.results import good
from tests.state.site import Page, Site


@pytest.fixture
def site():
    with Site() as site:
        site.pages.update({"/a": Page("one"), "/b": Page("two")})
        yield site


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "seen.db")


@pytest.fixture
def run(site, path):
    """Fetch paths of the site. Return the results by path."""
    def run(*paths, **concerns):
        with Learner(path) as learner:
            return told(learner, *paths, **concerns)

    def told(learner, *paths, **concerns):
        results = fetch_at_once(map(site.url, paths), state=path, **concerns)
        for result in results:
            learner.write(result)
        return {result.url.removeprefix(site.url("")): result for result in results}

    run.told = told
    return run


@pytest.fixture
def changes(run):
    """Fetch paths of the site. Return what the records say of each."""
    return lambda *paths, **concerns: {path: result.change for path, result in run(*paths, **concerns).items()}


@pytest.fixture
def cut_short(run, path):
    """Fetch paths of the site, and then fail to write a record."""
    def cut_short(*paths):
        with pytest.raises(OutputError), Learner(path) as learner:
            results = run.told(learner, *paths)
            learner._inserter.close()
            raise OutputError
        return {path: result.change for path, result in results.items()}

    return cut_short


def test_what_is_there_for_the_first_time_is_new_and_then_unchanged(changes):
    assert changes("/a", "/b") == {"/a": "new", "/b": "new"}
    assert changes("/a", "/b") == {"/a": "unchanged", "/b": "unchanged"}
    assert changes("/a", "/b") == {"/a": "unchanged", "/b": "unchanged"}


def test_a_body_is_not_sent_twice(run, site):
    before = run("/a")["/a"]
    after = run("/a")["/a"]
    assert (after.status, after.ok, after.error, after.size_download) == (304, True, None, 0)
    assert after.sha256 == before.sha256 is not None
    assert site.asked[-1][1]["If-Modified-Since"] == site.pages["/a"].validators["Last-Modified"]


@pytest.mark.parametrize("has_validators", [True, False])
def test_what_changes_comes_and_goes_is_told(changes, site, has_validators):
    for page in site.pages.values():
        page.has_validators = has_validators
    site.pages["/c"] = Page("three", has_validators=has_validators)
    changes("/a", "/b", "/c", "/d")
    site.pages["/a"].body = "another one"
    site.pages["/d"] = Page("four", has_validators=has_validators)
    del site.pages["/b"]
    assert changes("/a", "/b", "/c", "/d") == {"/a": "changed", "/b": "gone", "/c": "unchanged", "/d": "new"}
    assert set(changes("/a", "/b", "/c", "/d").values()) == {"unchanged"}


def test_what_was_gone_and_comes_again_is_new(changes, site):
    changes("/a")
    page = site.pages.pop("/a")
    assert [changes("/a")["/a"], changes("/a")["/a"]] == ["gone", "unchanged"]
    site.pages["/a"] = page
    assert changes("/a") == {"/a": "new"}


def test_what_never_was_there_is_not_gone(changes):
    assert [changes("/missing")["/missing"], changes("/missing")["/missing"]] == [None, "unchanged"]


def test_the_same_body_under_another_etag_is_unchanged(changes, site):
    changes("/a")
    site.pages["/a"].etag = '"after a deployment"'
    assert changes("/a") == {"/a": "unchanged"}
    changes("/a")
    assert site.asked[-1][1]["If-None-Match"] == '"after a deployment"'


@pytest.mark.parametrize("failure", [Page("busy", 503), Page("slowly", 429), Page("who?", 401), Page("no", 403),
                                     Page("cut off", fields={"Content-Encoding": "gzip"})])
def test_a_failure_says_nothing_and_leaves_what_is_known(changes, site, failure):
    changes("/a")
    page = site.pages["/a"]
    site.pages["/a"] = replace(failure, has_validators=False)
    assert changes("/a") == {"/a": None}
    site.pages["/a"] = page
    assert changes("/a") == {"/a": "unchanged"}
    assert site.asked[-1][1]["If-None-Match"] == page.validators["ETag"]


def test_not_modified_without_being_asked_says_nothing(changes, site):
    site.pages["/a"] = Page(status=304, has_validators=False)
    assert [changes("/a")["/a"], changes("/a")["/a"]] == [None, None]


def test_validators_are_for_the_url_that_they_came_from(run, site):
    site.pages["/old"] = Page(status=301, etag='"of the redirect"', fields={"Location": "/a"})
    assert run("/old")["/old"].change == "new"
    site.conditions()
    result = run("/old")["/old"]
    assert (result.change, result.status, result.redirects) == ("unchanged", 304, 1)
    assert site.conditions() == {"/old": None, "/a": site.pages["/a"].validators["ETag"]}


def test_a_redirect_to_another_page_is_judged_by_its_body(changes, site):
    site.pages["/old"] = Page(status=302, has_validators=False, fields={"Location": "/a"})
    changes("/old")
    site.pages["/old"].fields["Location"] = "/b"
    site.conditions()
    assert changes("/old") == {"/old": "changed"}
    assert site.conditions() == {"/old": None, "/b": None}


def test_a_fragment_makes_no_other_request(changes, site):
    changes("/a#one")
    assert changes("/a#two") == {"/a#two": "unchanged"}
    assert site.conditions() == {"/a": site.pages["/a"].validators["ETag"]}


@pytest.mark.parametrize("request_", [
    RequestOptions(headers=(("if-none-match", '"mine"'),)), RequestOptions(headers=(("If-Modified-Since", "ever"),)),
    RequestOptions(range="0-1"), RequestOptions(data=b"x"),
], ids=["etag", "date", "range", "data"])
def test_some_requests_are_sent_as_they_are(changes, site, request_):
    changes("/a", request=request_)
    site.conditions()
    changes("/a", request=request_)
    assert site.conditions()["/a"] in (None, '"mine"')


def test_a_body_that_is_to_be_in_the_record_is_asked_for(run):
    for change in "new", "unchanged":
        result = run("/a", body=BodyOptions(keep=True))["/a"]
        assert (result.change, result.body) == (change, b"one")


def test_heads_are_judged_by_their_validators(changes, site):
    request = RequestOptions(method="HEAD")
    assert changes("/a", request=request) == {"/a": "new"}
    assert changes("/a", request=request) == {"/a": "unchanged"}
    site.pages["/a"].body = "another one"
    assert changes("/a", request=request) == {"/a": "changed"}
    site.pages["/a"].has_validators = False
    assert changes("/a", request=request) == {"/a": None}


def test_a_body_is_its_requests_own(site, path):
    def run(*bodies):
        targets = [replace(Target.read(site.url("/a")), overrides=Overrides(data=body)) for body in bodies]
        with Learner(path) as learner:
            results = fetch_in_turn(targets, state=path)
            for result in results:
                learner.write(result)
        return [result.change for result in results]

    assert run(b"x", b"y", None) == ["new", "new", "new"]
    assert run(b"x", b"z", None) == ["unchanged", "new", "unchanged"]


def test_a_saved_body_is_told_of_and_asked_for_once_it_is_away(run, tmp_path):
    body = BodyOptions(save=SaveOptions(str(tmp_path / "saved")))
    saved_to = run("/a", body=body)["/a"].saved_to
    after = run("/a", body=body)["/a"]
    assert (after.status, after.saved_to) == (304, saved_to)
    os.unlink(saved_to)
    again = run("/a", body=body)["/a"]
    assert (again.status, again.change, Path(again.saved_to).read_text()) == (200, "unchanged", "one")
    elsewhere = run("/a", body=BodyOptions(save=SaveOptions(str(tmp_path / "elsewhere"))))["/a"]
    assert (elsewhere.status, os.path.dirname(elsewhere.saved_to)) != (304, os.path.dirname(saved_to))


def test_a_run_that_had_no_end_has_its_changes_told_again_in_full(changes, cut_short, run, site):
    assert cut_short("/a", "/b") == {"/a": "new", "/b": "new"}
    assert changes("/a", "/b") == {"/a": "new", "/b": "new"}
    site.pages["/a"].body = "another one"
    assert cut_short("/a", "/b") == {"/a": "changed", "/b": "unchanged"}
    results = run("/a", "/b")
    assert [(result.change, result.status) for result in results.values()].count(("changed", 200)) == 1
    del site.pages["/b"]
    assert cut_short("/b") == {"/b": "gone"}
    assert changes("/a", "/b") == {"/a": "unchanged", "/b": "gone"}
    assert changes("/a", "/b") == {"/a": "unchanged", "/b": "unchanged"}


def test_what_stands_twice_in_a_list_is_said_twice(run, site, path):
    with Learner(path) as learner:
        first = run.told(learner, "/a")
        learner._inserter.close()
        assert run.told(learner, "/a")["/a"].change == first["/a"].change == "new"
    assert site.conditions() == {"/a": None}


def test_no_password_is_kept(site, path):
    with Learner(path) as learner:
        for userinfo in "alice:secret@", "bob:s3cr3t@":
            (result,) = fetch_in_turn([site.url("/a", userinfo)], state=path)
            learner.write(result)
    assert [seen.memory.url for seen in memories(path)] == [site.url("/a", "alice@"), site.url("/a", "bob@")]
    assert b"s3cr3t" not in Path(path).read_bytes()


def test_the_rights_are_the_umasks_and_the_owners_alone_with_credentials(path):
    umask = os.umask(0o027)
    try:
        with Learner(path):
            assert os.stat(path).st_mode & 0o777 == 0o640
        with Learner(path, RequestOptions(user="alice:secret").identifies_user):
            assert {os.stat(path + suffix).st_mode & 0o777 for suffix in ("", "-wal", "-shm")} == {0o600}
    finally:
        os.umask(umask)


@pytest.mark.parametrize("secret", ["password", "header"])
def test_the_rights_become_the_owners_alone_with_the_first_line_that_has_credentials(site, path, secret):
    url = site.url("/a", "alice:secret@" if secret == "password" else "")
    row = Target(url, parsed=parse(url), overrides=Overrides(headers=(("Authorization", "Bearer x"),)))
    files = [path, f"{path}-wal", f"{path}-shm"]
    with Learner(path) as learner:
        (plain,) = fetch_in_turn([site.url("/b")], state=path)
        learner.write(plain)
        assert {os.stat(file).st_mode & 0o077 for file in files} != {0}
        (result,) = fetch_in_turn([row if secret == "header" else url], state=path)
        learner.write(result)
        assert {os.stat(file).st_mode & 0o077 for file in files} == {0}


@pytest.mark.slow
def test_the_log_does_not_grow_with_the_run(path):
    """SQLite writes over what it has copied into the file only while nobody reads."""
    memories = [good(url, beside=Beside(memory=Memory(url, "GET", 200, None, None, "0" * 64, url, None)))
                for url in (f"http://a.example/{number:05}/{'x' * 300}" for number in range(10_000))]
    with Learner(path) as learner, closing(History(path)) as history:
        for nth in range(8):
            for number in range(nth % 5, 10_000, 5 if nth else 1):
                learner.write(memories[number])
                if number % 100 == 0:
                    assert history.recall(parse(memories[number].url), None).url == memories[number].url
            learner._inserter.close()
            if nth == 2:
                size = os.path.getsize(f"{path}-wal")
        assert 0 < os.path.getsize(f"{path}-wal") < 1.5 * size
        assert history.recall(parse(memories[0].url), None).known is not None


def test_no_other_file_is_taken_for_a_state(tmp_path):
    text, other, later = (str(tmp_path / name) for name in ("text", "other.db", "later.db"))
    Path(text).write_text("http://example.com/\n")
    for path, statement in (other, "CREATE TABLE t (x)"), (later, "PRAGMA user_version = 99"):
        if path == later:
            connect_new(later).close()
        with sqlite3.connect(path) as connection:
            connection.execute(statement)
        connection.close()
    for path, what in (text, "is not a fetcher state"), (other, "another database"), (later, "schema is 99"):
        before = Path(path).read_bytes()
        with pytest.raises(InputError, match=what):
            Learner(path).__enter__()
        assert Path(path).read_bytes() == before


def connect_new(path):
    Path(path).touch()
    return connect(path)


@pytest.mark.parametrize("place", ["missing/seen.db", "."])
def test_a_place_where_no_state_can_be_is_an_output_error(tmp_path, place):
    with pytest.raises(OutputError, match="cannot be"):
        Learner(str(tmp_path / place)).__enter__()


def test_a_state_is_for_one_run_at_a_time(path, tmp_path):
    os.symlink(path, tmp_path / "link")
    with Learner(path):
        for name in path, str(tmp_path / "link"):
            with pytest.raises(LockHeld, match=f"in use.*process {os.getpid()} .since"):
                Learner(name).__enter__()
            with pytest.raises(LockHeld):
                forget(name, 0.0)
    with Learner(path):
        pass


def test_what_was_not_seen_for_long_is_forgotten(changes, run, path):
    changes("/a")
    seen = run("/b")["/b"].timestamp
    assert forget(path, seen) == 1
    assert [seen.memory.url.rpartition("/")[2] for seen in memories(path)] == ["b"]
    assert changes("/a", "/b") == {"/a": "new", "/b": "unchanged"}


def test_a_look_up_while_another_process_writes_does_not_wait(changes, site, path):
    changes("/a")
    history = History(path)
    with Learner(path) as learner:
        learner._connection.execute("BEGIN IMMEDIATE")
        assert history.recall(Target.read(site.url("/a")).parsed, None).known is not None
        learner._connection.execute("COMMIT")
    history.close()
