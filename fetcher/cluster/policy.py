"""What the operator of a worker allows: where it writes, which files runs may name, whose orders it follows.

Anyone who can write to the broker can send any order. So an order is checked before it is followed, and before its
place is even read.
"""
from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any

from fetcher.cluster.orders import Order
from fetcher.cluster.paths import named_files
from fetcher.cluster.place import PRIVATE, RUN, Place
from fetcher.cluster.registry import is_url, local_path, place_at
from fetcher.cluster.run import ClusterRun
from fetcher.errors import InputError
from fetcher.options import Options, SaveOptions
from fetcher.regex import regex

_SEGMENT = regex(r"[^/\\:?#%\x00-\x20\x7f]+")      # of the path of a URL: nothing that a store interprets
_NOT_FROM_SUBMIT = ("state", "run.ordered", "request.cookie_jar", "body.exchanges")
_NOT_FROM_SUBMIT_OF_BODIES = ("sync", "first", "step")
_MAX_CONCURRENCY = 50_000


class Refused(Exception):
    """An order is not allowed, or not possible on this machine. The text says why in a sentence."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What is allowed. Without `places`, any order is that is signed with `key`, the key of the user's own broker."""

    key: bytes | None = field(default=None, repr=False)     # only orders signed with it are followed
    places: tuple[str, ...] = ()        # directories and URLs of object stores that may hold runs
    files: tuple[str, ...] = ()         # files that a run may name, and directories of such files
    block_private: bool = False         # no run may connect to an address that is not global

    def find(self, order: Order) -> tuple[Place, ClusterRun, bytes]:
        """Return the place of an order, its run, and the content of the file of that run.

        Raises Refused, NotUnderstood, and InputError if the place cannot be read now.
        """
        root = self._root(order.out)
        place = place_at(order.out)
        content = place.read(RUN)
        if content is None:
            if place_at(root).is_there():
                raise Refused(f"There is no run in {place.where}.")
            raise InputError(f"{root} is empty or missing; it may not be mounted.")
        if self.key is not None and not order.is_signed(self.key, content):
            raise Refused(f"The order for {order} is not signed with this worker's key, or its run has changed since.")
        run = ClusterRun.decode(content, place.where)
        if run.name != order.run:
            raise Refused(f"The run in {place.where} is not {order.run!r} but {run.name!r}.")
        self._check_options(run, place)
        if self.block_private:
            self._check_network(run.options, place)
            guard = replace(run.options.guard, block_private=True)
            run = replace(run, options=replace(run.options, guard=guard))
        return place, run, content

    def _root(self, out: str) -> str:
        """Return the allowed place that `out` is, or is under. Raises Refused if there is none."""
        if not self.places and self.key is not None:
            return out
        for root in self.places:
            if _is_under(out, root):
                return root
        raise Refused(f"{out!r} is not under a place of this worker; start it with --out {_quoted(out)} if it may be.")

    def _check_options(self, run: ClusterRun, place: Place) -> None:
        """Raises Refused if a run sets what `fetcher submit` cannot set, or names a path that is not allowed."""
        options = run.options
        wanted = [*_differing(options, Options(), _NOT_FROM_SUBMIT),
                  *_differing(options.body.save, SaveOptions(""), _NOT_FROM_SUBMIT_OF_BODIES)]
        if wanted:
            raise Refused(f"The run in {place.where} sets {', '.join(wanted)}, which fetcher submit cannot.")
        of_hosts = (host.per_host or 0 for host in options.hosts)
        if max(options.limits.concurrency, options.limits.per_host, *of_hosts, 0) > _MAX_CONCURRENCY:
            raise Refused(f"The run in {place.where} wants more than {_MAX_CONCURRENCY:,} requests at once.")
        if not self.places:
            return
        for name, path in named_files(options):
            if not any(_is_under(path, root) for root in self.files):
                raise Refused(f"The run in {place.where} reads {path!r} for --{name}; "
                              f"start the worker with --allow-file {_quoted(path)} if it may.")
        if options.body.save is not None:
            self._check_directory(options.body.save.directory, place)

    def _check_network(self, options: Options, place: Place) -> None:
        """Raises Refused if a run could connect to hosts that the guard does not see, or lets pass."""
        proxies = options.network.proxy or any(host.proxy for host in options.hosts)
        for name, wanted in (("allow-host", options.guard.allow), ("proxy", proxies),
                             ("dns-server", options.network.dns_servers)):
            if wanted:
                raise Refused(f"The run in {place.where} has a --{name}, which a worker with --block-private does not "
                              "follow.")

    def _check_directory(self, path: str, place: Place) -> None:
        """Raises Refused if bodies in this directory would be outside the places of this worker, or among runs."""
        if not any(_is_under(path, root) for root in (place.where, *self.places)):
            raise Refused(f"The run in {place.where} saves bodies in {path!r}, which is not under a place of this "
                          f"worker; start it with --out {_quoted(path)} too if it may.")
        if _is_under(place.where, path) or PRIVATE in os.path.realpath(path).split(os.sep):
            raise Refused(f"The run in {place.where} saves bodies in {path!r}, where runs are; "
                          "name a directory of its own for them.")


def _differing(options: Any, default: Any, names: Iterable[str]) -> list[str]:
    if options is None:
        return []
    return [name for name in names if attrgetter(name)(options) != attrgetter(name)(default)]


def _is_under(path: str, root: str) -> bool:
    """Return whether a path or URL equals `root` or is under it. Symbolic links are followed."""
    if is_url(root) or is_url(path):
        rest = path.rstrip("/").removeprefix(root.rstrip("/"))
        is_same_store = is_url(root) and path.startswith(root.rstrip("/"))
        return is_same_store and (not rest or rest.startswith("/") and all(map(_is_segment, rest[1:].split("/"))))
    real, real_root = os.path.realpath(local_path(path)), os.path.realpath(local_path(root))
    return os.path.commonpath([real, real_root]) == real_root


def _is_segment(text: str) -> bool:
    return text not in (".", "..") and _SEGMENT.fullmatch(text) is not None


def _quoted(path: str) -> str:
    return repr(path) if path.isprintable() else "it"
