import fcntl
import os
import pty
from contextlib import closing

import pytest

from fetcher import green
from fetcher.sinks.terminal.messages import Messages

LINE = "x" * 999 + "\n"


@pytest.fixture(params=["pipe", "terminal"])
def ends(request):
    """A reader, and the stream that it reads from."""
    reading, writing = os.pipe() if request.param == "pipe" else pty.openpty()
    with open(writing, "w") as stream, closing(os.fdopen(reading, "rb", buffering=0)) as reader:
        yield reader, stream


def read(reader, wanted):
    """Read everything up to `wanted`."""
    data = b""
    os.set_blocking(reader.fileno(), False)
    while wanted not in data:
        data += (reader.read(65536) or b"").replace(b"\r", b"")
        green.sleep(0.01)
    return data


def test_what_is_written_can_be_read_at_once(ends):
    reader, stream = ends
    messages = Messages(stream)
    messages.write("caf\u00e9 \ud800\n")
    assert read(reader, b"\n") == "caf\u00e9 \\ud800\n".encode()
    messages.finish()


def test_a_reader_that_has_stopped_holds_nobody_up_and_gets_all_in_the_end(ends):
    reader, stream = ends
    messages = Messages(stream)
    for number in range(200):
        messages.write(f"{number} {LINE}")
    assert read(reader, b"\n199 " + LINE.encode()).count(b"\n") == 200
    messages.write("more\n")
    assert read(reader, b"\n") == b"more\n"
    messages.finish()


def test_what_nobody_reads_takes_little_memory_and_is_counted(ends):
    reader, stream = ends
    messages = Messages(stream)
    for number in range(5_000):
        messages.write(f"{number} {LINE}")
    text = read(reader, b"left out here: nobody read them.\n")
    lines = text.count(b"\n") - 1
    assert 0 < lines < 1000
    assert text.endswith(b"fetcher: %s lines are left out here: nobody read them.\n" % f"{5000 - lines:,}".encode())
    messages.finish()


def test_the_file_of_others_stays_as_it_was(ends):
    _, stream = ends
    flags = fcntl.fcntl(stream, fcntl.F_GETFL)
    Messages(stream).finish()
    assert fcntl.fcntl(stream, fcntl.F_GETFL) == flags


def test_a_reader_that_is_gone_and_a_full_disk_are_no_failures():
    reading, writing = os.pipe()
    os.close(reading)
    for stream in open(writing, "w"), open("/dev/full", "w"):
        with stream:
            messages = Messages(stream)
            messages.write(LINE)
            messages.write(LINE)
            messages.finish()
