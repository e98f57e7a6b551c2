"""What one process sends another of the same run arrives as it was, whatever a list or a server wrote."""
import marshal
from dataclasses import fields

from hypothesis import strategies as st

from fetcher.engine.processes.wire import pack_result, pack_target, unpack_result, unpack_target
from fetcher.model import Beside, Hop, Memory, Overrides, Result, Target, Timings
from fetcher.options import AnswerOptions
from fetcher.url import parse
from tests.fuzz import fuzzed

TEXT = st.text(max_size=9) | st.sampled_from(["\ud800", "\0", "\u009b"])
NUMBER = st.integers(0, 2 ** 70)
FLOAT = st.floats(allow_nan=False)
CELL = (st.none() | st.booleans() | st.integers(-2 ** 63, 2 ** 63 - 1)
        | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5))
ROW = st.none() | st.dictionaries(st.text(max_size=5), CELL | st.lists(CELL, max_size=3))
FIELDS = st.lists(st.tuples(TEXT, TEXT), max_size=3).map(tuple)
URL = st.builds(lambda path: parse(f"http://u:p@a.example/{path}"), TEXT.map(ascii))
OVERRIDES = st.builds(Overrides, TEXT, FIELDS, st.binary(max_size=9), FLOAT)
ANSWER = st.builds(AnswerOptions, expect=st.lists(TEXT, max_size=2).map(tuple), size=NUMBER)
MEMORY = st.builds(Memory, TEXT, TEXT, NUMBER, TEXT, TEXT, TEXT, TEXT, TEXT, TEXT)
HOPS = st.none() | st.lists(st.builds(Hop, URL, NUMBER, FLOAT), max_size=2).map(tuple)


def sent(packed):
    return marshal.loads(marshal.dumps(packed))


@fuzzed(st.builds(Target, TEXT, NUMBER, TEXT, URL, input=ROW, overrides=st.none() | OVERRIDES,
                  answer=st.none() | ANSWER))
def test_a_target_arrives_as_it_was(target):
    there = unpack_target(sent(pack_target(target)), 17)
    assert all(getattr(there, field.name) == getattr(target, field.name)
               for field in fields(target) if field.name != "place")


@fuzzed(st.builds(Result, TEXT, NUMBER, TEXT, st.booleans(), NUMBER, error_message=TEXT, hops=HOPS, headers=FIELDS,
                  timings=st.builds(Timings, FLOAT), body=st.none() | st.binary(max_size=9), input=ROW,
                  beside=st.builds(Beside, memory=st.none() | MEMORY, private=st.booleans())), st.binary())
def test_a_result_arrives_as_it_was_with_its_record(result, encoded):
    there = unpack_result(sent(pack_result(result, encoded)))
    assert there == result
    assert there.beside.encoded == encoded
