import json
import pickle

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.model import Result
from fetcher.record import encode
from fetcher.verbatim import Number, dumps, loads

NUMBERS = ["0", "7", "-7", "1.5", "0.1", "9007199254740993", "18446744073709551615", "18446744073709551616",
           "-9223372036854775809", "123456789012345678901234567890", "9" * 5000, "1.0", "1.50", "-0", "-0.0", "0.00",
           "1e400", "-1E+400", "1e-400", "1E5", "1e5", "0.00001", "0.1000000000000000055511151231257827", "100.00"]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("text", ['{"id":%s}', "[%s,1]", '{"a":{"b":[7,%s]}}', "%s"])
def test_numbers_come_back_as_they_stood(text, number):
    assert dumps(loads(text % number)).decode() == text % number


@pytest.mark.slow
@given(st.recursive(st.none() | st.booleans() | st.integers(-2**63, 2**64 - 1) | st.text(
    st.characters(exclude_categories=["Cs"])) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)))
def test_plain_json_is_read_as_orjson_reads_it(value):
    text = orjson.dumps(value).decode()
    assert loads(text) == orjson.loads(text)
    assert dumps(loads(text)).decode() == text


@given(st.from_regex(r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?", fullmatch=True))
def test_any_number_comes_back(number):
    assert dumps(loads(f'{{"a": [{number}]}}')).decode() == f'{{"a":[{number}]}}'


def test_a_number_can_be_computed_with_and_sent_to_another_process():
    number = loads('[1e400]')[0]
    assert pickle.loads(pickle.dumps(number)).text == "1e400"
    assert number > 1e308 and json.loads(json.dumps(number)) == number
    assert Number("1.50") == 1.5 and repr(Number("1.50")) == "1.50"


@pytest.mark.parametrize("text", ["[NaN, 1e400]", "[Infinity, 1e5]", "{1e400", "[01]", "", "[" * 300 + "]" * 300,
                                  "[1e400," + "[" * 5000 + "]" * 5000 + "]"])
def test_what_is_no_json_or_too_deep_is_refused(text):
    with pytest.raises(ValueError):
        loads(text)


def test_a_record_has_the_numbers_of_its_row():
    result = Result("http://a/", 1, input=loads('{"id": 18446744073709551616, "price": 1.50}'))
    assert b'"input":{"id":18446744073709551616,"price":1.50}' in encode(result)
