"""Make the manual page, `man/fetcher.1`, from the command itself: `python -m docs.manual`, or `make man`."""
from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from fetcher import __version__
from fetcher.cli import cli
from fetcher.cli.group import GroupedOption
from fetcher.cli.topics import errors, exits, lists, record

PATH = Path(__file__).parents[1] / "man" / "fetcher.1"
_MAIN = "get"
_ENVIRONMENT = {
    "FETCHER_...": "Each option, by its long name: FETCHER_CONCURRENCY=50. The command line wins.",
    "http_proxy, https_proxy, all_proxy, no_proxy": "Which proxies to use, and for which hosts none. http_proxy counts "
                                                    "only in lower case.",
    "SSL_CERT_FILE, SSL_CERT_DIR": "Whom to trust, in place of the system's certificates.",
    "NETRC": "The file for --netrc, in place of ~/.netrc.",
    "NO_COLOR": "If it is set, nothing is coloured.",
    "XDG_CONFIG_HOME": "Where the directory of the configuration file is, in place of ~/.config.",
}
_FILES = {"~/.config/fetcher/config.toml": "The configuration: options by their long names, and settings for hosts."}


def page() -> str:
    """Return the page in roff, for man(7)."""
    return "\n".join(line for line in _page() if line) + "\n"


def _page() -> Iterator[str]:
    main = _command(_MAIN)
    yield f'.TH FETCHER 1 "" "fetcher {__version__}" "User Commands"'
    yield from (".SH NAME", r"fetcher \- fetch every URL of a list, concurrently")
    yield ".SH SYNOPSIS"
    yield from (r"\fBfetcher\fR [\fIOPTION\fR]... \fISOURCE\fR...", ".br",
                r"\fBfetcher\fR \fICOMMAND\fR [\fIOPTION\fR]...")
    yield ".SH DESCRIPTION"
    yield from _paragraphs(main.help or "")
    yield ".SH OPTIONS"
    yield from _options(main)
    yield ".SH COMMANDS"
    context = click.Context(cli)
    for name in cli.list_commands(context):
        if name != _MAIN:
            command = _command(name)
            usage = " ".join(command.collect_usage_pieces(click.Context(command)))
            yield from (f".SS {_text(f'fetcher {name} {usage}')}", *_paragraphs(command.help or ""),
                        *_options(command, ".TP"))
    yield from (".SH LISTS", ".nf", _text(lists.PAGE.rstrip()), ".fi")
    yield from (".SH RECORDS", _text(record.ABOUT))
    for key, type, text in record.KEYS:
        yield from _entry(f"{key} ({type})", text)
    yield from (".SH ERRORS", _text(errors.ABOUT))
    for word, means, advice in errors.WORDS:
        yield from _entry(word, f"{means} {advice}")
    yield from (".SH EXIT STATUS", _text(exits.ABOUT))
    for status, text in exits.STATUSES:
        yield from _entry(str(status), text)
    for heading, entries in ("ENVIRONMENT", _ENVIRONMENT), ("FILES", _FILES):
        yield f".SH {heading}"
        for name, text in entries.items():
            yield from _entry(name, text)
    yield from (".SH EXAMPLES", ".nf", _text(_examples(main)), ".fi")
    yield from (".SH SEE ALSO", r"\fBcurl\fR(1), \fBwget\fR(1), \fBjq\fR(1)")


def _command(name: str) -> click.Command:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    return command


def _options(command: click.Command, heading: str = ".SS") -> Iterator[str]:
    """Yield the options by their groups. A command that has no groups has no headings."""
    context = click.Context(command, max_content_width=10_000)
    groups: dict[str, list[tuple[str, str]]] = {}
    for option in command.get_params(context):
        shown = option.get_help_record(context)
        if shown is not None:
            group = option.group if isinstance(option, GroupedOption) else "General"
            groups.setdefault(group, []).append(shown)
    groups["General"] = groups.pop("General", [])
    for group, options in groups.items():
        if heading == ".SS":
            yield f".SS {group}"
        for names, text in options:
            yield from _entry(names, text.replace("\N{NO-BREAK SPACE}", " "))


def _entry(name: str, text: str) -> Iterator[str]:
    yield from (".TP", rf"\fB{_text(name)}\fR", _text(text))


def _examples(command: click.Command) -> str:
    (examples,) = re.findall(r"Examples:\n(.*?)\n\n", command.epilog or "", re.S)
    return str(examples)


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        yield from (".PP", _text(" ".join(paragraph.split())))


def _text(text: str) -> str:
    """Escape what roff would understand."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-").replace("'", r"\(aq").replace("`", r"\(ga")
    return re.sub(r"^\.", r"\\&.", escaped, flags=re.M).replace("^", r"\(ha").replace("~", r"\(ti")


if __name__ == "__main__":
    PATH.write_text(page(), encoding="ascii")
