"""The files, users and certificates of all servers in these tests."""
from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import brotli
import trustme
import zstandard

USER, PASSWORD = "Aladdin", "open sesame"
REALM = "Open, please"
TEXT = b"".join(b"%d bottles of beer on the wall\n" % number for number in range(4000))

FILES = {
    "empty": b"",
    "1": b"1",
    "1k": bytes(1024),
    "64k-1": b"-" * (64 * 1024 - 1),
    "64k": b"=" * (64 * 1024),
    "64k+1": b"+" * (64 * 1024 + 1),
    "1m": bytes(range(256)) * 4096,
    "text.txt": TEXT,
    "with space.txt": b"a name with a space",
    "naïve.txt": b"a name beyond ASCII",
    "100%.txt": b"a name with a per cent sign",
    "a+b&c=d;e,f.txt": b"a name with punctuation",
    "directory/index.html": b"<p>The index",
    "directory/page.html": b"<p>A page",
    "listing/one": b"one of two files in a directory without an index",
    "listing/two": b"the other",
    "forbidden/file": b"nobody may read this",
}

PATHS = [
    "/empty", "/1", "/1k", "/64k-1", "/64k", "/64k+1", "/1m", "/text.txt", "/text.txt?query", "/1k?a=b&c=%26",
    "/1k#fragment", "/with%20space.txt", "/with space.txt", "/na%C3%AFve.txt", "/na%c3%afve.txt", "/naïve.txt",
    "/100%25.txt", "/a+b&c=d;e,f.txt", "/directory", "/directory?query", "/directory/", "/directory/page.html",
    "/directory/../1k", "/directory/./page.html", "/%64irectory/page.html", "//1k", "/missing", "/missing/", "/1k/",
    "/forbidden/file", "/listing/", "/listing",
]
REDIRECTS = [
    "/redirect/301", "/redirect/302", "/redirect/303", "/redirect/307", "/redirect/308", "/redirect/301#kept",
    "/redirect/chain/1", "/redirect/chain/11111", "/redirect/chain/111111111", "/redirect/chain/1111111111",
]
ECHOES = ["/echo", "/redirect/echo/301", "/redirect/echo/302", "/redirect/echo/303", "/redirect/echo/307",
          "/redirect/echo/308"]


def make_files(directory: Path) -> None:
    for name, content in FILES.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (directory / "text.txt.gz").write_bytes(gzip.compress(TEXT))
    (directory / "text.txt.br").write_bytes(brotli.compress(TEXT, quality=5))
    (directory / "text.txt.zst").write_bytes(zstandard.compress(TEXT))


def make_certificates(directory: Path) -> None:
    """Make an authority, `ca.pem`, and certificates of it: `server.pem` for local names, `client.pem` for a client."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(directory / "ca.pem")
    server = authority.issue_cert("localhost", "127.0.0.1", "::1")
    server.private_key_and_cert_chain_pem.write_to_path(directory / "server.pem")
    client = authority.issue_cert("client@localhost", common_name="a client")
    client.private_key_and_cert_chain_pem.write_to_path(directory / "client.pem")
    trustme.CA().cert_pem.write_to_path(directory / "stranger.pem")


def make_users(directory: Path) -> None:
    """Write the only user in the file formats of the servers."""
    (directory / "plain").write_text(f"{USER}:{PASSWORD}\n")
    (directory / "htpasswd").write_text(f"{USER}:$apr1$peers$SI/y/zlf.6Lhx2mAzMAES.\n")
    secret = f"{USER}:{REALM}:{PASSWORD}".encode()
    (directory / "htdigest").write_text(f"{USER}:{REALM}:{hashlib.md5(secret).hexdigest()}\n")
    (directory / "htdigest256").write_text(f"{USER}:{REALM}:{hashlib.sha256(secret).hexdigest()}\n")
