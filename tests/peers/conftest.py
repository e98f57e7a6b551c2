"""The servers. Each has a configuration in `conf/`, in which @name@ stands for a port, a directory and so on."""
from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers import site
from tests.peers.process import Server, free_ports, has_ipv6, program, running, workplace

_CONF = Path(__file__).parent / "conf"
_APACHE_MODULES = ("/usr/lib/apache2/modules", "/usr/lib64/httpd/modules", "/usr/libexec/apache2")
_SQUID_PROGRAMS = ("/usr/lib/squid", "/usr/lib64/squid", "/usr/libexec/squid")
_HTTPBIN = """
import sys
from httpbin import app
from werkzeug.serving import WSGIRequestHandler, run_simple
WSGIRequestHandler.protocol_version = "HTTP/1.1"
run_simple("127.0.0.1", int(sys.argv[1]), app, threaded=True)
"""
# Answers with the method, the path and the length of the body; /redirect leads there.
_ASGI = """
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    to, body = scope["path"].startswith("/redirect"), f"{scope['method']} {scope['path']} {size}".encode()
    fields = [(b"content-type", b"text/plain")] + ([(b"location", b"/there")] if to else [])
    await send({"type": "http.response.start", "status": 302 if to else 200, "headers": fields})
    for part in body, b"x" * 200_000:
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
"""
# CGI scripts. They give no length, so the server has to send chunks. The output of an nph script is sent unchanged.
_SCRIPTS = {
    "echo": 'printf "Content-Type: text/plain\\r\\n\\r\\n%s " "$REQUEST_METHOD"; cat',
    "pieces": 'printf "Content-Type: text/plain\\r\\n\\r\\n"; for i in 1 2 3; do echo $i; sleep 0.05; done',
    "nothing": 'printf "Content-Type: text/plain\\r\\n\\r\\n"',
    "status": 'printf "Status: 404 Not Found\\r\\nContent-Type: text/plain\\r\\n\\r\\nnot here"',
    "nph-old": 'printf "HTTP/1.0 200 Fine\\r\\nServer: old\\r\\n\\r\\nuntil the end"',
    "nph-bare": 'printf "HTTP/1.0 200\\nSet-Cookie: a=b\\n\\nlines that end bare"',
    "redirect": 'printf "Status: 302 Found\\r\\nLocation: %s\\r\\n\\r\\n" "$QUERY_STRING"',
}


@pytest.fixture(scope="session")
def files() -> Iterator[Path]:
    """A directory with the certificates, and with `www`, which all servers serve."""
    with workplace() as directory:
        site.make_files(directory / "www")
        site.make_certificates(directory)
        yield directory


@pytest.fixture(scope="session")
def nginx(files: Path) -> Iterator[Server]:
    ports = free_ports("http", "close", "hundred", "second", "https", "https_close", "https_old", "https_client",
                       "https_2", "https_2_hundred", "https_2_four", "https_2_client")
    with workplace() as directory:
        listen_6 = f"listen [::1]:{ports['close']} backlog=4096;" if has_ipv6() else ""
        conf = _configure(directory, "nginx.conf", files, ports, listen_close_6=listen_6)
        command = [program("nginx"), "-p", directory, "-c", conf, "-e", directory / "error.log"]
        with running(command, directory, ports) as server:
            yield server


@pytest.fixture(scope="session")
def apache(files: Path) -> Iterator[Server]:
    ports = free_ports("http")
    with workplace() as directory:
        conf = _configure(directory, "apache2.conf", files, ports, modules=_place("Apache's modules", _APACHE_MODULES))
        _make_scripts(directory)
        with running([program("apache2", "httpd"), "-D", "FOREGROUND", "-f", conf], directory, ports) as server:
            yield server


@pytest.fixture(scope="session")
def lighttpd(files: Path) -> Iterator[Server]:
    ports = free_ports("http")
    with workplace() as directory:
        conf = _configure(directory, "lighttpd.conf", files, ports)
        _make_scripts(directory)
        with running([program("lighttpd"), "-D", "-f", conf], directory, ports) as server:
            yield server


@pytest.fixture(scope="session")
def caddy(files: Path) -> Iterator[Server]:
    ports = free_ports("http", "https")
    with workplace() as directory:
        conf = _configure(directory, "Caddyfile", files, ports)
        command = [program("caddy"), "run", "--adapter", "caddyfile", "--config", conf]
        with running(command, directory, ports) as server:
            yield server


@pytest.fixture(scope="session")
def h2o(files: Path) -> Iterator[Server]:
    ports = free_ports("https")
    with workplace() as directory:
        conf = _configure(directory, "h2o.conf", files, ports)
        if os.geteuid():
            conf.write_text(conf.read_text().replace("user: nobody\n", ""))
        with running([program("h2o"), "-c", conf], directory, ports, as_nobody=False) as server:
            yield server


@pytest.fixture(scope="session")
def nghttpd(files: Path) -> Iterator[Server]:
    ports = free_ports("https")
    with workplace() as directory:
        command = [program("nghttpd"), "-a", "127.0.0.1", "-d", files / "www", ports["https"], files / "server.pem",
                   files / "server.pem"]
        with running(command, directory, ports) as server:
            yield server


@pytest.fixture(scope="session")
def hypercorn(files: Path) -> Iterator[Server]:
    ports = free_ports("https")
    with workplace() as directory:
        (directory / "asgi.py").write_text(_ASGI)
        command = [program("hypercorn"), "--bind", f"127.0.0.1:{ports['https']}", "--certfile", files / "server.pem",
                   "--keyfile", files / "server.pem", "asgi:app"]
        with running(command, directory, ports) as server:
            yield server


@pytest.fixture(scope="session")
def squid(files: Path) -> Iterator[Server]:
    ports = free_ports("http", "auth", "https")
    with workplace() as directory:
        conf = _configure(directory, "squid.conf", files, ports, programs=_place("squid's programs", _SQUID_PROGRAMS))
        with running([program("squid"), "-N", "-f", conf], directory, ports) as server:
            yield server


@pytest.fixture(scope="session")
def dante() -> Iterator[Server]:
    ports = free_ports("socks")
    with workplace() as directory:
        conf = _configure(directory, "dante.conf", None, ports)
        command = [program("danted", "sockd"), "-N", 1, "-f", conf, "-p", directory / "pid"]
        with running(command, directory, ports) as server:
            yield server


@pytest.fixture(scope="session")
def dnsmasq() -> Iterator[Server]:
    ports = free_ports("dns")
    with workplace() as directory:
        conf = _configure(directory, "dnsmasq.conf", None, ports)
        with running([program("dnsmasq"), "--keep-in-foreground", f"--conf-file={conf}"], directory, ports) as server:
            yield server


@pytest.fixture(scope="session")
def httpbin() -> Iterator[Server]:
    """httpbin, perhaps on another Python than the tests: some versions need an old greenlet."""
    ports = free_ports("http")
    with workplace() as directory:
        command = [_python_with("httpbin"), "-c", _HTTPBIN, ports["http"]]
        with running(command, directory, ports, as_nobody=False) as server:
            yield server


def _configure(directory: Path, name: str, files: Path | None, ports: dict[str, int], **settings: object) -> Path:
    """Fill in the file `name` of `conf/`, and write it to `directory`. Return its path."""
    text = (_CONF / name).read_text()
    for key, value in {**ports, **settings, "directory": directory, "files": files}.items():
        text = text.replace(f"@{key}@", str(value))
    path = directory / name
    path.write_text(text)
    site.make_users(directory)
    return path


def _make_scripts(directory: Path) -> None:
    (directory / "cgi").mkdir()
    for name, script in _SCRIPTS.items():
        path = directory / "cgi" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)


def _place(what: str, places: tuple[str, ...]) -> str:
    for place in places:
        if Path(place).is_dir():
            return place
    pytest.skip(f"{what} are not installed")


def _python_with(module: str) -> str:
    for python in sys.executable, shutil.which("python3"), shutil.which("python3", path="/usr/bin"):
        if python and subprocess.run([python, "-c", f"import {module}"], capture_output=True).returncode == 0:
            return python
    pytest.skip(f"{module} is not installed")
