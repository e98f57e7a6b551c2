"""Hide secrets of the command line in the summary, and from anyone who lists the processes of the machine.

The command line is overwritten some tenths of a second after the start. Until then, everyone on the machine can read
it. Secrets that must not be seen even then belong in the environment or in a file.
"""
from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress

import click

from fetcher.cli.group import GroupedOption
from fetcher.errors import InvalidUrl

_MASK = "***"


def hide_secrets(ctx: click.Context) -> tuple[str, ...]:
    """Return the arguments of the command without secrets. From now on, ps(1) shows them in this form, too."""
    masks: dict[str, str] = ctx.meta.get("fetcher.masks", {})
    for option in ctx.command.params:
        if isinstance(option, GroupedOption) and option.mask is not None:
            masks.update({text: option.mask(text) for text in _values(option, sys.argv[1:])})
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
    """Return a URL with everything after its host masked: it may hold the secret that allows calling it."""
    from fetcher.url import parse

    try:
        url = parse(value)
        return f"{url.scheme}://{url.authority}/{_MASK}"
    except InvalidUrl:
        return _MASK


def _values(option: click.Option, arguments: list[str]) -> Iterator[str]:
    """Yield all values that `arguments` give to `option`. Click only knows the last of several."""
    for argument, following in zip(arguments, [*arguments[1:], ""]):
        for name in option.opts:
            if argument == name:
                value = following
            elif name.startswith("--"):
                value = argument.removeprefix(f"{name}=") if argument.startswith(f"{name}=") else ""
            else:
                value = argument[2:] if argument.startswith(name) else ""
            if value:
                yield value


def _masked(argument: str, masks: dict[str, str]) -> str:
    from fetcher.url import recordable

    for secret in sorted(masks, key=len, reverse=True):
        if argument == secret or (argument.startswith("-") and argument.endswith(secret)):
            return argument[:len(argument) - len(secret)] + masks[secret]
    return recordable(argument)


def _overwrite(arguments: list[str], shown: list[str]) -> None:
    """Write `shown` over the `arguments` of this process in memory. Raises OSError if they are not found there."""
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
