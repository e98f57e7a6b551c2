"""A directory as a broker: Celery's file system transport, with what that lacks.

A message is there as a whole or not at all, and one that was taken comes back when its worker is killed: it waits among
those that are taken, and is free again after the visibility time-out. Only its acknowledgement takes it away.
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

ALIAS = "fetcher-directory"
_WAIT_SECONDS = 0.5
_QUEUE, _TAKEN, _CONTROL = "queue", "taken", "control"


def transport_options(path: str, visibility_seconds: float) -> dict[str, Any]:
    """Celery's `broker_transport_options` for the broker at `path`, which is made where it is missing.

    Raises OSError.
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
    """Messages are files: `1234.QUEUE.msg` for one, in the directory of those that wait, or of those that are taken."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._taken: dict[str, str] = {}        # where they are, by their delivery tags
        self._looked_at = monotonic()

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:
        super().basic_ack(delivery_tag, multiple)
        self._drop(delivery_tag)

    def basic_reject(self, delivery_tag: str, requeue: bool = False) -> None:
        super().basic_reject(delivery_tag, requeue)     # to put it back is to `_restore` it
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
        self._free_the_forgotten()
        for name in sorted(os.listdir(self.data_folder_in)):
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            path = os.path.join(self.processed_folder, name)
            with suppress(FileNotFoundError):       # another worker was quicker
                waiting = os.path.join(self.data_folder_in, name)
                os.utime(waiting)
                os.rename(waiting, path)
                with open(path, encoding="utf-8") as file:
                    message = loads(file.read())
                # a tag for each delivery: Celery gives messages back in one thread while it takes them in another
                tag = message["properties"]["delivery_tag"] = uuid4().hex
                self._taken[tag] = path
                return message
        raise Empty

    def _restore(self, message: Any) -> None:
        super()._restore(message)
        self._drop(message.delivery_tag)

    def _drop(self, delivery_tag: str) -> None:
        path = self._taken.pop(delivery_tag, None)
        if path is not None:
            with suppress(FileNotFoundError):
                os.unlink(path)

    def _free_the_forgotten(self) -> None:
        patience = self.transport_options["visibility_timeout"]
        if monotonic() - self._looked_at < patience / 10:
            return
        self._looked_at = monotonic()
        for name in os.listdir(self.processed_folder):
            path = os.path.join(self.processed_folder, name)
            with suppress(FileNotFoundError):
                if time() - os.stat(path).st_mtime > patience:
                    os.rename(path, os.path.join(self.data_folder_in, name))


class Transport(filesystem.Transport):
    Channel = Channel

    def drain_events(self, connection: Any, timeout: float | None = None) -> None:     # type: ignore[override]
        """Wait for messages, but not for long: only between two such waits does Celery look whether it is to end."""
        super().drain_events(connection, min(timeout or _WAIT_SECONDS, _WAIT_SECONDS))


TRANSPORT_ALIASES[ALIAS] = f"{__name__}:Transport"
