"""The soak: what counts as growth, what is mixed, and a short run of the real thing."""
from collections import Counter
from itertools import islice
from urllib.parse import urlsplit

import pytest
from rich.console import Console

from bench.mix import lines
from bench.servers import Missing, nginx
from bench.soak import Samples, Soak, embedded_server

PORTS = {"http": 1001, "http_close": 1002, "https": 1003, "https_close": 1004, "serve": 1005}
MB = 1e6


def sampled(memory, descriptors=(100,) * 100):
    samples = Samples()
    for second, (bytes, count) in enumerate(zip(memory, descriptors)):
        samples.add(float(second), {"memory": bytes, "descriptors": count})
    return samples


@pytest.mark.parametrize("memory", [
    [100 * MB] * 100,
    [20 * MB + nth * 4 * MB for nth in range(20)] + [100 * MB] * 80,            # it fills up in the first fifth
    [100 * MB] * 30 + [150 * MB] * 3 + [100 * MB] * 67,                         # a peak that passes
    [100 * MB + nth * 0.05 * MB for nth in range(100)]])
def test_what_is_flat_after_the_first_fifth_has_not_grown(memory):
    assert sampled(memory).grown() == []


@pytest.mark.parametrize("memory", [
    [100 * MB + nth * 0.1 * MB for nth in range(100)],
    [100 * MB] * 80 + [110 * MB] * 20])
def test_what_is_more_at_the_end_has_grown(memory):
    assert sampled(memory).grown() == ["memory"]


def test_a_few_descriptors_more_are_no_growth():
    assert sampled([MB] * 100, [20] * 50 + [29] * 50).grown() == []
    assert sampled([MB] * 100, [20] * 50 + [31] * 50).grown() == ["descriptors"]


def test_what_is_counted_from_the_second_sample_on_has_no_value_before():
    samples = Samples()
    samples.add(0.0, {"memory": 1.0})
    samples.add(1.0, {"memory": 1.0, "green threads": 7.0})
    assert samples.values == {"memory": [1.0, 1.0], "green threads": [0.0, 7.0]}


@pytest.mark.parametrize("dns", [False, True])
def test_the_list_has_every_kind_and_few_lines_twice(dns):
    urls = list(islice(lines(PORTS, dns), 1000))
    assert {url.split("/")[3] for url, times in Counter(urls).items() if times > 1} == {"etag"}
    schemes = Counter(urlsplit(url).scheme for url in urls)
    assert set(schemes) == {"http", "https", "ftp"}
    ports = {urlsplit(url).port for url in urls}
    assert ports == {*PORTS.values(), 1, None}
    hosts = {urlsplit(url).hostname for url in urls}
    assert any(host.endswith(".bench.test") for host in hosts) == dns


@pytest.mark.timeout(300)
def test_a_short_run_counts_and_has_a_record_for_each_line(tmp_path):
    try:
        with nginx(tmp_path) as far_end, embedded_server() as port:
            soak = Soak(tmp_path, 8, 1, far_end.cacert, None)
            samples = soak.run(lines({**far_end.ports, "serve": port}, False), far_end.log, Console(quiet=True))
    except Missing as missing:
        pytest.skip(str(missing))
    assert soak.records == soak.fed > 100
    for name in "memory", "descriptors", "green threads", "blocks":
        assert samples.values[name][-1] > 1, name
    assert soak.last_types
