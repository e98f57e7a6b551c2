"""The peers: the command line of each for a job, with the output that is most similar to fetcher's."""
from __future__ import annotations

import functools
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

FETCHER = (sys.executable, "-m", "fetcher")
_JSON = ("--write-out", r"%{json}\n")
CURL_CAP = 300      # if asked for more, curl uses 50


class Unable(Exception):
    """A peer cannot run here. The text says why, in a few words."""


@dataclass(frozen=True, slots=True)
class Job:
    """One list to fetch, and a directory for files."""

    urls: Path
    concurrency: int
    directory: Path
    cacert: Path | None = None
    dns_server: str | None = None


@dataclass(frozen=True, slots=True)
class Peer:
    """A program that fetches a list. `version` raises Unable if it is missing."""

    name: str
    does: str
    version: Callable[[], str]
    command: Callable[[Job], list[str]]
    records: bool = False       # writes a line for each URL to stdout
    dns_server: bool = False    # can be told which DNS server to ask
    localhost: bool = False     # resolves names below localhost to this machine (RFC 6761), even if the system does not


def _version(*program: str) -> str:
    """Return the first version number in the output of `program --version`. Raises Unable."""
    try:
        answer = subprocess.run([*program, "--version"], capture_output=True, text=True)
    except FileNotFoundError:
        raise Unable("is not installed") from None
    number = re.search(r"\d+\.[\w.]+", answer.stdout)
    if answer.returncode != 0 or number is None:
        raise Unable(f"does not run here: `{' '.join(program)} --version` ended with status {answer.returncode}")
    return number[0]


def _packages(*names: str) -> str:
    try:
        return ", ".join(f"{name} {version(name)}" for name in names)
    except PackageNotFoundError as error:
        raise Unable(f"needs {error.name}: pip install '.[bench]'") from None


def fetcher(job: Job) -> list[str]:
    command = [*FETCHER, "-f", "jsonl", "-c", str(job.concurrency), "--per-host", str(job.concurrency)]
    if job.cacert:
        command += ["--cacert", str(job.cacert)]
    if job.dns_server:
        command += ["--dns-server", job.dns_server]
    return [*command, str(job.urls)]


def fetcher_2(job: Job) -> list[str]:
    return [*fetcher(job), "--processes", "2"]


def curl_plain(job: Job) -> list[str]:
    config = job.directory / "curl.conf"
    config.write_text("".join(f'url = "{url}"\noutput = "/dev/null"\n' for url in job.urls.read_text().split()))
    command = ["curl", "-q", "--silent", "--show-error", "--no-progress-meter", "--parallel",
               "--parallel-max", str(min(job.concurrency, CURL_CAP))]
    if job.cacert:
        command += ["--cacert", str(job.cacert)]
    return [*command, "--config", str(config)]


def curl(job: Job) -> list[str]:
    return [*curl_plain(job), *_JSON]


def curl_2(job: Job) -> list[str]:
    """Two processes, each with every other URL."""
    *command, option, config = curl_plain(job)
    lines = Path(config).read_text().splitlines(keepends=True)
    halves = [job.directory / f"curl-{half}.conf" for half in range(2)]
    for half, path in enumerate(halves):
        path.write_text("".join(line for number, line in enumerate(lines) if number // 2 % 2 == half))
    command[command.index("--parallel-max") + 1] = str(min(job.concurrency // 2, CURL_CAP))
    both = 'printf "%s\\n" "$1" "$2" | { shift 2; xargs -P 2 -n 1 "$@"; }'
    return ["sh", "-c", both, "sh", *map(str, halves), *command, *_JSON, option]


def wget2(job: Job) -> list[str]:
    command = ["wget2", "--no-config", "--quiet", "--no-hsts", "--no-hpkp", "--no-ocsp", "--no-tls-session-file",
               f"--max-threads={job.concurrency}", "--output-document=/dev/null", f"--input-file={job.urls}"]
    if job.cacert:
        command += [f"--ca-certificate={job.cacert}"]
    return command


def aria2c(job: Job) -> list[str]:
    numbered = job.directory / "aria2.txt"      # each URL with its own file name
    numbered.write_text("".join(f"{url}\n  out={n}\n" for n, url in enumerate(job.urls.read_text().split())))
    command = ["aria2c", "--no-conf", "--quiet", f"--max-concurrent-downloads={job.concurrency}", "--split=1",
               "--file-allocation=none", "--auto-save-interval=0", f"--dir={job.directory / 'saved'}",
               f"--input-file={numbered}"]
    if job.cacert:
        command += [f"--ca-certificate={job.cacert}"]
    return command


def _script(name: str, job: Job) -> list[str]:
    command = [sys.executable, str(Path(__file__).with_name(name)), str(job.urls), str(job.concurrency)]
    return [*command, str(job.cacert)] if job.cacert else command


PEERS = (
    Peer("fetcher", "a JSON record each", functools.partial(_version, *FETCHER), fetcher, True, True, True),
    Peer("fetcher-2", "--processes 2, a JSON record each", functools.partial(_version, *FETCHER), fetcher_2, True, True,
         True),
    Peer("curl", f"-Z, at most {CURL_CAP} at once, a JSON record each", functools.partial(_version, "curl"), curl, True,
         localhost=True),
    Peer("curl-2", "xargs -P 2 curl -Z, a JSON record each", functools.partial(_version, "curl"), curl_2, True,
         localhost=True),
    Peer("curl-plain", "-Z, nothing written", functools.partial(_version, "curl"), curl_plain, localhost=True),
    Peer("wget2", "threads, nothing written", functools.partial(_version, "wget2"), wget2),
    Peer("aria2c", "each body saved to a file", functools.partial(_version, "aria2c"), aria2c),
    Peer("aiohttp", "with uvloop, a JSON record each", functools.partial(_packages, "aiohttp", "uvloop"),
         functools.partial(_script, "with_aiohttp.py"), True),
    Peer("urlopen", "green urllib in a GreenPool, a JSON record each", functools.partial(_packages, "eventlet"),
         functools.partial(_script, "with_urlopen.py"), True),
)
