"""Whatever the records of an earlier run have become, each reader takes them or says in a sentence why not."""
from contextlib import closing
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import strategies as st

from fetcher.errors import InputError, OutputError
from fetcher.model import Beside, Memory, rfc3339
from fetcher.options import InputOptions, RequestOptions
from fetcher.report.reading import records
from fetcher.state.history import History, memories
from fetcher.state.learning import Learner
from fetcher.state.resume import Journal
from fetcher.state.retry import failures, once_more
from fetcher.targets import TargetReader
from fetcher.url import parse
from tests.fuzz import fuzz, fuzzed
from tests.sinks.results import good


@pytest.fixture
def path(tmp_path):
    return tmp_path / "out.jsonl"


def test_a_journal_is_continued_or_refused_as_it_is(path):
    def check(data):
        path.write_bytes(data)
        try:
            first = Journal(str(path), RequestOptions())
        except InputError as error:
            assert str(path) in str(error) and path.read_bytes() == data
            return
        first.tidy()
        first.close()
        lines = list(BytesIO(path.read_bytes()))
        assert len(lines) == first.final == len(first.done)
        assert set(lines) <= set(BytesIO(data))
        second = Journal(str(path), RequestOptions())
        assert (second.final, second.failed, second.again) == (first.final, first.failed, 0)

    fuzz("journals", check)


def test_records_are_read_or_refused(path):
    def check(data):
        path.write_bytes(data)
        try:
            for record in records([str(path)]):
                assert type(record["url"]) is str and type(record["line"]) is int and type(record["ok"]) is bool
        except InputError as error:
            assert str(path) in str(error)

    fuzz("journals", check)


def test_failures_are_fetched_again_or_refused(path):
    def check(data):
        path.write_bytes(data)
        reader = None
        try:
            reader = TargetReader([str(path)], InputOptions("jsonl"))
            for record in failures(reader, str(path)):
                target = once_more(record, RequestOptions())
                assert (target.parsed is None) == (target.problem is not None)
        except InputError as error:
            assert str(path) in str(error)
        finally:
            if reader is not None:
                reader.close()

    fuzz("journals", check)


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    """The bytes of a state, and where they are not zero."""
    path = str(tmp_path_factory.mktemp("state") / "seen.db")
    with Learner(path) as learner:
        for number in range(3):
            url = f"http://a.example/{number}"
            learner.write(good(url, beside=Beside(memory=Memory(url, "GET", 200, '"x"', "now", "0" * 64, url, None))))
    data = Path(path).read_bytes()
    return data, [place for place, byte in enumerate(data) if byte]


def test_a_state_is_read_or_refused(path, state):
    data, places = state

    def check(changes):
        changed = bytearray(data)
        for place, byte in changes:
            changed[place] = byte
        path.write_bytes(changed)
        for suffix in "-wal", "-shm", "-journal":
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        try:
            for seen in memories(str(path)):
                assert rfc3339(seen.seen) and seen.memory.url.encode()
            with closing(History(str(path))) as history:
                for number in range(4):
                    past = history.recall(parse(f"http://a.example/{number}"), None)
                    for name, value in past.validators():
                        assert f"{name}: {value}".isprintable()
        except (InputError, OutputError) as error:
            assert str(path) in str(error)

    fuzzed(st.lists(st.tuples(st.sampled_from(places), st.integers(0, 255)), min_size=1, max_size=4))(check)()
