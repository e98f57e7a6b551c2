"""What one run of the command should do: a frozen dataclass for each concern, besides those of `fetcher.options`."""
from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from fetcher.options import InputOptions, Options
from fetcher.value import frozen

if TYPE_CHECKING:
    from fetcher.sinks.verdict import Condition
    from fetcher.url import Url


@frozen
class ListOptions:
    """Which lines to fetch."""

    sources: tuple[str, ...] = ()
    retry_failed: str | None = None     # a file of records: only the lines that failed in it
    input: InputOptions = InputOptions()


@frozen
class RecordOptions:
    """Which records to write, how and where."""

    format: str = "auto"
    output: str | None = None           # a file; None or "-": stdout
    resume: bool = False                # continue the records in `output`
    only: str | None = None             # ok, failed, unexpected or changed
    fsync: bool = False                 # each batch is on the disk before the next is written

    @property
    def path(self) -> str | None:
        """The file for the records, or None if they go to stdout."""
        return None if self.output == "-" else self.output


@frozen
class StoreOptions:
    """Which other files get the records, each in its own format."""

    sqlite: str | None = None
    parquet: str | None = None
    warc: str | None = None
    sinks: tuple[tuple[str, str], ...] = ()     # names of other packages' sinks, each with what it is told


@frozen
class ScreenOptions:
    """What to show on stderr or on the terminal."""

    quiet: bool = False
    verbose: bool = False
    debug: bool = False
    progress: bool = True
    heartbeat: float | None = None      # seconds between two lines of counts, without a live screen


@frozen
class BatchOptions:
    """What a run that nobody watches does besides fetching."""

    lock: str | None = None             # a file
    lock_wait: float = 0.0              # seconds
    fail_if: tuple[Condition, ...] = ()
    summary: str | None = None          # a file
    metrics: str | None = None          # a file
    ping_url: Url | None = None


@frozen
class Job:
    """Everything that the command line says."""

    lists: ListOptions = ListOptions()
    options: Options = field(default=Options(), repr=False)
    records: RecordOptions = RecordOptions()
    stores: StoreOptions = StoreOptions()
    screen: ScreenOptions = ScreenOptions()
    batch: BatchOptions = BatchOptions()
    processes: int | None = 1           # how many to fetch with; None: as many as pay off
    dry_run: bool = False
    arguments: tuple[str, ...] = ()     # the command line, without secrets
    side_files: tuple[tuple[str, str], ...] = ()    # files that were read for options: "--data", "body.bin"
