"""Sign orders, so that a worker knows who sent them: HMAC-SHA256 (RFC 2104), with a key that both ends have.

A directory that is used as a broker has its own key, which only its owner can read.
"""
from __future__ import annotations

import hmac
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

import orjson

from fetcher.errors import InputError, OutputError

_NAME = "key"
_MIN_BYTES = 16


def read_key(path: str) -> bytes:
    """Return the key in a file, without the white space around it. Raises InputError."""
    try:
        key = Path(path).read_bytes().strip()
    except OSError as error:
        raise InputError(f"The key {path} cannot be read: {error.strerror}.") from None
    if len(key) < _MIN_BYTES:
        raise InputError(f"The key {path} is shorter than {_MIN_BYTES} bytes; "
                         f"make one with: openssl rand -hex 32 > {path}")
    return key


def own_key(directory: str) -> bytes | None:
    """Return the key of the broker in `directory`, and create it if there is none.

    Return None if other users can read the key: then it proves nothing. Raises OutputError.
    """
    path = os.path.join(directory, _NAME)
    try:
        if not os.path.lexists(path):
            _make(path)
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except PermissionError:
        return None
    except OSError as error:
        raise OutputError(f"The broker's key {path} cannot be used: {error.strerror}.") from None
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        is_own = stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077
        key = file.read() if is_own else b""
    return key if len(key) >= _MIN_BYTES else None


def _make(path: str) -> None:
    """Write a new key, unless another process has created one meanwhile. The file appears as a whole."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    draft = f"{path}.{secrets.token_hex(8)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(secrets.token_hex(32).encode())
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        os.unlink(draft)


def sign(key: bytes, run: str, out: str, partition: int | None, content: bytes) -> str:
    """Return the signature of an order together with its run; `content` is that of the run's file."""
    return hmac.new(key, orjson.dumps([run, out, partition]) + b"\n" + content, "sha256").hexdigest()


def is_signed(key: bytes, signature: str | None, run: str, out: str, partition: int | None, content: bytes) -> bool:
    """Return whether `signature` is right, in a time that reveals nothing about the right one."""
    expected = sign(key, run, out, partition, content)
    return hmac.compare_digest(expected.encode(), (signature or "").encode())
