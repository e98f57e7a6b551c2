"""Accounts of runs, to write with sinks."""
from typing import Any

from fetcher.model import Result
from fetcher.sinks.account import Account
from fetcher.sinks.statistics import Statistics
from fetcher.sinks.tally import Tally


def account(*results: Result, **more: Any) -> Account:
    """Return the account of a run of two minutes with these results."""
    tally, statistics = Tally(), Statistics()
    for result in results:
        tally.write(result)
        statistics.write(result)
    return Account(**{"tally": tally, "statistics": statistics, "started": 1_700_000_000.0, "ended": 1_700_000_120.0,
                      "exit_status": 0, "error_message": None, "arguments": ("-q", "list"),
                      "versions": {"fetcher": "1"}, **more})
