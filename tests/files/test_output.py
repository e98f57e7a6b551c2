import gzip
import os
import random
import resource
import stat
import subprocess
import sys

import pytest

from fetcher import green
from fetcher.errors import OutputError
from fetcher.files.compressed import CompressedOutput
from fetcher.files.output import Output


@pytest.fixture
def pipe():
    """The reading end of a pipe, and a path to its writing end."""
    reading, writing = os.pipe()
    ends = [open(reading, "rb", buffering=0), open(writing, "wb", buffering=0)]
    yield ends[0], f"/dev/fd/{writing}", ends[1]
    for end in ends:
        end.close()


def numbered(count, size):
    return [b"%06d %s\n" % (number, b"x" * size) for number in range(count)]


def run(code, **options):
    return subprocess.run([sys.executable, "-c", "from fetcher.files.output import Output\n" + code], check=False,
                          stderr=subprocess.PIPE, text=True, **options)


def read_all(reading, pause=0.0, size=65536):
    """Read a pipe until its end, in a green thread that pauses after each read."""
    received = bytearray()

    def read():
        while True:
            green.trampoline(reading, read=True)
            data = os.read(reading.fileno(), size)
            if not data:
                return bytes(received)
            received.extend(data)
            if pause:
                green.sleep(pause)

    return green.spawn(read)


def test_a_file_holds_every_line_in_order(tmp_path):
    lines = numbered(3000, 100)
    output = Output(str(tmp_path / "out"))
    for line in lines:
        output.write(line)
    output.close()
    assert (tmp_path / "out").read_bytes() == b"".join(lines)


def test_a_file_that_is_there_is_emptied_and_a_new_one_has_the_rights_of_the_umask(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("something")
    Output(str(old)).close()
    assert old.read_bytes() == b""
    before = os.umask(0o027)
    try:
        Output(str(new)).close()
    finally:
        os.umask(before)
    assert stat.S_IMODE(new.stat().st_mode) == 0o640


def test_a_line_goes_out_though_nothing_comes_after_it(pipe):
    reading, path, _ = pipe
    output = Output(path)
    output.write(b"alone\n")
    green.trampoline(reading, read=True)
    assert os.read(reading.fileno(), 100) == b"alone\n"
    output.close()


def test_a_slow_reader_gets_whole_lines_and_holds_back_the_writer_but_nobody_else(pipe):
    reading, path, writing = pipe
    lines = numbered(1500, 300)
    output = Output(path)
    writing.close()
    reader = read_all(reading, pause=0.002, size=10_000)
    ticks = []

    def tick():
        while True:
            ticks.append(len(lines))
            green.sleep(0.001)

    ticking = green.spawn(tick)
    for line in lines:
        output.write(line)
    output.close()
    assert reader.wait() == b"".join(lines)
    assert len(ticks) > 10
    ticking.kill()


def test_what_waits_for_a_slow_reader_is_bounded(pipe):
    reading, path, writing = pipe
    output = Output(path)
    written = []

    def write():
        for line in numbered(100_000, 90):
            output.write(line)
            written.append(len(line))

    writer = green.spawn(write)
    green.sleep(0.5)
    assert sum(written) < 300_000       # a full pipe, and a batch
    writer.kill()
    writing.close()
    reading.close()
    with pytest.raises(BrokenPipeError):
        output.close()


def test_lines_of_two_writers_to_one_pipe_do_not_interleave(pipe):
    reading, path, writing = pipe
    lines = [[b"%c" % name * random.randrange(1, 3000) + b"\n" for _ in range(300)] for name in b"ab"]
    reader = read_all(reading)

    def write(lines):
        output = Output(path)
        for line in lines:
            output.write(line)
            green.sleep(0)
        output.close()

    writers = [green.spawn(write, each) for each in lines]
    for writer in writers:
        writer.wait()
    writing.close()
    received = reader.wait().splitlines(keepends=True)
    assert sorted(received) == sorted(lines[0] + lines[1])


def test_many_green_threads_may_write_at_once(pipe):
    reading, path, writing = pipe
    output = Output(path)
    writing.close()
    reader = read_all(reading, pause=0.001)
    lines = numbered(40, 20_000)
    writers = [green.spawn(output.write, line) for line in lines]
    for writer in writers:
        writer.wait()
    output.close()
    assert sorted(reader.wait().splitlines(keepends=True)) == lines


def test_a_reader_that_went_away_is_a_broken_pipe_at_every_later_write(pipe):
    reading, path, writing = pipe
    output = Output(path)
    writing.close()
    reading.close()
    with pytest.raises(BrokenPipeError):
        for line in numbered(1000, 100):
            output.write(line)
    with pytest.raises(BrokenPipeError):
        output.write(b"more\n")
    with pytest.raises(BrokenPipeError):
        output.close()
    output.close()


def test_a_reader_that_goes_away_wakes_the_writer_that_waits_for_it(pipe):
    reading, path, writing = pipe
    output = Output(path)
    writing.close()

    def write():
        with pytest.raises(BrokenPipeError):
            for line in numbered(10_000, 100):
                output.write(line)
        return True

    writer = green.spawn(write)
    green.sleep(0.05)
    assert not writer.dead
    reading.close()
    assert writer.wait()
    with pytest.raises(BrokenPipeError):
        output.close()


def test_a_full_device_is_told_in_one_sentence():
    output = Output("/dev/full")
    output.write(b"line\n")
    with pytest.raises(OutputError) as caught:
        output.close()
    assert str(caught.value) == ("/dev/full cannot be written: No space left on device "
                                 "(lines of this run in it: 0, all whole).")


def test_what_fails_in_the_background_surfaces_at_the_next_write():
    output = Output("/dev/full")
    output.write(b"line\n")
    green.sleep(0.5)
    with pytest.raises(OutputError, match="No space left"):
        output.write(b"line\n")
    with pytest.raises(OutputError, match="No space left"):
        output.close()


@pytest.fixture
def small_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_file_that_can_grow_no_more_ends_with_a_whole_line(tmp_path, small_files):
    lines = numbered(50, 300)
    output = Output(str(tmp_path / "out"), advice="Make room.")
    for line in lines:
        output.write(line)
    with pytest.raises(OutputError) as caught:
        output.close()
    content = (tmp_path / "out").read_bytes()
    assert content == b"".join(lines[:32])
    assert str(caught.value).endswith("File too large (lines of this run in it: 32, all whole). Make room.")


def test_a_row_with_line_ends_in_it_is_whole_or_not_there_and_counts_once(tmp_path, small_files):
    rows = [line[:-1] + b'"a\nb\n\nc' + line for line in numbered(50, 300)]
    output = Output(str(tmp_path / "out"))
    for row in rows:
        output.write(row)
    with pytest.raises(OutputError, match="16, all whole"):
        output.close()
    assert (tmp_path / "out").read_bytes() == b"".join(rows[:16])


def test_lines_in_whole_members_are_counted(tmp_path, small_files):
    output = CompressedOutput(str(tmp_path / "out"), ".gz")
    for line in random_lines(40, 30):
        output.write(line)
    green.sleep(1.5)
    for line in random_lines(40, 10_000):
        output.write(line)
    with pytest.raises(OutputError, match="40, all whole"):
        output.close()
    assert gzip.decompress((tmp_path / "out").read_bytes()).count(b"\n") == 40


def random_lines(count, length):
    return [os.urandom(length).hex().encode() + b"\n" for _ in range(count)]


def test_a_file_can_be_gone_on_with(tmp_path):
    (tmp_path / "out").write_bytes(b"first\n")
    output = Output(str(tmp_path / "out"), append=True)
    output.write(b"second\n")
    output.close()
    assert (tmp_path / "out").read_bytes() == b"first\nsecond\n"


def test_a_torn_line_is_cut_off_a_file_that_is_gone_on_with(tmp_path, small_files):
    (tmp_path / "out").write_bytes(b"first\n")
    output = Output(str(tmp_path / "out"), append=True)
    output.write(b"x" * 10_000 + b"\n")
    with pytest.raises(OutputError, match="0, all whole"):
        output.close()
    assert (tmp_path / "out").read_bytes() == b"first\n"


def test_a_line_is_in_the_file_within_a_second(tmp_path):
    for sync in False, True:
        output = Output(str(tmp_path / "out"), sync=sync)
        output.write(b"alone\n")
        green.sleep(0.9)
        assert (tmp_path / "out").read_bytes() == b"alone\n"
        output.close()


def test_each_batch_is_synced_where_that_is_asked_for(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_size))
    for sync in False, True:
        output = Output(str(tmp_path / "out"), sync=sync)
        for line in numbered(20_000, 992):
            output.write(line)
        output.close()
    assert len(synced) == 3
    assert synced[-1] == 20_000_000


def test_a_pipe_is_not_synced(pipe):
    reading, path, _ = pipe
    output = Output(path, sync=True)
    output.write(b"line\n")
    output.close()
    assert os.read(reading.fileno(), 100) == b"line\n"


def test_a_disk_that_breaks_while_it_is_synced_is_told(tmp_path, monkeypatch):
    def broken(_descriptor):
        raise OSError(5, "Input/output error")

    output = Output(str(tmp_path / "out"), sync=True)
    output.write(b"line\n")
    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OutputError, match="cannot be written: Input/output error"):
        output.close()


def test_lines_are_appended_to_what_stdout_was_opened_for(tmp_path):
    path = tmp_path / "out"
    path.write_bytes(b"first\n")
    code = "output = Output(); output.write(b'second\\n'); output.close()"
    with path.open("ab") as stdout:
        assert run(code, stdout=stdout).stderr == ""
    assert path.read_bytes() == b"first\nsecond\n"


def test_a_torn_line_is_cut_off_an_appended_file_too(tmp_path):
    path = tmp_path / "out"
    path.write_bytes(b"first\n")
    code = ("import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
            "output = Output()\nfor _ in range(9): output.write(b'x' * 299 + b'\\n')\noutput.close()")
    with path.open("ab") as stdout:
        assert "Standard output cannot be written: File too large" in run(code, stdout=stdout).stderr
    assert path.read_bytes() == b"first\n" + (b"x" * 299 + b"\n") * 3


def test_a_closed_stdout_is_an_output_error():
    code = "from fetcher.files.output import Output; Output()"
    done = subprocess.run(["sh", "-c", 'exec "$0" -c "$1" >&-', sys.executable, code], check=False,
                          stderr=subprocess.PIPE, text=True)
    assert "OutputError: Standard output cannot be opened for writing: it is closed." in done.stderr


@pytest.mark.parametrize(("path", "reason"), [
    ("/", "Is a directory"), ("/nowhere/out", "No such file or directory"), ("", "No such file or directory"),
])
def test_a_path_that_cannot_be_opened_is_an_output_error(path, reason):
    with pytest.raises(OutputError, match=f"cannot be opened for writing: {reason}.$"):
        Output(path)
