"""What a list may be."""

PAGE = """\
A list is a file with one URL a line, - for stdin, or a URL itself; there can be
several. Blank lines are skipped, and so is what follows a # at the beginning of
a line or after white space.

It may also be CSV, TSV, JSONL or JSON, a sitemap, or an HTML or Markdown page,
whose links are fetched. The name or the beginning tells; --input-format decides.
It may be packed with gzip, zstd, xz or bzip2, and be in UTF-8, UTF-16 or UTF-32.

    fetcher urls.txt
    fetcher --url-column link rows.csv
    fetcher --base-url https://example.com/ page.html
    fetcher --default-scheme https hosts.txt

A row of CSV, TSV or JSONL may set these for its own request:

    method, headers, data, timeout (seconds)

and these for its own answer, which is `unexpected` otherwise:

    accept, expect, expect_not, sha256, size (bytes), content_type,
    max_time (seconds)

All other columns come back under `input` in its record. --column sha256=checksum
reads one of them from another column; --column size= ignores a column.
"""
