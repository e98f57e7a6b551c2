"""What to fetch: one row for each load that is worth comparing."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

KB = 1024
MB = 1024 * KB
HOSTS = 8               # an even number for each of two processes
NAMES = "bench.test"    # the local dnsmasq answers 127.0.0.1 for every name below it


@dataclass(frozen=True, slots=True)
class Scenario:
    """A list, and how many of its lines to fetch at once."""

    name: str
    measures: str
    url: str                    # {n} counts up, {host} repeats, and the other fields are nginx's ports
    count: int
    concurrency: int
    size: int = KB
    against: str | None = None  # the scenario that differs only in what is measured

    @property
    def tls(self) -> bool:
        return self.url.startswith("https:")

    @property
    def dns(self) -> bool:
        return NAMES in self.url

    @property
    def localhost(self) -> bool:
        return ".localhost:" in self.url

    def scaled(self, factor: float) -> Scenario:
        return replace(self, count=max(1, round(self.count * factor)))

    @property
    def at_once(self) -> int:
        return min(self.concurrency, self.count)

    def urls(self, ports: Mapping[str, int]) -> Iterator[str]:
        return (self.url.format(n=n, host=n % HOSTS, **ports) for n in range(self.count))


SCENARIOS = (
    Scenario("small", "1 KB bodies, connections kept", "http://127.0.0.1:{http}/1k/{n}", 20_000, 100),
    Scenario("hosts", f"1 KB bodies of {HOSTS} hosts, connections kept", "http://h{host}.localhost:{http}/1k/{n}",
             200_000, 100),
    Scenario("latency", "answers that take 100 ms", "http://127.0.0.1:{http}/delay/{n}", 10_000, 1_000),
    Scenario("large", "10 MB bodies", "http://127.0.0.1:{http}/10m/{n}", 200, 8, size=10 * MB),
    Scenario("tls", "1 KB bodies over TLS, connections kept", "https://127.0.0.1:{https}/1k/{n}", 10_000, 100),
    Scenario("tls-new", "a TLS connection for each 1 KB body", "https://127.0.0.1:{https_close}/1k/{n}", 3_000, 100),
    Scenario("tls-new-hosts", f"a TLS connection for each 1 KB body of {HOSTS} hosts",
             "https://h{host}.localhost:{https_close}/1k/{n}", 12_000, 100),
    Scenario("one-name", "a connection each, one name", f"http://n.{NAMES}:{{http_close}}/1k/{{n}}", 10_000, 100),
    Scenario("dns", "a connection and a name to look up each", f"http://n{{n}}.{NAMES}:{{http_close}}/1k/{{n}}",
             10_000, 100, against="one-name"),
)


def chosen(names: list[str]) -> list[Scenario]:
    """Return the scenarios with these `names`, and those that they are compared with."""
    wanted = {*names, *(scenario.against for scenario in SCENARIOS if scenario.name in names)}
    return [scenario for scenario in SCENARIOS if scenario.name in wanted]
