"""The options of the group Connection."""
from __future__ import annotations

from functools import partial
from itertools import chain
from typing import Any

import click

from fetcher.cli.extended import TransportName
from fetcher.cli.hosts import HostRule, Resolved
from fetcher.cli.options.field import FieldOption
from fetcher.cli.values import Choice, Number, Size
from fetcher.options import HTTP_VERSIONS, BodyOptions, GuardOptions, NetworkOptions, RedirectOptions, TlsOptions

_option = partial(FieldOption, group="Connection")
_FILE = click.Path(exists=True, dir_okay=False)


def _flattened(_context: click.Context, _option: click.Parameter, values: Any) -> tuple[str, ...]:
    """Return the rules of all options of a name as one tuple: a file may hold several rules."""
    return tuple(chain.from_iterable(values))


OPTIONS = [
    _option("--follow/--no-follow", to=RedirectOptions.follow, help="Follow redirects."),
    _option("--max-redirects", to=RedirectOptions.max_redirects, type=Number(0), metavar="N",
            help="Follow at most this many in a row."),
    _option("--location-trusted", to=RedirectOptions.trusted, is_flag=True,
            help="Send credentials on to other hosts that redirects lead to: -u, passwords in URLs, and fields such as "
                 "Authorization, Cookie and X-Api-Key."),
    _option("-x", "--proxy", to=NetworkOptions.proxy, metavar="URL",
            help="Use this proxy: http://, https://, socks4://, socks4a://, socks5:// or socks5h://. Empty: use none. "
                 "Default: as http_proxy, https_proxy, all_proxy and no_proxy say."),
    _option("--http", to=NetworkOptions.http, type=Choice(HTTP_VERSIONS), metavar="VERSION",
            help="Speak this version of HTTP: 1.1; 2, over http without asking whether the host speaks it; or auto: 2 "
                 "where a host offers it over https, else 1.1. Version 2 needs the extra http2."),
    _option("http1_1", "--http1.1", to=NetworkOptions.http, is_flag=True, means="1.1", help="The same as --http 1.1."),
    _option("--http2", to=NetworkOptions.http, is_flag=True, means="2", help="The same as --http 2."),
    _option("-k", "--insecure", to=TlsOptions.insecure, is_flag=True, help="Accept any TLS certificate."),
    _option("--cacert", to=TlsOptions.cacert, type=_FILE, metavar="FILE",
            help="Trust only the certificates in this PEM file."),
    _option("--cert", to=TlsOptions.cert, type=_FILE, metavar="FILE", help="Present this client certificate (PEM)."),
    _option("--key", to=TlsOptions.key, type=_FILE, metavar="FILE",
            help="The key of --cert, if that file does not contain it."),
    _option("--tls-min", to=TlsOptions.minimum, type=Choice(["1.0", "1.1", "1.2", "1.3"]), metavar="VERSION",
            help="Refuse TLS below this version: 1.0, 1.1, 1.2 or 1.3."),
    _option("-4", "--ipv4", to=NetworkOptions.family, is_flag=True, means=4, help="Use only IPv4 addresses."),
    _option("-6", "--ipv6", to=NetworkOptions.family, is_flag=True, means=6, help="Use only IPv6 addresses."),
    _option("--resolve", to=NetworkOptions.resolve, type=Resolved(), multiple=True, metavar="HOST:PORT:ADDR",
            help="Use ADDR for this host and port instead of DNS; the host * means every host. Repeatable."),
    _option("--dns-server", to=NetworkOptions.dns_servers, multiple=True, metavar="ADDRESS",
            help="Ask this name server, ADDRESS or ADDRESS:PORT. Repeatable."),
    _option("--block-private", to=GuardOptions.block_private, is_flag=True,
            help="Never connect to an address that is not global: loopback, private, link-local and the like."),
    _option("--deny-host", to=GuardOptions.deny, type=HostRule(), multiple=True, callback=_flattened, metavar="HOST",
            help="Never connect to this host: a name, *.example.com, an address, 10.0.0.0/8, or @FILE with one a "
                 "line. Repeatable."),
    _option("--allow-host", to=GuardOptions.allow, type=HostRule(), multiple=True, callback=_flattened, metavar="HOST",
            help="Connect to this host despite --deny-host and --block-private. Repeatable."),
    _option("--transport", to=NetworkOptions.transport, type=TransportName(), metavar="NAME",
            help="What sends requests: urllib; requests, which is slower and needs the extra of that name; or the "
                 "transport of an installed extension."),
    _option("--max-size", to=BodyOptions.max_size, type=Size(), metavar="SIZE",
            help="Give up when a decoded body is longer than this: 500k, 10M, 1G. Default: 64M with --include body, "
                 "else no limit."),
]
