from random import Random

from fetcher import Target
from fetcher.attempt import Attempt
from fetcher.errors import FetchError
from fetcher.options import Timeouts
from fetcher.transport import Request
from fetcher.transport.parser import Parser
from fetcher.transport.response import Response
from tests.fuzz import fuzz

TARGET = Target.read("http://peer/")


class Nobody:
    """A connection from which no more bytes come."""

    tls = None

    def wait_for_body(self):
        raise AssertionError("the answer is not at its end")

    def finish(self, response):
        pass


def outcome(data, cuts, method):
    """Parse the answer `data`, cut into pieces, until its connection ends. Return all that a record says of it."""
    response = Response(Request(TARGET.parsed, Attempt(TARGET, Timeouts()), method=method, keep=True), Nobody())
    parser = Parser("peer")
    parser.expect(response)
    edges = [0, *cuts, len(data)]
    for start, stop in zip(edges, edges[1:]):
        if start < stop and not response.complete and response.failure is None:
            parser.feed(memoryview(data)[start:stop])
    if not response.complete and response.failure is None:
        parser.end("closed")
    body, failure = b"", None
    try:
        for piece in response:
            body += piece
    except FetchError as error:
        failure = (error.word, str(error))
    return response.status, response.fields, body, failure, response.size_download


def test_any_answer_has_one_outcome_however_it_is_cut():
    def check(data):
        random = Random(data)
        method = random.choice(["GET", "GET", "HEAD"])
        cuts = sorted(random.sample(range(len(data)), min(len(data), random.choice([1, 3, 1000]))))
        assert outcome(data, cuts, method) == outcome(data, (), method)

    fuzz("answers", check)
