"""Metrics as Prometheus reads them: https://prometheus.io/docs/instrumenting/exposition_formats/"""
import re

from fetcher.model import Timings
from fetcher.sinks.metrics import exposition
from tests.sinks.accounts import account
from tests.sinks.results import bad, good

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_SAMPLE = re.compile(rf'({_NAME})\{{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*)\}} (\S+)')
_UNITS = ("_seconds", "_bytes", "_urls", "_responses", "_errors", "_status")


def parsed(text):
    """Parse metrics, and check the rules of the format. Return the types of the families, and the values of samples."""
    types, helped, samples = {}, set(), {}
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# HELP "):
            helped.add(line.split(" ", 3)[2])
        elif line.startswith("# TYPE "):
            _, _, name, type = line.split(" ")
            assert name not in types and name in helped and type in ("gauge", "summary")
            types[name] = type
        else:
            name, labels, value = _SAMPLE.fullmatch(line).groups()
            family = list(types)[-1]        # the lines of a family are consecutive
            assert name == family or (types[family] == "summary" and name in (f"{family}_sum", f"{family}_count"))
            assert ('quantile="' in labels) == (types[family] == "summary" and name == family)
            assert (name, labels) not in samples
            samples[name, labels] = float(value)
    assert helped == types.keys()
    return types, samples


def test_it_is_well_formed_and_named_by_the_conventions():
    types, _samples = parsed(exposition(account(good(), bad(), bad("http", status=404)), "links"))
    assert all(name.startswith("fetcher_") and name.endswith(_UNITS) for name in types)
    assert not any(name.endswith("_total") for name in types)       # which is for counters


def test_nothing_fetched_is_well_formed_too():
    types, samples = parsed(exposition(account(exit_status=2), "links"))
    assert samples["fetcher_run_urls", 'run="links",result="ok"'] == 0
    assert types.keys() & {"fetcher_run_errors", "fetcher_run_responses"} == set()


def test_it_tells_the_numbers_of_the_run():
    results = [good(timings=Timings(total=0.5), size=7), bad(), bad("http", status=404, attempts=2)]
    _types, samples = parsed(exposition(account(*results, exit_status=1), "links"))
    for name, labels, value in [
        ("last_run_timestamp_seconds", "", 1_700_000_120), ("last_success_timestamp_seconds", "", 0),
        ("run_duration_seconds", "", 120), ("run_exit_status", "", 1), ("run_body_bytes", "", 7),
        ("run_urls", ',result="ok"', 1), ("run_urls", ',result="failed"', 2), ("run_retried_urls", "", 1),
        ("run_errors", ',error="timeout"', 1), ("run_responses", ',status="404"', 1),
        ("run_total_seconds", ',quantile="0.5"', 0.5), ("run_total_seconds_sum", "", 0.5),
        ("run_total_seconds_count", "", 1),
    ]:
        assert round(samples[f"fetcher_{name}", f'run="links"{labels}'], 1) == value, name


def test_the_last_success_survives_a_failed_run():
    name = ("fetcher_last_success_timestamp_seconds", 'run="links"')
    text = exposition(account(ended=1_700_000_120.25), "links")
    for later, status in (1_700_100_000.0, 1), (1_700_200_000.0, 143):
        text = exposition(account(ended=later, exit_status=status), "links", text)
        assert parsed(text)[1][name] == 1_700_000_120.25
    assert parsed(exposition(account(exit_status=1), "links", "not\nmetrics"))[1][name] == 0
    assert parsed(exposition(account(exit_status=1), "links", text.replace("1700000120.25", "torn")))[1][name] == 0


def test_any_name_of_a_file_can_be_a_label():
    _types, samples = parsed(exposition(account(), 'a "b"\\\nc'))
    assert ("fetcher_run_exit_status", r'run="a \"b\"\\\nc"') in samples
