"""The peer that eventlet's documentation shows: unchanged green urllib in a GreenPool, with a record for each URL.

    python with_urlopen.py LIST CONCURRENCY [CACERT]
"""
from __future__ import annotations

import sys
import time
import warnings
from pathlib import Path

import orjson

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
    import eventlet
    from eventlet.green import ssl
    from eventlet.green.urllib import request


def fetch(url: str) -> bytes:
    started = time.perf_counter()
    with request.urlopen(url) as response:
        size = 0
        while chunk := response.read(1 << 16):
            size += len(chunk)
    record = {"url": url, "status": response.status, "size": size, "time_total": time.perf_counter() - started}
    return orjson.dumps(record) + b"\n"


source, at_once, *cacert = sys.argv[1:]
if cacert:
    context = ssl.create_default_context(cafile=cacert[0])
    request.install_opener(request.build_opener(request.HTTPSHandler(context=context)))
pool = eventlet.GreenPool(int(at_once))
sys.stdout.buffer.writelines(pool.imap(fetch, Path(source).read_text().split()))
