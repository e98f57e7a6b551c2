"""Parse values of options: numbers, sizes, durations, words."""
from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

from fetcher.cli.suggestions import suggestion
from fetcher.errors import InvalidUrl
from fetcher.expectation import Pattern, Statuses, compiled, parse_pattern, parse_statuses, shown_statuses
from fetcher.options import PASSING_STATUSES, RETRIABLE_ERRORS, TRANSPORT_ERRORS
from fetcher.regex import regex
from fetcher.semantics import is_byte_range, is_token

if TYPE_CHECKING:
    from fetcher.sinks.verdict import Condition
    from fetcher.url import Url

_NUMBER = regex(r"[0-9]{1,18}")
_SIZE = regex(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", re.I)
_DURATION = regex(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?", re.I)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_RATE = regex(r"(\d+(?:\.\d+)?)\s*/\s*(\d+(?:\.\d+)?)?\s*(ms|s|m|h|d)", re.I)
_DEFAULT_RETRIED = PASSING_STATUSES | TRANSPORT_ERRORS
ALL_METHODS = "all-methods"


class Value(click.ParamType):
    """The type of an option whose default can be shown as it would be typed."""

    def typed(self, value: Any) -> str:
        """Return `value` as it would be typed."""
        return str(value)


class Choice(click.Choice):
    """One of some words."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """As in click, with a suggestion for a word that is not among them."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter as error:
            hint = suggestion(str(value), map(str, self.choices))
            raise click.BadParameter(error.message.rstrip(".") + (hint or "."), ctx, param) from None


class Number(Value):
    """A whole number, not below `minimum` nor above `maximum`."""

    name = "number"

    def __init__(self, minimum: int, maximum: int | None = None) -> None:
        self._minimum = minimum
        self._maximum = maximum

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        number = int(value) if _NUMBER.fullmatch(str(value)) else -1
        if number < self._minimum or self._maximum is not None and number > self._maximum:
            allowed = f"from {self._minimum} to {self._maximum:,}" if self._maximum else f"of at least {self._minimum}"
            self.fail(f"{value!r} is not a whole number {allowed}.", param, ctx)
        return number


class Size(Value):
    """Bytes, not less than `minimum`, with curl's suffixes: 500k, 10M, 1G (powers of 1024)."""

    name = "size"

    def __init__(self, minimum: int = 0) -> None:
        self._minimum = minimum

    def typed(self, value: int) -> str:
        """Return `value` as a whole number in the largest possible unit."""
        power = max(power for power in range(5) if value % 1024 ** power == 0)
        return f"{value // 1024 ** power}{' kMGT'[power].strip()}"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        match = _SIZE.fullmatch(str(value).strip())
        if match is None:
            self.fail(f"{value!r} is not a size; write bytes, or 500k, 10M, 1G.", param, ctx)
        size = int(float(match[1]) * 1024 ** " kmgt".index(match[2].lower() or " "))
        if size < self._minimum:
            self.fail(f"{value!r} is too small; write at least {self._minimum}.", param, ctx)
        return size


class Duration(Value):
    """A number of seconds above zero, or with a unit: 500ms, 10s, 2m, 1h."""

    name = "seconds"

    def typed(self, value: float) -> str:
        return f"{value:g} s"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        match = _DURATION.fullmatch(str(value).strip())
        seconds = float(match[1]) * _SECONDS[(match[2] or "s").lower()] if match else 0.0
        if seconds <= 0:
            self.fail(f"{value!r} is not a duration; write seconds above 0, or 500ms, 10s, 2m, 1h.", param, ctx)
        return seconds


class Method(Value):
    """An HTTP method, a token (RFC 9110 §9.1), sent as it is typed."""

    name = "method"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not is_token(str(value)) or str(value).upper() == "CONNECT":
            self.fail(f"{value!r} is not a method that can be sent; write GET, HEAD, POST or the like.", param, ctx)
        return str(value)


class ByteRange(Value):
    """A range of bytes: 0-499, 500-, -500, or several with commas."""

    name = "range"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not is_byte_range(str(value)):
            self.fail(f"{value!r} is not a range of bytes; write 0-499, 500- or -500.", param, ctx)
        return str(value)


MAX_PROCESSES = 256


class Rate(Value):
    """A number per time: 50/s, 30/m, 1/10s. Converted to starts per second."""

    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        match = _RATE.fullmatch(str(value).strip())
        seconds = float(match[2] or 1) * _SECONDS[match[3].lower()] if match else 0.0
        if match is None or not seconds or not float(match[1]):
            self.fail(f"{value!r} is not a rate; write 50/s, 30/m or 1/10s.", param, ctx)
        return float(match[1]) / seconds


class Processes(Value):
    """A number of processes, or auto, which is None."""

    name = "processes"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        text = str(value).strip()
        if text.lower() == "auto":
            return None
        if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MAX_PROCESSES):
            self.fail(f"{value!r} is not a number of processes; write 1 to {MAX_PROCESSES}, or auto.", param, ctx)
        return int(text)


class Shard(Value):
    """I/N: part I of N, counted from 1."""

    name = "shard"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        part, _, parts = str(value).partition("/")
        if not (part.isascii() and part.isdigit() and parts.isascii() and parts.isdigit()
                and 1 <= int(part) <= int(parts)):
            self.fail(f"{value!r} is not a shard; write I/N, as in 1/4.", param, ctx)
        return int(part), int(parts)


class FailIf(Value):
    """A condition under which a run has failed: >20, >5%, timeout>10, 5xx>0, empty."""

    name = "condition"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Condition:
        from fetcher.sinks.verdict import Condition

        if isinstance(value, Condition):
            return value
        try:
            return Condition.parse(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class HttpUrl(Value):
    """An http or https URL."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Url:
        from fetcher.url import Url, parse

        if isinstance(value, Url):
            return value
        try:
            return parse(str(value).strip())
        except InvalidUrl as error:
            self.fail(str(error), param, ctx)


class AcceptedStatuses(Value):
    """Statuses and ranges, separated by commas: 200-299,304,4xx."""

    name = "statuses"

    def typed(self, value: Statuses) -> str:
        return shown_statuses(value)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Statuses:
        if isinstance(value, tuple):
            return value
        try:
            return parse_statuses(str(value))
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)


class Expected(Value):
    """A text, or a regular expression: /REGEX/ or /REGEX/i."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value)
        try:
            pattern = parse_pattern(text)
            if isinstance(pattern, Pattern):
                compiled(pattern)
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)
        return text


class SaveName(Value):
    """A template for the names of saved bodies."""

    name = "template"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from fetcher.sinks.names import Template

        try:
            Template(str(value))
        except ValueError as error:
            self.fail(f"{value!r}: {error}", param, ctx)
        return str(value)


class RetryOn(Value):
    """Statuses and error words, separated by commas. all-methods also retries methods that are not idempotent.

    Converted to a pair: the statuses and words, and whether to retry all methods.
    """

    name = "words"

    def convert(self, value: Any, param: click.Parameter | None,
                ctx: click.Context | None) -> tuple[frozenset[int | str], bool]:
        if isinstance(value, tuple):
            return value
        words: set[int | str] = set()
        for word in value.split(","):
            text = word.strip()
            if text.isascii() and text.isdigit() and 200 <= int(text) <= 599:
                words.add(int(text))
            elif text in RETRIABLE_ERRORS or text == ALL_METHODS:
                words.add(text)
            else:
                self.fail(f"{text!r} is not a status from 200 to 599 or one of "
                          f"{', '.join((*RETRIABLE_ERRORS, ALL_METHODS))}.",
                          param, ctx)
        return frozenset(words - {ALL_METHODS}) or _DEFAULT_RETRIED, ALL_METHODS in words


class Several(Value):
    """Some of several words, separated by commas. Converted to one boolean per word: whether it is there."""

    name = "words"

    def __init__(self, *words: str) -> None:
        self.words = words

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[bool, ...]:
        if isinstance(value, tuple):
            return value
        parts = [part.strip() for part in str(value).split(",") if part.strip()]
        for part in parts:
            if part not in self.words:
                self.fail(f"{part!r} is not one of {', '.join(self.words)}.", param, ctx)
        return tuple(word in parts for word in self.words)
