"""Servers close connections whenever they want, even without saying so. No record may fail for that."""
import json
import subprocess
import time

from fetcher.attempt import InFlight
from fetcher.fetching import Fetcher
from fetcher.model import Target
from fetcher.options import Options, RequestOptions, Timeouts
from fetcher.transport import Transport
from tests.peers.clients import ENVIRONMENT, FETCHER, fetcher


def test_a_connection_that_ends_after_a_hundred_requests_costs_no_record(nginx):
    records = fetcher([nginx.url("/1k", "hundred")] * 5000, "--per-host", 50)
    assert len(records) == 5000
    assert [record for record in records if not record["ok"]] == []
    nth = [int(line.split()[1]) for line in nginx.log("hundred.log")]
    assert max(nth) == 100


def test_a_connection_that_ends_after_a_second_of_silence_costs_no_record(nginx):
    """Each burst comes about when the server closes the connections of the previous one."""
    command = [*FETCHER, "-", "-q", "-f", "jsonl", "--per-host", "50"]
    burst = f"{nginx.url('/1k', 'second')}\n" * 1000
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                          env=ENVIRONMENT) as process:
        for pause in 0.98, 0.995, 1.0, 1.01, 0:
            process.stdin.write(burst)
            process.stdin.flush()
            time.sleep(pause)
        output, _ = process.communicate(timeout=60)
    records = [json.loads(line) for line in output.splitlines()]
    assert len(records) == 5000
    assert [record for record in records if not record["ok"]] == []


def test_a_post_is_not_sent_on_a_connection_that_ended_while_nobody_looked(nginx):
    options = Options(request=RequestOptions(data=b"a=1"))
    transport = Transport(options)
    fetch = Fetcher(options, transport, InFlight(Timeouts()))
    target = Target.read(nginx.url("/echoed", "second"))
    first = fetch(target)
    time.sleep(1.2)     # not green, so that the hub does not notice the end of the connection
    second = fetch(target)
    transport.close()
    assert (first.status, second.status) == (404, 404)
    assert second.timings.connect > 0
