"""Check that the files that a job reads and writes are all different."""
from __future__ import annotations

from collections.abc import Iterator

import click

from fetcher.cli.job import Job
from fetcher.files.identity import Place, same_file

_LIST = "the list"
_STDOUT = "standard output"
_SHARED = [("--cookie", "--cookie-jar")]        # read at the start and written at the end, as in curl


def refuse_one_file_for_two(job: Job) -> None:
    """Raises click.UsageError if writing a file would destroy another one that the job reads or writes."""
    found = same_file(_reads(job), _writes(job), _SHARED)
    if found is None:
        return
    one, other, place = found
    if other == _STDOUT:
        raise click.UsageError(f"Standard output is {_same_as(one)}; send it elsewhere.")
    raise click.UsageError(f"{place} is {_same_as(one)}; name another file with {other}.")


def written_in_place(job: Job) -> Iterator[str]:
    """Yield the files that would lose their content at once if two runs wrote them."""
    yield from filter(None, (job.records.path, job.stores.sqlite))


def _same_as(name: str) -> str:
    return "the list itself" if name == _LIST else f"the file of {name}, too" if name.startswith("-") else name


def _reads(job: Job) -> list[tuple[str, Place]]:
    lists: list[Place] = [0 if source == "-" else source for source in job.lists.sources]
    request, tls = job.options.request, job.options.tls
    options = {"--retry-failed": job.lists.retry_failed, "--cookie": request.cookie, "--cacert": tls.cacert,
               "--cert": tls.cert, "--key": tls.key}
    return [*((_LIST, place) for place in lists), *_named(options), *job.side_files]


def _writes(job: Job) -> list[tuple[str, Place]]:
    records, stores, batch = job.records, job.stores, job.batch
    options = {"--output": records.path, "--sqlite": stores.sqlite, "--parquet": stores.parquet, "--warc": stores.warc,
               "--cookie-jar": job.options.request.cookie_jar, "--state": job.options.state, "--lock": batch.lock,
               "--summary": batch.summary, "--metrics": batch.metrics}
    named = {option: path for option, path in options.items() if path != "-"}
    to_stdout = len(named) < len(options) or (records.path is None and records.format != "none")
    return [*([(_STDOUT, 1)] if to_stdout else []), *_named(named)]


def _named(options: dict[str, str | None]) -> list[tuple[str, Place]]:
    return [(option, path) for option, path in options.items() if path is not None]
