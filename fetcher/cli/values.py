"""Values as they are typed: numbers, sizes, durations, header fields, data from files."""
from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import click

from fetcher.errors import InvalidUrl
from fetcher.url import Url, parse

_NUMBER = re.compile(r"[0-9]{1,18}")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", re.I)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?", re.I)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_RATE = re.compile(r"(\d+(?:\.\d+)?)\s*/\s*(\d+(?:\.\d+)?)?\s*(ms|s|m|h|d)", re.I)
_RETRIED = ("dns", "connect", "tls", "proxy", "timeout", "protocol", "incomplete", "decode", "too_slow")
ALL_METHODS = "all-methods"
_THRESHOLD = re.compile(r">\s*(\d+(?:\.\d+)?)\s*(\\?%)?")      # \%: some crons leave the backslash in
_RANGE = re.compile(r"\d+-\d*|-\d+")


class Number(click.ParamType):
    """A whole number, not below `least` nor above `most`."""

    name = "number"

    def __init__(self, least: int, most: int | None = None) -> None:
        self._least = least
        self._most = most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        number = int(value) if _NUMBER.fullmatch(str(value)) else -1
        if number < self._least or self._most is not None and number > self._most:
            top = "up" if self._most is None else f"to {self._most:,}"
            self.fail(f"{value!r} is not a whole number from {self._least} {top}.", param, ctx)
        return number


class Size(click.ParamType):
    """Bytes, with curl's suffixes: 500k, 10M, 1G (powers of 1024)."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        match = _SIZE.fullmatch(str(value).strip())
        if match is None:
            self.fail(f"{value!r} is not a size; write bytes, or 500k, 10M, 1G.", param, ctx)
        return int(float(match[1]) * 1024 ** " kmgt".index(match[2].lower() or " "))


class Duration(click.ParamType):
    """Seconds above zero, or with a unit: 500ms, 10s, 2m, 1h."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        match = _DURATION.fullmatch(str(value).strip())
        seconds = float(match[1]) * _SECONDS[(match[2] or "s").lower()] if match else 0.0
        if seconds <= 0:
            self.fail(f"{value!r} is not a duration; write seconds above 0, or 500ms, 10s, 2m, 1h.", param, ctx)
        return seconds


class FileOrText(click.ParamType):
    """What is given as it is, or as `@FILE`."""

    def content(self, path: str, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        """What the file holds."""
        try:
            with open(path, "rb") as file:
                return file.read()
        except OSError as error:
            self.fail(f"{path} cannot be read: {error.strerror}.", param, ctx)


class Header(FileOrText):
    """`Name: value`; `Name:` takes a field out, `Name;` sends it empty. `@FILE` holds such lines."""

    name = "header"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, tuple):
            return value
        if not value.startswith("@"):
            return (self._field(value, param, ctx),)
        lines = self.content(value[1:], param, ctx).decode("utf-8", "surrogateescape").splitlines()
        return tuple(self._field(line, param, ctx) for line in lines if line.strip())

    def _field(self, text: str, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        name, colon, content = text.partition(":")
        if not colon and not name.endswith(";"):    # and perhaps it is the value alone, a secret
            self.fail("There is no colon in it; write 'Name: value'.", param, ctx)
        return name.strip(), content.strip()


class User(FileOrText):
    """NAME:PASSWORD, or the first line of `@FILE`."""

    name = "user"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not value.startswith("@"):
            return str(value)
        lines = self.content(value[1:], param, ctx).decode("utf-8", "replace").splitlines()
        return lines[0] if lines else self.fail(f"{value[1:]} is empty.", param, ctx)


class Data(FileOrText):
    """Text, or the content of `@FILE`."""

    name = "data"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        if isinstance(value, bytes):
            return value
        return self.content(value[1:], param, ctx) if value.startswith("@") else str(value).encode("utf-8")


class Method(click.ParamType):
    """An HTTP method, a token (RFC 9110 §9.1), sent as it is typed."""

    name = "method"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not re.fullmatch(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", str(value)) or str(value).upper() == "CONNECT":
            self.fail(f"{value!r} is not a method that can be sent; write GET, HEAD, POST or the like.", param, ctx)
        return str(value)


class ByteRange(click.ParamType):
    """A range of bytes: 0-499, 500-, -500, or several with commas."""

    name = "range"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not all(_RANGE.fullmatch(part) for part in str(value).split(",")):
            self.fail(f"{value!r} is not a range of bytes; write 0-499, 500- or -500.", param, ctx)
        return str(value)


class Resolved(click.ParamType):
    """curl's HOST:PORT:ADDRESS[,ADDRESS]: where a host is found, without asking a name server."""

    name = "host:port:address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, tuple):
            return value
        host, _, rest = str(value).partition(":")
        port, _, addresses = rest.partition(":")
        try:
            found = tuple(str(ip_address(address.strip("[]"))) for address in addresses.split(","))
            return (host.lower(), int(port), found)
        except ValueError:
            self.fail(f"{value!r} is not HOST:PORT:ADDRESS, as in example.com:443:127.0.0.1.", param, ctx)


MOST_PROCESSES = 256


class Rate(click.ParamType):
    """So many a time, with its unit: 50/s, 30/m, 1/10s. Converted to starts a second."""

    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        match = _RATE.fullmatch(str(value).strip())
        seconds = float(match[2] or 1) * _SECONDS[match[3].lower()] if match else 0.0
        if match is None or not seconds or not float(match[1]):
            self.fail(f"{value!r} is not a rate; write 50/s, 30/m or 1/10s.", param, ctx)
        return float(match[1]) / seconds


class Processes(click.ParamType):
    """A number of processes, or auto, which is None."""

    name = "processes"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | None:
        text = str(value).strip()
        if text.lower() == "auto":
            return None
        if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_PROCESSES):
            self.fail(f"{value!r} is no number of processes; write 1 to {MOST_PROCESSES}, or auto.", param, ctx)
        return int(text)


class Shard(click.ParamType):
    """I/N: the part I, from 1, of N."""

    name = "shard"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        part, _, parts = str(value).partition("/")
        if not (part.isascii() and part.isdigit() and parts.isascii() and parts.isdigit()
                and 1 <= int(part) <= int(parts)):
            self.fail(f"{value!r} is not a shard; write I/N, as in 1/4.", param, ctx)
        return int(part), int(parts)


@dataclass(frozen=True, slots=True)
class Threshold:
    """How many failures are too many: more than `most`, or than `most` of a hundred."""

    most: float = 0.0
    in_percent: bool = False

    def is_broken(self, failed: int, done: int) -> bool:
        return failed * 100 > self.most * done if self.in_percent else failed > self.most


class FailIf(click.ParamType):
    """A threshold: >20, >5%."""

    name = "threshold"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Threshold:
        if isinstance(value, Threshold):
            return value
        match = _THRESHOLD.fullmatch(str(value).strip())
        if match is None:
            self.fail(f"{value!r} is not a threshold; write '>20' or '>5%'.", param, ctx)
        return Threshold(float(match[1]), match[2] is not None)


class HttpUrl(click.ParamType):
    """A URL of http or https."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Url:
        if isinstance(value, Url):
            return value
        try:
            return parse(str(value).strip())
        except InvalidUrl as error:
            self.fail(str(error), param, ctx)


class SaveName(click.ParamType):
    """A template for the names of saved bodies."""

    name = "template"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from fetcher.sinks.names import Template

        try:
            Template(str(value))
        except ValueError as error:
            self.fail(f"{value!r}: {error}", param, ctx)
        return str(value)


class RetryOn(click.ParamType):
    """Statuses and error words, with commas between them; all-methods for those that are not idempotent, too."""

    name = "words"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> frozenset[int | str]:
        if isinstance(value, frozenset):
            return value
        words: set[int | str] = set()
        for word in value.split(",") if isinstance(value, str) else value:
            text = str(word).strip()
            if text.isascii() and text.isdigit() and 400 <= int(text) <= 599:
                words.add(int(text))
            elif text in _RETRIED or text == ALL_METHODS:
                words.add(text)
            else:
                self.fail(f"{text!r} is no status of 400 to 599, nor one of {', '.join((*_RETRIED, ALL_METHODS))}.",
                          param, ctx)
        return frozenset(words)


class Several(click.ParamType):
    """Some of a set of words, with commas between them."""

    name = "words"

    def __init__(self, *words: str) -> None:
        self.words = words

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        if isinstance(value, tuple):
            return value
        parts = [part.strip() for part in str(value).split(",") if part.strip()]
        for part in parts:
            if part not in self.words:
                self.fail(f"{part!r} is not one of {', '.join(self.words)}.", param, ctx)
        return tuple(parts)
