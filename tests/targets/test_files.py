import gzip
import os
import pty
import socket
import tty
from contextlib import closing

import pytest
import zstandard

from fetcher import green
from fetcher.errors import InputError
from fetcher.targets.files import BLOCK_SIZE, File


@pytest.fixture
def pipe():
    reading, writing = os.pipe()
    ends = [os.fdopen(reading, "rb", 0), os.fdopen(writing, "wb", 0)]
    yield ends
    for end in ends:
        end.close()


def descriptors() -> list[str]:
    """Return the descriptors that are open. Start the hub first, since it has some of its own."""
    green.hub()
    return os.listdir("/dev/fd")


def whole(file: File) -> bytes:
    return b"".join(file.blocks())


def refusal(path, stdin=0) -> str:
    with pytest.raises(InputError) as caught:
        File(str(path), stdin)
    return str(caught.value)


def test_a_file_comes_in_blocks(tmp_path):
    content = os.urandom(BLOCK_SIZE).hex().encode() + b"x"
    (tmp_path / "list").write_bytes(content)
    blocks = list(File(str(tmp_path / "list")).blocks())
    assert b"".join(blocks) == content
    assert [len(block) for block in blocks] == [BLOCK_SIZE, BLOCK_SIZE, 1]


def test_an_empty_file_has_no_blocks(tmp_path):
    (tmp_path / "list").touch()
    assert list(File(str(tmp_path / "list")).blocks()) == []


def test_a_large_file_leaves_others_their_turn(tmp_path):
    (tmp_path / "list").write_bytes(b"x" * BLOCK_SIZE * 5)
    turns = []
    other = green.spawn(lambda: [turns.append(green.sleep(0)) for _ in range(3)])
    whole(File(str(tmp_path / "list")))
    assert len(turns) == 3
    other.wait()


def test_a_file_that_is_standard_input_is_read_from_where_it_stands_by_two_at_once(tmp_path):
    (tmp_path / "list").write_bytes(b"skipped\nhttp://a/\n")
    with open(tmp_path / "list", "rb", buffering=0) as stdin:
        stdin.seek(8)
        file = File("-", stdin.fileno())
        assert file.is_regular
        assert next(file.blocks()) == whole(file) == b"http://a/\n"


def test_no_descriptor_is_left_open(tmp_path):
    (tmp_path / "list").write_bytes(b"http://a/\n")
    before = descriptors()
    file = File(str(tmp_path / "list"))
    whole(file)
    with closing(file.blocks()) as given_up:
        next(given_up)
    assert descriptors() == before


def test_a_pipe_is_waited_for_while_others_run(pipe):
    reading, writing = pipe
    blocks = File("-", reading.fileno()).blocks()

    def write_slowly():
        for block in b"first\n", b"second\n":
            green.sleep(0.01)
            writing.write(block)
        writing.close()

    green.spawn_n(write_slowly)
    assert green.spawn(list, blocks).wait() == [b"first\n", b"second\n"]


def test_a_pipe_that_was_made_non_blocking_is_waited_for_all_the_same(pipe):
    reading, writing = pipe
    os.set_blocking(reading.fileno(), False)
    green.call_later(0.01, writing.write, b"late")
    green.call_later(0.02, writing.close)
    assert whole(File("-", reading.fileno())) == b"late"


def test_a_reader_that_is_killed_while_it_waits_leaves_nothing_behind(pipe):
    reading, _writing = pipe
    before = descriptors()
    waiting = green.spawn(list, File("-", reading.fileno()).blocks())
    green.sleep(0.01)
    waiting.kill()
    assert descriptors() == before


def test_a_named_pipe_waits_for_its_writer(tmp_path):
    path = str(tmp_path / "fifo")
    os.mkfifo(path)

    def write_later():
        with open(path, "wb", buffering=0) as fifo:
            fifo.write(b"http://a/\n")

    file = File(path)
    green.call_later(0.05, write_later)
    assert whole(file) == b"http://a/\n"


def test_process_substitution_is_read(pipe):
    reading, writing = pipe
    writing.write(b"http://a/\n")
    writing.close()
    assert whole(File(f"/dev/fd/{reading.fileno()}")) == b"http://a/\n"


def test_a_socket_is_read():
    here, there = socket.socketpair()
    with here, there:
        file = File("/dev/stdin", here.fileno())
        green.call_later(0.01, there.sendall, b"http://a/\n")
        green.call_later(0.02, there.shutdown, socket.SHUT_WR)
        assert whole(file) == b"http://a/\n"


def test_a_terminal_is_read_until_the_end_of_file_key():
    here, there = pty.openpty()
    try:
        green.call_later(0.01, os.write, here, b"http://a/\n\x04")
        assert whole(File("-", there)) == b"http://a/\n"
    finally:
        os.close(here)
        os.close(there)


def test_the_null_device_is_empty():
    with open(os.devnull, "rb") as null:
        assert list(File("-", null.fileno()).blocks()) == list(File(os.devnull).blocks()) == []


def test_a_missing_file_may_be_meant_as_a_url():
    assert refusal("example.com") == "There is no file 'example.com'; a URL begins with http:// or https://."


def test_a_directory_is_refused(tmp_path):
    assert refusal(tmp_path) == f"'{tmp_path}' is a directory; name the files in it that are to be read."
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        assert refusal("-", descriptor) == "Standard input is a directory; name the files in it that are to be read."
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("make", [lambda path: path.touch(), os.mkfifo])
def test_a_file_that_may_not_be_read_is_refused(tmp_path, make):
    path = tmp_path / "list"
    make(path)
    path.chmod(0)
    user = os.getresuid()
    if os.geteuid() == 0:
        os.setresuid(65534, 65534, 0)
    try:
        assert refusal(path) == f"'{path}' may not be read; look at its permissions (ls -l)."
    finally:
        os.setresuid(*user)


def test_standard_input_that_is_closed_is_refused(pipe):
    reading, _writing = pipe
    descriptor = os.dup(reading.fileno())
    os.close(descriptor)
    assert refusal("-", descriptor) == "Standard input cannot be read: Bad file descriptor."


def test_an_error_before_the_first_line_is_found_at_once():
    if os.path.exists("/proc/self/mem"):
        assert refusal("/proc/self/mem") == "'/proc/self/mem' cannot be read: Input/output error."


def test_an_error_in_the_middle_ends_the_list():
    here, there = pty.openpty()
    try:
        tty.setraw(there)
        os.write(there, b"http://a/\n")
        blocks = File("-", here).blocks()
        assert next(blocks) == b"http://a/\n"
        os.close(there)
        with pytest.raises(InputError, match="Standard input cannot be read: Input/output error."):
            next(blocks)
    finally:
        os.close(here)


def test_a_name_that_is_not_utf8_can_be_shown(tmp_path):
    path = os.path.join(os.fsencode(tmp_path), b"caf\xe9")
    open(path, "wb").close()
    assert File(os.fsdecode(path)).name == f"{tmp_path}/caf\ufffd"


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_compressed_list_is_read_through_from_a_file_and_a_pipe(tmp_path, pipe, pack):
    content = b"http://a/\n" * 50_000
    (tmp_path / "list").write_bytes(pack(content))
    file = File(str(tmp_path / "list"))
    assert (whole(file), file.is_regular, file.is_seekable) == (content, True, False)
    assert max(map(len, file.blocks())) == BLOCK_SIZE
    reading, writing = pipe
    writing.write(pack(content))
    writing.close()
    assert whole(File("-", reading.fileno())) == content


def test_a_compressed_list_leaves_others_their_turn(tmp_path):
    (tmp_path / "list").write_bytes(gzip.compress(b"x" * BLOCK_SIZE * 5))
    turns = []
    other = green.spawn(lambda: [turns.append(green.sleep(0)) for _ in range(3)])
    whole(File(str(tmp_path / "list")))
    assert len(turns) == 3
    other.wait()


def test_a_compressed_list_that_is_broken_says_so_when_that_is_met(tmp_path):
    path = tmp_path / "list.gz"
    path.write_bytes(gzip.compress(os.urandom(BLOCK_SIZE * 3).hex().encode())[:-1])
    blocks = File(str(path)).blocks()
    assert len(next(blocks)) <= BLOCK_SIZE
    with pytest.raises(InputError) as caught:
        list(blocks)
    assert str(caught.value) == f"'{path}' ends in the middle of its gzip data: it is not whole."
    path.write_bytes(b"\x1f\x8brubbish")
    assert refusal(path).startswith(f"'{path}' is broken in its gzip data: ")


def test_a_compressed_list_in_utf16_is_read(tmp_path):
    (tmp_path / "list").write_bytes(gzip.compress("http://ä/\n".encode("utf-16")))
    assert whole(File(str(tmp_path / "list"))).decode("utf-8-sig") == "http://ä/\n"


def test_a_list_in_broken_utf16_says_so(tmp_path):
    (tmp_path / "list").write_bytes("http://a/\n".encode("utf-16") + b"h")
    with pytest.raises(InputError) as caught:
        whole(File(str(tmp_path / "list")))
    assert str(caught.value) == f"'{tmp_path / 'list'}' is broken in its UTF-16 text: truncated data."


def test_what_is_no_text_is_refused_by_name_from_a_file_and_from_a_pipe(tmp_path, pipe):
    (tmp_path / "list.csv").write_bytes(b"%PDF-1.7\n")
    assert refusal(tmp_path / "list.csv") == (
        f"'{tmp_path / 'list.csv'}' is a PDF document, not text; take the text out first: pdftotext.")
    (tmp_path / "list.gz").write_bytes(gzip.compress(b"\x7fELF" + bytes(100)))
    assert refusal(tmp_path / "list.gz") == f"'{tmp_path / 'list.gz'}' is a program, not text."
    reading, writing = pipe
    writing.write(b"\x89PNG\r\n\x1a\n")
    writing.close()
    with pytest.raises(InputError, match="^Standard input is a picture, not text.$"):
        whole(File("-", reading.fileno()))
