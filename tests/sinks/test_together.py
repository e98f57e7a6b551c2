"""Short bodies are written in a row, into files that have no name before they are whole."""
import errno
import os

import pytest

from fetcher import green
from fetcher.errors import SaveError
from fetcher.model import Target
from fetcher.options import SaveOptions
from fetcher.sinks.bodies import BodyStore
from fetcher.sinks.together import Together


@pytest.fixture
def store(tmp_path):
    store = BodyStore(SaveOptions(str(tmp_path), "{path}", since=0.0))
    yield store
    store.close()


def save(store, path, content=b"body", line=1):
    body = store.body()
    body.write(content)
    try:
        return os.path.basename(body.commit(Target.read(f"http://a.example/{path}", line), "", None))
    finally:
        body.drop()


def files(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_all_that_wait_are_called_in_one_round():
    rounds, calls = [], []

    def call(number):
        if not calls:
            green.call_soon(rounds.append, "next")
        calls.append((number, list(rounds)))

    together = Together(call)
    threads = [green.spawn(together.call, number) for number in range(5)]
    for thread in threads:
        thread.wait()
    assert calls == [(number, []) for number in range(5)]
    assert rounds == ["next"]


def test_each_gets_its_own_error():
    def call(number):
        if number % 2:
            raise ValueError(number)

    def told(number):
        try:
            together.call(number)
        except ValueError as error:
            return error.args
        return None

    together = Together(call)
    assert [thread.wait() for thread in [green.spawn(told, number) for number in range(4)]] == [None, (1,), None, (3,)]


def test_what_is_ended_while_it_waits_is_not_called():
    calls = []
    together = Together(calls.append)
    first, second = green.spawn(together.call, 1), green.spawn(together.call, 2)
    green.spawn_n(first.kill)
    second.wait()
    together.call(3)
    assert calls == [2, 3]
    assert first.dead


def test_a_body_whose_thread_is_ended_leaves_nothing(store, tmp_path):
    thread = green.spawn(save, store, "x")
    green.call_soon(thread.throw, KeyError("ended"))
    with pytest.raises(KeyError):
        thread.wait()
    green.sleep(0)
    assert files(tmp_path) == {}
    assert save(store, "y") == "y"


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="needs files without a name")
def test_a_short_body_has_no_name_before_it_is_whole(store, tmp_path, monkeypatch):
    seen = []
    link = os.link

    def watched(*args, **how):
        seen.append(files(tmp_path))
        link(*args, **how)

    monkeypatch.setattr(os, "link", watched)
    assert save(store, "x") == "x"
    assert seen == [{}]
    assert files(tmp_path) == {"x": b"body"}


@pytest.mark.parametrize("code", [errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL])
def test_where_there_are_no_nameless_files_they_are_tried_once(store, tmp_path, monkeypatch, code):
    asked = []
    usual = os.open

    def refuse(path, flags, *args, **how):
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            asked.append(path)
            raise OSError(code, os.strerror(code))
        return usual(path, flags, *args, **how)

    monkeypatch.setattr(os, "open", refuse)
    assert [save(store, name, name.encode()) for name in "abc"] == ["a", "b", "c"]
    assert files(tmp_path) == {"a": b"a", "b": b"b", "c": b"c"}
    assert len(asked) == 1


def test_a_name_that_is_taken_is_not_written_over(store, tmp_path):
    first = save(store, "x", b"one")
    second = save(store, "x", b"two", line=2)
    assert first == "x" != second
    assert files(tmp_path) == {first: b"one", second: b"two"}


def test_a_full_disk_fails_only_the_bodies_that_do_not_fit(store, tmp_path, monkeypatch):
    usual = os.write

    def write(fd, data):
        if data == b"large":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return usual(fd, data)

    monkeypatch.setattr(os, "write", write)
    small, large = green.spawn(save, store, "small"), green.spawn(save, store, "large", b"large")
    assert small.wait() == "small"
    with pytest.raises(SaveError, match="No space left on device"):
        large.wait()
    assert files(tmp_path) == {"small": b"body"}
