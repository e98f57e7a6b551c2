"""Whatever a broker or a place contains, a worker understands it or says in a sentence why not."""
from contextlib import suppress

import orjson
from hypothesis import strategies as st

from fetcher.cluster.data import as_data, target_as_data, target_from_data
from fetcher.cluster.orders import Order, order_in_message, parse_order
from fetcher.cluster.run import VERSION, ClusterRun, NotUnderstood
from fetcher.cluster.state import decoded
from fetcher.model import Target
from fetcher.options import BodyOptions, Options, SaveOptions
from fetcher.sinks.verdict import Condition
from tests.fuzz import fuzzed

ORDER = Order("run", "/place", 0, "signature").as_data()
RUN = {"version": VERSION, **as_data(ClusterRun(
    "run", (1, 0), Options(body=BodyOptions(save=SaveOptions("/bodies"))), 1.0, (Condition.parse(">5%"),), ("fetcher",),
    (("Python", "3"),)))}
TARGET = target_as_data(Target.read("http://user:password@host/", 1))
JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
                    max_leaves=6)


def changed(data):
    """Return a strategy that varies `data`: it replaces, removes and adds parts."""
    if not data or not isinstance(data, dict):
        return st.just(data) | st.just(data) | JSON
    return st.one_of(
        st.fixed_dictionaries({key: changed(value) for key, value in data.items()}),
        st.sampled_from(sorted(data)).map(lambda key: {name: data[name] for name in data if name != key}),
        st.dictionaries(st.sampled_from(sorted(data)) | st.text(max_size=5), JSON).map(lambda more: {**data, **more}),
        JSON)


def encoded(data):
    return changed(data).map(lambda each: orjson.dumps(_finite(each), option=orjson.OPT_PASSTHROUGH_DATACLASS))


def _finite(data):
    """JSON that orjson can write: no integer beyond 64 bits, and no half of a surrogate pair."""
    if isinstance(data, dict):
        return {_finite(key): _finite(value) for key, value in data.items()}
    if isinstance(data, list):
        return list(map(_finite, data))
    if isinstance(data, str):
        return data.encode("utf-8", "replace").decode()
    return data if not isinstance(data, int) or abs(data) < 2 ** 63 else float(data)


@fuzzed(changed(ORDER))
def test_an_order_is_understood_or_refused(data):
    with suppress(NotUnderstood):
        order = parse_order(data)
        assert parse_order(order.as_data()) == order


@fuzzed(JSON | st.fixed_dictionaries({"task": JSON | st.just("fetcher.partition")}),
        st.binary() | encoded(ORDER) | changed(ORDER).map(lambda data: orjson.dumps([[], _finite(data), {}])) | JSON)
def test_a_message_is_an_order_or_refused(headers, body):
    with suppress(NotUnderstood):
        assert order_in_message(headers, body).run


@fuzzed(st.binary() | encoded(RUN))
def test_a_run_is_understood_or_refused(content):
    with suppress(NotUnderstood):
        run = ClusterRun.decode(content, "/place")
        assert run.partitions is not None and isinstance(run.options, Options)


@fuzzed(st.binary() | encoded({"phase": "running", "worker": "machine:1", "reported": 1.0, "lease_seconds": 1.0,
                               "rate": 0.0, "in_flight": 0, "waiting_hosts": [], "counts": {}}))
def test_a_state_is_understood_or_none(content):
    state = decoded(content)
    assert state is None or state.lease_seconds == state.lease_seconds


@fuzzed(changed(TARGET))
def test_a_target_is_one_or_damaged(data):
    with suppress(ValueError, LookupError):
        assert target_from_data(_finite(data)).host is not None
