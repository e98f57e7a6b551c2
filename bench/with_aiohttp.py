"""The peer that a Python programmer would write: aiohttp on uvloop, with a record for each URL.

    python with_aiohttp.py LIST CONCURRENCY [CACERT]
"""
from __future__ import annotations

import asyncio
import ssl
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import orjson
import uvloop


async def fetch(session: aiohttp.ClientSession, url: str) -> None:
    started = time.perf_counter()
    async with session.get(url) as response:
        size = 0
        async for chunk in response.content.iter_any():
            size += len(chunk)
    record = {"url": url, "status": response.status, "size": size, "time_total": time.perf_counter() - started}
    sys.stdout.buffer.write(orjson.dumps(record) + b"\n")


async def work(session: aiohttp.ClientSession, urls: Iterator[str]) -> None:
    for url in urls:
        await fetch(session, url)


async def main(urls: list[str], concurrency: int, cacert: str | None) -> None:
    trust = ssl.create_default_context(cafile=cacert) if cacert else True
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=concurrency, ssl=trust)) as session:
        shared = iter(urls)
        await asyncio.gather(*(work(session, shared) for _ in range(concurrency)))


source, at_once, *trusted = sys.argv[1:]
uvloop.install()
asyncio.run(main(Path(source).read_text().split(), int(at_once), next(iter(trusted), None)))
