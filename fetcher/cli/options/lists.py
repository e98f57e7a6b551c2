"""The options of the group Input."""
from __future__ import annotations

from functools import partial

from fetcher.cli.columns import Column
from fetcher.cli.job import Job
from fetcher.cli.options.field import FieldOption
from fetcher.cli.values import Choice, Number, Shard
from fetcher.options import InputOptions

_option = partial(FieldOption, group="Input")

OPTIONS = [
    _option("--input-format", to=InputOptions.format, metavar="FORMAT",
            type=Choice(["auto", "text", "csv", "tsv", "jsonl", "sitemap", "html", "markdown"]),
            help="The format of the lists: text, csv, tsv, jsonl (JSON of any form), sitemap, html or markdown (the "
                 "links of a page). auto: guess from the name or the beginning."),
    _option("--url-column", to=InputOptions.url_column, metavar="NAME",
            help="The column or key with the URL; a.b is the key b in the object a. Default: url, or else the first "
                 "with a URL. A row's method, headers, data and timeout apply to its own request, and "
                 "its accept, expect, expect_not, sha256, size, content_type and max_time to its own answer; its other "
                 "columns come back under input."),
    _option("--column", to=InputOptions.columns, type=Column(), multiple=True, metavar="NAME=COLUMN",
            help="Read NAME from this column of a row: sha256=checksum. NAME= ignores the column NAME. Repeatable."),
    _option("--base-url", to=InputOptions.base_url, metavar="URL", help="Resolve relative URLs against this one."),
    _option("--default-scheme", to=InputOptions.default_scheme, type=Choice(["http", "https"]), metavar="SCHEME",
            help="The scheme, http or https, of URLs that have none."),
    _option("--match", to=InputOptions.match, multiple=True, metavar="REGEX",
            help="Fetch only URLs that match this regular expression (RE2), or another --match. Repeatable."),
    _option("--exclude", to=InputOptions.exclude, multiple=True, metavar="REGEX",
            help="Leave out URLs that match this regular expression. Repeatable."),
    _option("-0", "--null", to=InputOptions.null_separated, is_flag=True,
            help="Lines of the lists end in NUL, as find -print0 writes them."),
    _option("--unique", to=InputOptions.unique, is_flag=True, help="Fetch each URL only once."),
    _option("--shard", to=InputOptions.shard, type=Shard(), metavar="I/N",
            help="Fetch only part I of N. All lines of a host are in the same part."),
    _option("--limit", to=InputOptions.limit, type=Number(1), metavar="N", help="Stop after the first N URLs."),
    _option("--dry-run", to=Job.dry_run, is_flag=True, local=True,
            help="Show what would be fetched, and fetch nothing."),
]
