"""Our own records, as the journal of a run that continues."""
import json
import os
import resource
import stat

import pytest

from fetcher.errors import InputError, OutputError
from fetcher.files.output import Output
from fetcher.model import Result, Target
from fetcher.options import RequestOptions
from fetcher.sinks.jsonl import JsonLines
from fetcher.state.resume import Journal

AGAIN = ("dns", "connect", "tls", "proxy", "timeout", "protocol", "incomplete", "decode", "too_slow", "deadline",
         "breaker", "save", "interrupted", "internal", "a_word_of_tomorrow")
FINAL = ("http", "invalid_url", "blocked", "robots", "too_large", "too_many_redirects")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "out.jsonl"


def result(url="http://a.example/", error=None, **more):
    return Result(url, 1, ok=error is None, error=error, **more)


def write(path, *results):
    """Write the results as a run does. Return the bytes."""
    sink = JsonLines(Output(str(path)))
    for one in results:
        sink.write(one)
    sink.close()
    return path.read_bytes()


def journal(path, options=RequestOptions()):
    return Journal(str(path), options)


def urls(path):
    return [json.loads(line)["url"] for line in path.read_text().splitlines()]


def test_where_no_file_is_nothing_is_done(path):
    found = journal(path)
    found.tidy()
    assert (found.final, found.failed, found.again, path.exists()) == (0, 0, 0, False)


def test_final_records_stay_as_they_are(path):
    content = write(path, result("http://a.example/ok"), *(result(f"http://a.example/{word}", word) for word in FINAL))
    found = journal(path)
    found.tidy()
    assert (found.final, found.failed, found.again) == (7, 6, 0)
    assert all(found.done.discard(Target(f"http://a.example/{word}")) for word in ("ok", *FINAL))
    assert path.read_bytes() == content


@pytest.mark.parametrize("word", AGAIN)
def test_other_failures_are_asked_for_again_and_leave_the_file(path, word):
    write(path, result("http://a.example/1"), result("http://a.example/2", word), result("http://a.example/3"))
    found = journal(path)
    assert (found.final, found.failed, found.again) == (2, 0, 1)
    assert not found.done.discard(Target("http://a.example/2"))
    found.tidy()
    assert urls(path) == ["http://a.example/1", "http://a.example/3"]


def test_to_look_changes_nothing(path):
    content = write(path, result(error="timeout")) + b'{"url":"torn'
    path.write_bytes(content)
    journal(path)
    assert path.read_bytes() == content


def test_what_leaves_the_file_may_stand_anywhere(path):
    pattern = "..xx.x....xxx.x"
    write(path, *(result(f"http://a.example/{number}", "dns" if mark == "x" else None)
                  for number, mark in enumerate(pattern)))
    journal(path).tidy()
    assert urls(path) == [f"http://a.example/{number}" for number, mark in enumerate(pattern) if mark == "."]


@pytest.mark.slow
def test_a_torn_last_line_is_cut_off_wherever_it_ends(path):
    whole = write(path, result("http://a.example/1"))
    torn = write(path, result("http://a.example/2"))[:-1]
    for length in range(1, len(torn) + 1):
        path.write_bytes(whole + torn[:length])
        found = journal(path)
        found.tidy()
        assert (found.final, found.again, path.read_bytes()) == (1, 0, whole)


@pytest.mark.parametrize("torn", [b'{"url":"http://a.example/2","li\n', b"\0\0\0\0\n", b'\0\0\0"x"}\n', b"\n"])
def test_what_a_crash_left_in_the_middle_leaves_the_file_too(path, torn):
    whole = write(path, result("http://a.example/1"))
    path.write_bytes(torn + whole + torn)
    journal(path).tidy()
    assert path.read_bytes() == whole


def test_a_hole_in_a_record_makes_it_torn(path):
    whole = write(path, result("http://a.example/1"), result("http://a.example/2"))
    path.write_bytes(whole[:300] + bytes(10) + whole[310:])
    journal(path).tidy()
    assert urls(path) == ["http://a.example/2"]


@pytest.mark.parametrize("content", [
    b"http://a.example/\n", b"[1]\n", b'{"a":1}\n', b"1\n", b'{"url":1,"error":null}\n'])
def test_a_file_of_something_else_is_refused_and_left_alone(path, content):
    content = write(path, result(error="dns")) + content
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"what begins at byte [\d,]+ is not a record"):
        journal(path)
    assert path.read_bytes() == content


def test_records_that_another_program_has_spelled_anew_are_understood(path):
    write(path, result("http://a.example/ä\"", source="a\"b"), result("http://a.example/2", "dns"),
          result("http://a.example/3", request="HEAD"))
    again = (dict(reversed(json.loads(line).items())) for line in path.read_text().splitlines())
    path.write_text("".join(f"{json.dumps(record)}\r\n" for record in again))
    found = journal(path)
    assert (found.final, found.again) == (2, 1)
    assert found.done.discard(Target("http://a.example/ä\""))


def test_a_records_own_text_does_not_mislead(path):
    write(path, result("http://a.example/\\\"", source="x\",\"ok\":true", input={"error": "dns", "request": "POST"}))
    found = journal(path)
    assert (found.final, found.again) == (1, 0)
    assert found.done.discard(Target("http://a.example/\\\""))


def test_the_request_of_a_record_counts(path):
    write(path, result(request="HEAD"), result(request="HEAD", source="list"))
    assert not journal(path).done.discard(Target("http://a.example/"))
    head = journal(path, RequestOptions(method="HEAD")).done
    assert [head.discard(Target("http://a.example/")) for _ in range(3)] == [True, True, False]


def test_a_link_to_the_file_stays_one_and_its_rights_stay(path, tmp_path):
    write(path, result(error="dns"), result())
    path.chmod(0o640)
    link = tmp_path / "link"
    link.symlink_to(path.name)
    journal(link).tidy()
    assert link.is_symlink()
    assert len(urls(path)) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert sorted(os.listdir(tmp_path)) == ["link", "out.jsonl"]


def test_the_copy_that_a_killed_run_left_is_replaced(path, tmp_path):
    write(path, result(error="dns"), result())
    for _ in range(2):      # the first time a copy is made, the second time none is needed
        (tmp_path / "out.jsonl.resumed").write_text("half of it")
        journal(path).tidy()
        assert os.listdir(tmp_path) == ["out.jsonl"]
        assert len(urls(path)) == 1


def test_without_room_for_the_copy_the_file_stays_as_it_was(path, tmp_path):
    content = write(path, result(error="dns"), *(result(f"http://a.example/{number}") for number in range(100)))
    found = journal(path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(OutputError, match="File too large. The file is unchanged"):
            found.tidy()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == content
    assert os.listdir(tmp_path) == ["out.jsonl"]


@pytest.mark.parametrize("place", [".", "/dev/null"])
def test_what_is_no_file_is_refused(place):
    with pytest.raises(InputError, match="cannot be resumed"):
        Journal(place, RequestOptions())


def numbered(line, url="http://a.example/", **more):
    return Result(url, line, ok="error" not in more, **more)


@pytest.mark.parametrize("spell", [lambda line: line, lambda line: json.dumps(json.loads(line)).encode() + b"\n"])
def test_of_two_records_of_a_line_the_newest_final_one_is_kept(path, spell):
    old, new, other, source = (write(path, one) for one in (
        numbered(1, error="http", status=404), numbered(1, status=200), numbered(2), numbered(1, source="b.txt")))
    vain = write(path, numbered(1, error="timeout"))
    path.write_bytes(old + other + spell(old) + source + new + vain + other)
    found = journal(path)
    assert (found.final, found.failed) == (3, 0)
    found.tidy()
    assert path.read_bytes() == source + new + other
    assert (journal(path).final, journal(path).again) == (3, 0)


def test_a_journal_in_which_every_record_is_doubled_is_mended(path):
    half = write(path, *(numbered(line, f"http://a.example/{line}") for line in range(1, 200)))
    path.write_bytes(half * 3)
    journal(path).tidy()
    assert path.read_bytes() == half
