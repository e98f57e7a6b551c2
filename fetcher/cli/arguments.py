"""The command line without its secrets: for a summary, and for whoever lists the processes of the machine.

Until it is overwritten, some tenths of a second after the start, everybody on the machine can read it. What must not
be seen even then goes into the environment or into a file.
"""
from __future__ import annotations

import os
import sys
from contextlib import suppress

import click

from fetcher.errors import InvalidUrl
from fetcher.url import parse, recordable

_MASK = "***"


def hide_secrets(ctx: click.Context) -> tuple[str, ...]:
    """The arguments of the command as they may be shown; from now on ps(1) shows them so, too."""
    masks: dict[str, str] = ctx.meta.get("fetcher.masks", {})
    shown = [_masked(argument, masks) for argument in sys.orig_argv]
    if shown != sys.orig_argv:
        with suppress(OSError, ValueError, ImportError):    # not on this system
            _overwrite(sys.orig_argv, shown)
    return tuple(_masked(argument, masks) for argument in sys.argv[1:])


def mask_unless_file(value: str) -> str:
    return value if value.startswith("@") else _MASK


def mask_field(value: str) -> str:
    name, colon, _ = value.partition(":")
    return f"{name}: {_MASK}" if colon and not value.startswith("@") else mask_unless_file(value)


def mask_cookie(value: str) -> str:
    return _MASK if "=" in value else value


def mask_path(value: str) -> str:
    """A URL without what comes after its host: whoever knows that may call it."""
    try:
        url = parse(value)
        return f"{url.scheme}://{url.authority}/{_MASK}"
    except InvalidUrl:
        return _MASK


def _masked(argument: str, masks: dict[str, str]) -> str:
    for secret in sorted(masks, key=len, reverse=True):
        if argument == secret or (argument.startswith("-") and argument.endswith(secret)):
            return argument[:len(argument) - len(secret)] + masks[secret]
    return recordable(argument)


def _overwrite(arguments: list[str], shown: list[str]) -> None:
    """Write `shown` over the process's own `arguments`, each in its place. Raises OSError where they are elsewhere."""
    import ctypes

    before = [os.fsencode(argument) for argument in arguments]
    after = [os.fsencode(text)[:len(place)].ljust(len(place)) for text, place in zip(shown, before)]
    with open("/proc/self/stat", encoding="ascii", errors="replace") as file:
        start, end = map(int, file.read().rpartition(")")[2].split()[45:47])    # arg_start, arg_end: proc(5)
    if end - start != sum(map(len, before)) + len(before) or (
            ctypes.string_at(start, end - start).split(b"\0")[:-1] != before):
        raise OSError("the arguments are not there")
    content = b"".join(argument + b"\0" for argument in after)
    ctypes.memmove(start, content, len(content))
