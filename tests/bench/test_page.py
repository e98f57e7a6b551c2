from dataclasses import replace

from bench.measure import Failed, Run, Score
from bench.page import page
from bench.peers import PEERS
from bench.report import Outcome
from bench.scenarios import SCENARIOS

WHERE = {"processor": "A processor", "cores": 2, "system": "Linux", "python": "3.11.7", "date": "2026-01-01",
         "load": 0.1}
PEER = {peer.name: peer for peer in PEERS}


def score(name, *cpu):
    return Score(PEER[name], [Run(wall=2.0, cpu=seconds, peak=1e6, connections=1) for seconds in cpu])


def written(*scores, where=WHERE, instructions=None):
    outcome = Outcome(replace(SCENARIOS[0], count=1000), list(scores))
    return page([outcome], where, {"curl": ("does this", "8.0")}, 3, instructions)


def test_ratios_are_those_of_the_same_turn():
    text = written(score("fetcher", 1.0, 4.0, 3.0), score("curl", 2.0, 4.0, 4.0))
    assert "| fetcher | 2.00 | 500 | 3,000 | 1 | 0.75 (0.50–1.00) | 1.00 (1.00–1.00) |" in text


def test_a_peer_that_failed_is_left_out():
    text = written(score("fetcher", 1.0), replace(score("curl", 2.0), problem=Failed("got nothing")))
    assert "| curl |" not in text
    assert "| fetcher | 2.00 | 500 | 1,000 | 1 |  |  |" in text


def test_the_page_says_how_it_was_measured():
    text = written(score("curl", 1.0), instructions=246_623)
    assert "3 times" in text and "The machine was quiet" in text and "`curl`: does this (8.0)" in text
    assert "246,623 for each request" in text
    busy = written(score("curl", 1.0), where={**WHERE, "load": 5.0})
    assert "Other programs were running: a load of 5.0." in busy and "Instructions" not in busy
