"""The files and directories that the options of a run name."""
from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

from fetcher.options import Options


def named_files(options: Options) -> Iterator[tuple[str, str]]:
    """Yield the files that a run reads on the machine of a worker, as pairs of option name and path."""
    for name in "cacert", "cert", "key":
        if (path := getattr(options.tls, name)) is not None:
            yield name, path
    request = options.request
    if request.cookie is not None and "=" not in request.cookie:
        yield "cookie", request.cookie
    if request.netrc:
        yield "netrc", os.environ.get("NETRC") or os.path.expanduser("~/.netrc")


def with_absolute_paths(options: Options) -> Options:
    """Return the options with every path made absolute: a worker may start in another directory."""
    paths = {name: os.path.abspath(path) for name, path in named_files(options)}
    tls = replace(options.tls, cacert=paths.get("cacert"), cert=paths.get("cert"), key=paths.get("key"))
    request, body = options.request, options.body
    if "cookie" in paths:
        request = replace(request, cookie=paths["cookie"])
    if body.save is not None:
        body = replace(body, save=replace(body.save, directory=os.path.abspath(body.save.directory)))
    return replace(options, tls=tls, request=request, body=body)
