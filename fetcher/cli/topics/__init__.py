"""What `fetcher help TOPIC` tells, apart from the commands. The manual page and the documentation tell the same.

    record, errors, exits       tables: each key, word or status, and what it means
    lists, cron                 pages
"""
from __future__ import annotations

from collections.abc import Iterable
from textwrap import fill

TOPICS = {"record": "every key of a record: its type, unit, and when it is null",
          "errors": "every error word: what it means, and what to do",
          "exit": "the exit statuses",
          "lists": "what a list may be, and what its rows may set",
          "cron": "runs that nobody watches"}
_WIDTH = 79


def page(topic: str) -> str:
    """Return the text of one of TOPICS, as a terminal shows it."""
    if topic == "record":
        from fetcher.cli.topics import record

        return _page(record.ABOUT, ((f"{key} ({type})", text) for key, type, text in record.KEYS))
    if topic == "errors":
        from fetcher.cli.topics import errors

        return _page(errors.ABOUT, ((word, f"{means} {advice}") for word, means, advice in errors.WORDS))
    if topic == "exit":
        from fetcher.cli.topics import exits

        return _page(exits.ABOUT, ((str(status), text) for status, text in exits.STATUSES))
    from importlib import import_module

    text: str = import_module(f"fetcher.cli.topics.{topic}").PAGE
    return text


def _page(about: str, entries: Iterable[tuple[str, str]]) -> str:
    parts = [fill(about, _WIDTH), *(f"{name}\n{fill(text, _WIDTH, initial_indent='    ', subsequent_indent='    ')}"
                                    for name, text in entries)]
    return "\n\n".join(parts) + "\n"
