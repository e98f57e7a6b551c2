"""Describe the last run for Prometheus, in a file for node_exporter's textfile collector.

Prometheus does not scrape the run itself, so its numbers are gauges that say how the last run went. The label `run`
tells several jobs on one machine apart.
"""
from __future__ import annotations

import re
from collections.abc import Iterator

from fetcher.sinks.account import QUANTILES, Account
from fetcher.sinks.histogram import Histogram

_LAST_SUCCESS = "fetcher_last_success_timestamp_seconds"
_ESCAPES = str.maketrans({"\\": r"\\", '"': r'\"', "\n": r"\n"})


def exposition(account: Account, run: str, before: str = "") -> str:
    """Return the metrics of `account` in the text format. `before` is the text after the previous run.

    The time of the last success is taken from there if this run fails. If there was none, the time is 0, so that an
    alert on its age fires.
    """
    return "".join(_families(account, run, _last_success(account, before)))


def _families(account: Account, run: str, last_success: float) -> Iterator[str]:
    tally, statistics = account.tally, account.statistics

    def gauge(name: str, help: str, *samples: tuple[dict[str, str], float]) -> str:
        return _family(name, "gauge", help, [(name, {"run": run, **labels}, value) for labels, value in samples])

    yield gauge("fetcher_last_run_timestamp_seconds", "When the last run ended.", ({}, account.ended))
    yield gauge(_LAST_SUCCESS, "When the last run ended whose exit status was 0.", ({}, last_success))
    yield gauge("fetcher_run_duration_seconds", "How long the last run took.", ({}, account.ended - account.started))
    yield gauge("fetcher_run_exit_status", "Exit status of the last run.", ({}, account.exit_status))
    yield gauge("fetcher_run_urls", "URLs of the last run, by what became of them.",
                ({"result": "ok"}, tally.ok), ({"result": "failed"}, tally.failed),
                ({"result": "interrupted"}, tally.interrupted),
                *((({"result": "not_begun"}, tally.not_begun),) if tally.not_begun is not None else ()))
    yield gauge("fetcher_run_retried_urls", "URLs that took more than one attempt.", ({}, tally.retried))
    yield gauge("fetcher_run_responses", "Answers, by status.",
                *(({"status": str(status)}, count) for status, count in sorted(statistics.statuses.items())))
    yield gauge("fetcher_run_errors", "URLs that were not fetched, by error.",
                *(({"error": error}, count) for error, count in sorted(tally.errors.items())))
    yield gauge("fetcher_run_download_bytes", "Bytes of bodies on the wire.", ({}, tally.size_download))
    yield gauge("fetcher_run_body_bytes", "Bytes of bodies, decoded.", ({}, tally.size))
    yield _summary("fetcher_run_starttransfer_seconds", "Time to the first byte of the answer.", run,
                   tally.starttransfer)
    yield _summary("fetcher_run_total_seconds", "Time to the last byte of the answer.", run, tally.times)


def _summary(name: str, help: str, run: str, times: Histogram) -> str:
    known = {f"{part:g}": times.quantile(part) or 0.0 for part in QUANTILES.values()} | {"1": times.greatest}
    quantiles = [(name, {"run": run, "quantile": part}, value) for part, value in known.items() if times.count]
    return _family(name, "summary", help, [*quantiles, (f"{name}_sum", {"run": run}, times.sum),
                                           (f"{name}_count", {"run": run}, times.count)])


def _family(name: str, type: str, help: str, samples: list[tuple[str, dict[str, str], float]]) -> str:
    if not samples:
        return ""
    lines = [f"# HELP {name} {help}", f"# TYPE {name} {type}"]
    for sample, labels, value in samples:
        pairs = ",".join(f'{label}="{text.translate(_ESCAPES)}"' for label, text in labels.items())
        lines.append(f"{sample}{{{pairs}}} {value:.16g}")
    return "\n".join(lines) + "\n"


def _last_success(account: Account, before: str) -> float:
    if account.exit_status == 0:
        return account.ended
    match = re.search(rf"^{_LAST_SUCCESS}\{{.*\}} (\S+)$", before, re.M)
    try:
        return float(match[1]) if match else 0.0
    except ValueError:
        return 0.0
