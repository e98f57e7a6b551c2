"""The keywords of a fetch: the names of the command's options, each with the field of `Options` that it fills."""
from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

from fetcher.library import values
from fetcher.options import HTTP_VERSIONS, HostOptions, Options, SaveOptions

if TYPE_CHECKING:
    Texts = str | Iterable[str]
    Path = str | os.PathLike[str]


class Keywords(TypedDict, total=False):
    """Times are in seconds, sizes in bytes, rates in starts per second. None stands for the default."""

    # The request
    method: str | None
    headers: Mapping[str, str] | Iterable[tuple[str, str]]
    data: bytes | str | None
    user_agent: str | None
    user: str | None            # "name:password"
    netrc: bool
    cookie: str | None          # "name=value; ...", or a file
    cookie_jar: Path | None
    range: str | None           # "0-499"
    compressed: bool
    # What a good answer is
    accept: str | int | Iterable[int] | None    # "200-299,404"; None: below 400
    expect: Texts
    expect_not: Texts
    expect_bytes: int
    # How many at once, and how often
    concurrency: int
    per_host: int
    rate: float | None
    per_host_rate: float | None
    breaker: int
    adaptive: bool
    robots: bool
    # How long
    connect_timeout: float
    read_timeout: float
    timeout: float
    min_speed: int | None
    deadline: float | None
    # What to try again
    retries: int
    retry_wait: float
    retry_max_wait: float
    retry_on: str | Iterable[str | int]         # "429,503,timeout"; "all-methods": also POST and the like
    # The connection
    follow: bool
    max_redirects: int
    location_trusted: bool
    http: str                   # "1.1", "2" or "auto"
    proxy: str | None           # "": none
    insecure: bool
    cacert: Path | None
    cert: Path | None
    key: Path | None
    tls_min: str
    ipv4: bool
    ipv6: bool
    resolve: Texts              # "HOST:PORT:ADDRESS"
    dns_server: Texts
    block_private: bool
    deny_host: Texts
    allow_host: Texts
    transport: str
    max_size: int | None
    hosts: Iterable[HostOptions]
    # What is kept of an answer
    keep_body: bool
    keep_headers: bool
    keep_timings: bool
    keep_tls: bool
    hash: bool
    save_dir: Path | None
    save_name: str
    save_all: bool
    ordered: bool
    state: Path | None


class Keyword(NamedTuple):
    """The field of a concern that a keyword fills, and what reads its value: raises TypeError and ValueError."""

    concern: str                # a field of Options; "": Options itself; "save": SaveOptions
    field: str
    read: Callable[[str, Any], Any]


def _of(concern: str, **fields: tuple[str, Callable[[str, Any], Any]]) -> dict[str, Keyword]:
    return {name: Keyword(concern, field, read) for name, (field, read) in fields.items()}


KEYWORDS: dict[str, Keyword] = {
    **_of("request",
          method=("method", values.optional(values.text)), headers=("headers", values.fields),
          data=("data", values.data), user_agent=("user_agent", values.optional(values.text)),
          user=("user", values.optional(values.secret)), netrc=("netrc", values.flag),
          cookie=("cookie", values.optional(values.secret)), cookie_jar=("cookie_jar", values.optional(values.path)),
          range=("range", values.optional(values.byte_range)), compressed=("compressed", values.flag)),
    **_of("answer",
          accept=("accept", values.statuses), expect=("expect", values.texts), expect_not=("expect_not", values.texts),
          expect_bytes=("expect_bytes", values.whole(1))),
    **_of("limits",
          concurrency=("concurrency", values.whole(1)), per_host=("per_host", values.whole(1)),
          rate=("rate", values.optional(values.positive("starts a second"))),
          per_host_rate=("per_host_rate", values.optional(values.positive("starts a second"))),
          breaker=("breaker", values.whole(0)), adaptive=("adaptive", values.flag)),
    **_of("run",
          robots=("robots", values.flag), deadline=("deadline", values.optional(values.positive("seconds"))),
          ordered=("ordered", values.flag)),
    **_of("timeouts",
          connect_timeout=("connect", values.positive("seconds")), read_timeout=("read", values.positive("seconds")),
          timeout=("total", values.positive("seconds")),
          min_speed=("min_speed", values.optional(values.whole(1)))),
    **_of("retry",
          retries=("retries", values.whole(0)), retry_wait=("wait", values.positive("seconds")),
          retry_max_wait=("max_wait", values.positive("seconds")), retry_on=("on", values.retried)),
    **_of("redirects",
          follow=("follow", values.flag), max_redirects=("max_redirects", values.whole(0)),
          location_trusted=("trusted", values.flag)),
    **_of("network",
          proxy=("proxy", values.optional(values.secret)), ipv4=("family", values.flag_for(4)),
          ipv6=("family", values.flag_for(6)), resolve=("resolve", values.resolved),
          dns_server=("dns_servers", values.texts), transport=("transport", values.text),
          http=("http", values.one_of(*HTTP_VERSIONS))),
    **_of("tls",
          insecure=("insecure", values.flag), cacert=("cacert", values.optional(values.path)),
          cert=("cert", values.optional(values.path)), key=("key", values.optional(values.path)),
          tls_min=("minimum", values.one_of("1.0", "1.1", "1.2", "1.3"))),
    **_of("guard",
          block_private=("block_private", values.flag), deny_host=("deny", values.texts),
          allow_host=("allow", values.texts)),
    **_of("body",
          max_size=("max_size", values.optional(values.whole(0))), keep_body=("keep", values.flag),
          keep_headers=("headers", values.flag), keep_timings=("timings", values.flag), keep_tls=("tls", values.flag),
          hash=("hash", values.flag)),
    **_of("save",
          save_dir=("directory", values.optional(values.path)), save_name=("name", values.text),
          save_all=("all", values.flag)),
    **_of("", hosts=("hosts", values.host_options), state=("state", values.optional(values.path))),
}


def options_of(options: Options, keywords: Mapping[str, Any]) -> Options:
    """Return `options` with the values of `keywords` in place of its own.

    Raises TypeError for a keyword that there is not and for a value of a wrong type, and ValueError for a wrong value.
    The message says what is right.
    """
    if not isinstance(options, Options):
        raise TypeError(f"options must be fetcher.Options, not {options!r}")
    changes: dict[str, dict[str, Any]] = {}
    for name, value in keywords.items():
        if name not in KEYWORDS:
            raise TypeError(f"There is no keyword {name!r}{_suggestion(name)}")
        keyword = KEYWORDS[name]
        read = keyword.read(name, value)
        if read is not values.UNSET:
            fields = changes.setdefault(keyword.concern, {})
            if fields.get(keyword.field, read) != read:
                raise ValueError(f"{name}={value!r} contradicts another keyword: give one of them")
            fields[keyword.field] = read
    retry = changes.get("retry", {})
    if "on" in retry:
        retry["on"], retry["all_methods"] = retry["on"]
    save = changes.pop("save", {})
    own = changes.pop("", {})
    own.update({concern: replace(getattr(options, concern), **fields) for concern, fields in changes.items()})
    changed = replace(options, **own)
    return replace(changed, body=replace(changed.body, save=_save(changed.body.save, save))) if save else changed


def _save(before: SaveOptions | None, fields: dict[str, Any]) -> SaveOptions | None:
    if before is not None:
        return replace(before, **fields) if fields.get("directory", "") is not None else None
    if fields.get("directory") is None:
        if fields.keys() - {"directory"}:
            raise ValueError("save_name and save_all need a save_dir")
        return None
    return SaveOptions(**fields)


def _suggestion(name: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, KEYWORDS, 1)
    return f"; did you mean {close[0]!r}?" if close else f": there are {', '.join(KEYWORDS)}"
