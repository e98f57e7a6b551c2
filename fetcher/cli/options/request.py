"""The options of the group Request."""
from __future__ import annotations

from functools import partial
from itertools import chain
from typing import Any

import click

from fetcher.cli import arguments
from fetcher.cli.options.field import FieldOption
from fetcher.cli.side_files import Data, Header, User
from fetcher.cli.values import AcceptedStatuses, ByteRange, Expected, Method, Size
from fetcher.options import AnswerOptions, RequestOptions

_option = partial(FieldOption, group="Request")


def _flattened(_context: click.Context, _option: click.Parameter, values: Any) -> tuple[Any, ...]:
    """Return the header fields of all -H as one tuple: a file may hold several fields."""
    return tuple(chain.from_iterable(values))


OPTIONS = [
    _option("-X", "--method", to=RequestOptions.method, type=Method(), metavar="METHOD",
            help="The request method. Default: GET, or POST with --data."),
    _option("-H", "--header", to=RequestOptions.headers, type=Header(), multiple=True, callback=_flattened,
            metavar="'NAME: VALUE'", mask=arguments.mask_field,
            help="Send this header field, in place of the default one. 'Name:' removes it. @FILE reads fields from "
                 "FILE, one a line. Repeatable."),
    _option("-d", "--data", to=RequestOptions.data, type=Data(), metavar="DATA", mask=arguments.mask_unless_file,
            help="Send this as the request body. @FILE sends the content of FILE."),
    _option("-A", "--user-agent", to=RequestOptions.user_agent, metavar="NAME",
            help="The User-Agent field. Empty: send none."),
    _option("-u", "--user", to=RequestOptions.user, type=User(), metavar="NAME:PASSWORD",
            mask=arguments.mask_unless_file,
            help="Credentials for the hosts of the list, not for those that they redirect to. Safer in FETCHER_USER "
                 "or as @FILE, where no process list shows them."),
    _option("--netrc", to=RequestOptions.netrc, is_flag=True,
            help="Read names and passwords from $NETRC or ~/.netrc."),
    _option("-b", "--cookie", to=RequestOptions.cookie, metavar="DATA|FILE", mask=arguments.mask_cookie,
            help="Send these cookies, 'NAME=VALUE; ...', or those in FILE (Netscape's format)."),
    _option("--cookie-jar", to=RequestOptions.cookie_jar, metavar="FILE", local=True,
            help="Keep cookies during the run, and write them to FILE at the end."),
    _option("-r", "--range", to=RequestOptions.range, type=ByteRange(), metavar="RANGE",
            help="Request only these bytes: 0-499, 500-, -500."),
    _option("--no-compressed", to=RequestOptions.compressed, is_flag=True, means=False,
            help="Do not ask for compressed answers (gzip, deflate, br, zstd)."),
    _option("--accept", to=AnswerOptions.accept, type=AcceptedStatuses(), metavar="STATUSES",
            help="Treat only answers with these statuses as ok: 200-299,304,4xx. Default: below 400."),
    _option("--expect", to=AnswerOptions.expect, type=Expected(), multiple=True, metavar="TEXT|/REGEX/",
            help="Treat an answer as ok only if its decoded body contains this text or matches this regular "
                 "expression (RE2); /REGEX/i ignores case. Repeatable: all of them. Other answers are `unexpected`."),
    _option("--expect-not", to=AnswerOptions.expect_not, type=Expected(), multiple=True, metavar="TEXT|/REGEX/",
            help="Treat an answer as ok only if its body does not contain this. Repeatable: none of them."),
    _option("--expect-bytes", to=AnswerOptions.expect_bytes, type=Size(1), metavar="SIZE",
            help="Search only this much of the beginning of a body for regular expressions: 64k, 1M. Texts are "
                 "searched for in all of it."),
]
