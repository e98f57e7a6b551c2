"""Values as they are typed: numbers, sizes, durations, header fields, data from files."""
from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Any

import click

_NUMBER = re.compile(r"[0-9]{1,18}")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", re.I)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?", re.I)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
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


class Header(click.ParamType):
    """`Name: value`; `Name:` takes a field out, `Name;` sends it empty."""

    name = "header"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, colon, content = str(value).partition(":")
        if not colon and not name.endswith(";"):
            self.fail(f"{value!r} is not a header; write 'Name: value'.", param, ctx)
        return name.strip(), content.strip()


class Data(click.ParamType):
    """Text, or the content of `@file`."""

    name = "data"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> bytes:
        if isinstance(value, bytes):
            return value
        if not value.startswith("@"):
            return str(value).encode("utf-8")
        try:
            with open(value[1:], "rb") as file:
                return file.read()
        except OSError as error:
            self.fail(f"{value[1:]} cannot be read: {error.strerror}.", param, ctx)


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
