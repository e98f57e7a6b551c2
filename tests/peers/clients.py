"""Run fetcher and curl on the same list, as users do, and compare their results."""
from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.peers.process import program

FETCHER = [sys.executable, "-m", "fetcher"]
# The environment of the tests, without anything that changes what a client does. Like curl, fetcher tries each line
# once.
_ASTRAY = re.compile(r"FETCHER_|XDG_|NETRC|SSL_CERT_|\w+_proxy$", re.IGNORECASE)
ENVIRONMENT = {**{name: value for name, value in os.environ.items() if not _ASTRAY.match(name)}, "HOME": "/nonexistent",
               "FETCHER_RETRIES": "0", "FETCHER_BREAKER": "0"}
# fetcher's word for each exit status of curl.
_WORDS = {1: "invalid_url", 3: "invalid_url", 5: "proxy", 6: "dns", 7: "connect", 18: "incomplete",
          28: "timeout", 35: "tls", 47: "too_many_redirects", 52: "incomplete", 56: "incomplete", 60: "tls",
          61: "decode", 63: "too_large", 92: "incomplete", 97: "proxy"}


def fetcher(urls: Sequence[str], *options: object) -> list[dict[str, Any]]:
    """Return fetcher's records of `urls`, in their order."""
    done = _run([*FETCHER, "-", "-q", "-f", "jsonl", "--hash", *options], "\n".join(urls))
    assert done.returncode in (0, 1), done.stderr
    return sorted(map(json.loads, done.stdout.splitlines()), key=lambda record: record["line"])


def curl(urls: Sequence[str], *options: object) -> list[dict[str, Any]]:
    """Return curl's results for `urls`, in their order and in fetcher's words. A failure has only its error."""
    with tempfile.TemporaryDirectory() as directory:
        files = [Path(directory, str(number)) for number in range(len(urls))]
        command = [program("curl"), "-sgL", "--max-redirs", 10, "--http1.1", "--proto-redir", "=http,https",
                   "-w", "%{json}\\n", *options]
        for file, url in zip(files, urls):
            command += ["-o", file, quote(url, safe="!#$%&'()*+,-./:;=?@[]_~")]
        told = map(json.loads, _run(command).stdout.splitlines())
        return [_in_our_words(answer, file) for answer, file in zip(told, files, strict=True)]


def differences(urls: Sequence[str], *options: object, curl_only: Sequence[object] = (),
                but_for: Sequence[str] = ()) -> list[str]:
    """Run both with the same options. Return one line for each difference, except in the keys `but_for`.

    Three differences are ignored. curl drops the fragment of a URL at a redirect, against RFC 9110 §10.2.2. If the
    final answer has no Content-Type, curl reports that of the redirect. And it counts a Digest challenge as a redirect.
    """
    if "--digest" in curl_only:
        but_for = (*but_for, "redirects", "content_type")
    ours = fetcher(urls, *options)
    theirs = curl(urls, *_as_curl_spells(options), *curl_only)
    return [f"{mine['url']}: {key} is {mine[key]!r}, with curl {other[key]!r}; {mine['error_message']}"
            for mine, other in zip(ours, theirs, strict=True)
            for key in other if key not in but_for and not _agree(key, mine, other)]


def _agree(key: str, mine: dict[str, Any], other: dict[str, Any]) -> bool:
    if mine["redirects"] and key == "final_url":
        return bool(mine[key].partition("#")[0] == other[key].partition("#")[0])
    if mine["redirects"] and key == "content_type" and mine[key] is None:
        return True
    return bool(mine[key] == other[key])


def _run(command: Sequence[object], input: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in command], input=input, capture_output=True, text=True,
                          env=ENVIRONMENT, timeout=100)


def _as_curl_spells(options: Sequence[object]) -> list[object]:
    spelled = [{"--no-follow": "--no-location"}.get(str(option), option) for option in options]
    if "--no-compressed" in spelled:
        spelled.remove("--no-compressed")
    elif "-r" not in spelled:
        spelled.append("--compressed")
    if "--http" in spelled:
        place = spelled.index("--http")
        spelled[place:place + 2] = ["--http2"]
    if "HEAD" in spelled:
        spelled[spelled.index("HEAD") - 1:spelled.index("HEAD") + 1] = ["-I"]
    return spelled


def _in_our_words(answer: dict[str, Any], file: Path) -> dict[str, Any]:
    status = answer["http_code"]
    if answer["exitcode"]:
        return {"error": "proxy" if answer["http_connect"] >= 300 else _WORDS[answer["exitcode"]]}
    told = {
        "error": "http" if status >= 400 else None,
        "status": status,
        "redirects": answer["num_redirects"],
        "final_url": answer["url_effective"],
        "method": answer["method"],
        "http_version": {"1": "1.0"}.get(answer["http_version"], answer["http_version"]),
        "content_type": answer["content_type"],
        "remote_ip": answer["remote_ip"],
        "size_download": answer["size_download"],
    }
    if answer["method"] != "HEAD":      # for HEAD, curl writes the head into the file
        told["sha256"] = hashlib.sha256(file.read_bytes() if file.exists() else b"").hexdigest()
    return told
