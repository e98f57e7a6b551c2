"""A RabbitMQ server on loopback, which writes only into one directory."""
from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

import amqp

from tests.cli.command import eventually
from tests.peers.process import free_ports

# Debian's command in /usr/sbin runs it as another user, with files in /var
PROGRAM = shutil.which("rabbitmq-server", path=f"/usr/lib/rabbitmq/bin:{os.environ.get('PATH', os.defpath)}")
_USER, _PASSWORD = "fetcher", "secret-of-rabbitmq"
_HOST, _FULL = "virtual", "full"


class RabbitMQ:
    """A server that can be started and stopped several times. Durable messages stay."""

    def __init__(self, home: Path, acknowledgement_seconds: float) -> None:
        """It closes a channel if a message is not acknowledged within `acknowledgement_seconds`."""
        self._port, self._epmd_port, distribution_port = free_ports("amqp", "epmd", "distribution").values()
        self._home = home
        (home / "rabbitmq.conf").write_text(
            f"listeners.tcp.local = 127.0.0.1:{self._port}\n"
            f"load_definitions = {home}/definitions.json\n"
            f"consumer_timeout = {int(acknowledgement_seconds * 1000)}\n"
            "disk_free_limit.absolute = 1MB\n")
        (home / "definitions.json").write_text(json.dumps({
            "users": [{"name": _USER, "password": _PASSWORD, "tags": ""}],
            "vhosts": [{"name": host} for host in (_HOST, _FULL)],
            "permissions": [{"user": _USER, "vhost": host, "configure": ".*", "write": ".*", "read": ".*"}
                            for host in (_HOST, _FULL)],
            "policies": [{"vhost": _FULL, "name": "full", "pattern": ".*", "apply-to": "queues",
                          "definition": {"max-length": 0, "overflow": "reject-publish"}}]}))
        self._environment = {
            "PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8",
            "HOME": str(home), "RABBITMQ_MNESIA_BASE": str(home), "RABBITMQ_LOG_BASE": str(home),
            "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"), "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "no-plugins"),
            "RABBITMQ_NODENAME": f"fetcher-{self._port}@localhost", "RABBITMQ_DIST_PORT": str(distribution_port),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS":
                "+S 1:1 -kernel inet_dist_use_interface {127,0,0,1} -rabbit channel_tick_interval 200",
            "ERL_EPMD_PORT": str(self._epmd_port), "ERL_EPMD_ADDRESS": "127.0.0.1"}
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def url(self) -> str:
        return self._url(_HOST)

    @property
    def full(self) -> str:
        """The URL of a virtual host that accepts no messages."""
        return self._url(_FULL)

    def start(self) -> None:
        """Start it, and wait until it can be used."""
        assert PROGRAM is not None
        self._run("epmd")       # otherwise Erlang starts one that stays for ever
        eventually(lambda: _answers(self._epmd_port))
        self._run(PROGRAM)
        eventually(self._serves)

    def stop(self) -> None:
        for process in reversed(self._processes):
            process.terminate()
            process.wait()
        self._processes.clear()

    def delete(self) -> None:
        """Delete the queue with all its messages."""
        with self._connection() as connection:
            connection.channel().queue_delete("fetcher")

    def purge(self) -> int:
        """Remove all messages from the queue. Return how many there were."""
        with self._connection() as connection:
            count: int = connection.channel().queue_purge("fetcher")
            return count

    def tired(self) -> int:
        """Return how often it has waited too long for an acknowledgement."""
        (log,) = self._home.glob("*@localhost.log")
        return log.read_text().count("timed out waiting for delivery acknowledgement")

    def _connection(self) -> amqp.Connection:
        return amqp.Connection(f"127.0.0.1:{self._port}", _USER, _PASSWORD, virtual_host=_HOST)

    def _url(self, host: str) -> str:
        return f"amqp://{_USER}:{_PASSWORD}@127.0.0.1:{self._port}/{host}"

    def _run(self, *command: str) -> None:
        self._processes.append(subprocess.Popen(
            command, env=self._environment, cwd=self._home, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL))

    def _serves(self) -> bool:
        assert all(process.poll() is None for process in self._processes), "RabbitMQ did not start"
        with suppress(OSError, amqp.AMQPError), self._connection():
            return True
        return False


def _answers(port: int) -> bool:
    with suppress(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    return False
