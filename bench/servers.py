"""Run nginx, and dnsmasq for names, on free ports of 127.0.0.1, until the run ends.

nginx runs as one process of the current user. Its access log shows what each peer really fetched.
"""
from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.scenarios import HOSTS, KB, MB, NAMES

# A request without credentials is delayed by `auth_delay`, and then `error_page` answers it with 200. So nginx itself
# can delay thousands of requests at once.
NGINX_CONF = """
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log {directory}/error.log crit;
events {{ worker_connections 16384; }}
http {{
    log_format answers '$status $body_bytes_sent $connection_requests';
    access_log {directory}/access.log answers;
    client_body_temp_path {directory}/temp;
    proxy_temp_path {directory}/temp;
    fastcgi_temp_path {directory}/temp;
    scgi_temp_path {directory}/temp;
    uwsgi_temp_path {directory}/temp;
    root {directory};
    sendfile on;
    keepalive_requests 1000000;

    server {{
        listen 127.0.0.1:{http} backlog=4096;
        location /1k/ {{ try_files /1k =404; }}
        location /10m/ {{ try_files /10m =404; }}
        location /delay/ {{
            auth_basic delay;
            auth_basic_user_file {directory}/nobody;
            auth_delay 100ms;
            error_page 401 =200 /1k;
        }}
    }}
    server {{
        listen 127.0.0.1:{http_close} backlog=4096;
        keepalive_timeout 0;
        location /1k/ {{ try_files /1k =404; }}
    }}
    {tls}
}}
"""
NGINX_TLS_CONF = """
    ssl_certificate {directory}/cert.pem;
    ssl_certificate_key {directory}/key.pem;
    server {{
        listen 127.0.0.1:{https} ssl backlog=4096;
        location /1k/ {{ try_files /1k =404; }}
    }}
    server {{
        listen 127.0.0.1:{https_close} ssl backlog=4096;
        keepalive_timeout 0;
        location /1k/ {{ try_files /1k =404; }}
    }}
"""


class Missing(Exception):
    """A program is not installed here. The text is for the user."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What nginx has sent since `forget` was called: answers with 200, bytes of bodies, and connections."""

    ok: int
    size: int
    connections: int


@dataclass(frozen=True, slots=True)
class Nginx:
    """A running nginx: its ports by name, and the certificate to trust."""

    ports: dict[str, int]
    log: Path
    cacert: Path | None

    def forget(self) -> None:
        os.truncate(self.log, 0)

    def answers(self, expected: int) -> Answers:
        """Read the log. A line may come a moment after the answer, so wait up to a second for the `expected` lines."""
        deadline = time.monotonic() + 1
        while len(lines := self.log.read_text().splitlines()) < expected and time.monotonic() < deadline:
            time.sleep(0.02)
        rows = [[int(field) for field in line.split()] for line in lines]
        return Answers(ok=sum(status == 200 for status, _, _ in rows),
                       size=sum(size for _, size, _ in rows),
                       connections=sum(nth == 1 for _, _, nth in rows))


@contextmanager
def nginx(directory: Path) -> Iterator[Nginx]:
    """Run nginx on free ports, with TLS if openssl is installed, which makes the certificate. Raises Missing."""
    command = program("nginx")
    for name, size in ("1k", KB), ("10m", 10 * MB):
        (directory / name).write_bytes(bytes(size))
    ports = dict(zip(("http", "http_close", "https", "https_close"), _free_ports(4)))
    cacert = _certificate(directory)
    tls = NGINX_TLS_CONF.format(directory=directory, **ports) if cacert else ""
    conf = directory / "nginx.conf"
    conf.write_text(NGINX_CONF.format(directory=directory, tls=tls, **ports))
    with _running([command, "-p", str(directory), "-c", str(conf)], ports["http"]):
        yield Nginx(ports, directory / "access.log", cacert)


@contextmanager
def dnsmasq() -> Iterator[str]:
    """Run dnsmasq, which only knows the names of the scenarios. Yield its address as HOST:PORT. Raises Missing."""
    port, = _free_ports(1)
    command = [program("dnsmasq"), "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=",
               "--no-resolv", "--no-hosts", "--listen-address=127.0.0.1", "--bind-interfaces", f"--port={port}",
               "--dns-forward-max=10000", f"--address=/{NAMES}/127.0.0.1"]
    with _running(command, port):
        yield f"127.0.0.1:{port}"


def program(name: str) -> str:
    """Return the path of a program. Debian has servers in /usr/sbin, which is only in root's PATH. Raises Missing."""
    path = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"]))
    if path is None:
        raise Missing(f"{name} is not installed")
    return path


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _certificate(directory: Path) -> Path | None:
    try:
        openssl = program("openssl")
    except Missing:
        return None
    cert = directory / "cert.pem"
    names = ",".join(["IP:127.0.0.1", "DNS:*.tls.localhost", *(f"DNS:h{number}.localhost" for number in range(HOSTS))])
    subprocess.run([openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=fetcher bench", "-addext", f"subjectAltName={names}",
                    "-addext", "keyUsage=critical,digitalSignature,keyCertSign",
                    "-keyout", str(directory / "key.pem"), "-out", str(cert)], check=True, capture_output=True)
    return cert


@contextmanager
def _running(command: list[str], port: int) -> Iterator[None]:
    process = subprocess.Popen(command)
    try:
        _wait_for(port, Path(command[0]).name, process)
        yield
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int, program: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise Missing(f"{program} does not start") from None
            time.sleep(0.02)
