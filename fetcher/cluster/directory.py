"""Use a directory as a broker: Celery's file system transport, with what it lacks.

A message is there as a whole or not at all. A message comes back if its worker is killed: it stays among the taken
ones until it is acknowledged, and returns to the queue after the visibility timeout.
"""
from __future__ import annotations

import os
from contextlib import suppress
from errno import EACCES
from queue import Empty
from time import monotonic, time
from typing import Any
from uuid import uuid4

from kombu.exceptions import OperationalError
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps, loads

from fetcher.cluster.orders import NO_MESSAGE, set_aside

ALIAS = "fetcher-directory"
_WAIT_SECONDS = 0.5
_QUEUE, _TAKEN, _CONTROL = "queue", "taken", "control"


def transport_options(path: str, visibility_seconds: float) -> dict[str, Any]:
    """Return Celery's `broker_transport_options` for the broker at `path`, and create its folders if missing.

    `visibility_seconds` is how long a message may stay taken. Raises OSError.
    """
    folders = {name: os.path.join(path, name) for name in (_QUEUE, _TAKEN, _CONTROL)}
    for folder in folders.values():
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionError(EACCES, os.strerror(EACCES))
    return {"data_folder_in": folders[_QUEUE], "data_folder_out": folders[_QUEUE],
            "processed_folder": folders[_TAKEN], "control_folder": folders[_CONTROL],
            "visibility_timeout": visibility_seconds, "polling_interval": 0.2}


class Channel(filesystem.Channel):
    """Messages are files, such as `1234.QUEUE.msg`, in a directory for those that wait or one for those taken."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._taken: dict[str, str] = {}        # paths of the messages taken, by delivery tag
        self._looked_at = monotonic()

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:
        super().basic_ack(delivery_tag, multiple)
        self._drop(delivery_tag)

    def basic_reject(self, delivery_tag: str, requeue: bool = False) -> None:
        super().basic_reject(delivery_tag, requeue)     # if requeued, calls `_restore`
        if not requeue:
            self._drop(delivery_tag)

    def _put(self, queue: str, payload: Any, **_: Any) -> None:     # type: ignore[override]
        name = f"{int(time() * 1000):014}_{uuid4().hex}.{queue}.msg"
        draft, path = os.path.join(self.control_folder, name), os.path.join(self.data_folder_out, name)
        try:
            with open(draft, "w", encoding="utf-8") as file:
                file.write(dumps(payload))
            os.rename(draft, path)
        except OSError as error:
            raise OperationalError(f"{path} cannot be written: {error.strerror}") from error

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        self._return_the_forgotten()
        for name in sorted(os.listdir(self.data_folder_in)):
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            path = os.path.join(self.processed_folder, name)
            with suppress(FileNotFoundError):       # another worker was quicker
                waiting = os.path.join(self.data_folder_in, name)
                os.utime(waiting)
                os.rename(waiting, path)
                message = self._read(path, queue)
                if message is not None:
                    self._taken[message["properties"]["delivery_tag"]] = path
                    return message
        raise Empty

    def _read(self, path: str, queue: str) -> Any:
        """Return a message. If the file holds none, log that, delete the file and return None.

        Each delivery has a tag of its own: Celery returns messages in one thread while it takes them in another.
        """
        try:
            with open(path, encoding="utf-8") as file:
                message = loads(file.read())
            message["properties"].update(delivery_tag=uuid4().hex,
                                         delivery_info={"exchange": queue, "routing_key": queue})
            self.message_to_python(message)
            return message
        except NO_MESSAGE as error:
            set_aside(error)
            os.unlink(path)
            return None

    def _restore(self, message: Any) -> None:
        super()._restore(message)
        self._drop(message.delivery_tag)

    def _drop(self, delivery_tag: str) -> None:
        path = self._taken.pop(delivery_tag, None)
        if path is not None:
            with suppress(FileNotFoundError):
                os.unlink(path)

    def _return_the_forgotten(self) -> None:
        visibility_seconds = self.transport_options["visibility_timeout"]
        if monotonic() - self._looked_at < visibility_seconds / 10:
            return
        self._looked_at = monotonic()
        for name in os.listdir(self.processed_folder):
            path = os.path.join(self.processed_folder, name)
            with suppress(FileNotFoundError):
                if time() - os.stat(path).st_mtime > visibility_seconds:
                    os.rename(path, os.path.join(self.data_folder_in, name))


class Transport(filesystem.Transport):
    Channel = Channel

    def drain_events(self, connection: Any, timeout: float | None = None) -> None:     # type: ignore[override]
        """Wait for messages, but not for long: Celery only checks between two waits whether it should end."""
        super().drain_events(connection, min(timeout or _WAIT_SECONDS, _WAIT_SECONDS))


TRANSPORT_ALIASES[ALIAS] = f"{__name__}:Transport"
