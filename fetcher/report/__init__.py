"""Report on runs from their records: read what a run has written, count it, and compare it with another run.

    reading     reads records from NDJSON, compressed or not, a cluster, SQLite or Parquet, even during the run
    counting    counts what the summary does, and groups by a key
    diff        finds what got worse, better or different since another run, what is new and what is gone
    terminal    shows either as lines of styled text; markdown, junit, account (JSON) are for issues, CI, programs
    sink        writes a report in Markdown or JUnit's XML at the end of a run

Memory does not grow with the number of records.
"""
