"""A file that one run writes cannot be written by another one, under any name."""
import os

import pytest

from fetcher import green
from fetcher.errors import LockHeld
from fetcher.files.claims import claim, claimed, claimed_place, open_claimed, release
from fetcher.files.output import Output
from fetcher.files.replacing import Replacement, replace_file
from tests.cli.command import eventually
from tests.files.held import held_file


@pytest.fixture
def path(tmp_path):
    (tmp_path / "out").write_bytes(b"precious\n")
    return str(tmp_path / "out")


def fork():
    with green.forking():
        return os.fork()


def can_be_written(path):
    try:
        Output(path).close()
    except LockHeld:
        return False
    return True


def test_whoever_finds_it_held_is_told_by_whom(path):
    with held_file(path) as process, pytest.raises(LockHeld) as caught:
        open_claimed(path, os.O_WRONLY)
    assert str(caught.value) == f"{path} is being written by another run (process {process})."


@pytest.mark.parametrize("link", [os.symlink, os.link])
@pytest.mark.parametrize("append", [False, True])
def test_nothing_of_it_is_lost_under_another_name_either(path, tmp_path, link, append):
    other = str(tmp_path / "other")
    link(path, other)
    with held_file(path):
        with pytest.raises(LockHeld):
            Output(other, append=append)
        with pytest.raises(LockHeld), claimed([other]):
            raise AssertionError("it was not held")
    with open(path, "rb") as file:
        assert file.read() == b"precious\n"


def test_it_is_free_when_its_holder_is_gone(path):
    with held_file(path):
        pass
    Output(path).close()
    with held_file(path):
        pass


def test_a_process_may_claim_what_it_has_claimed(path):
    with claimed([path, "/nowhere/out"]):
        output = Output(path)
        output.write(b"line\n")
        output.close()
        with pytest.raises(AssertionError), held_file(path):
            pass
    with open(path, "rb") as file:
        assert file.read() == b"line\n"


@pytest.mark.parametrize("special", ["/dev/null", "pipe"])
def test_what_is_no_regular_file_is_shared(tmp_path, monkeypatch, special):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    first, second = (os.open(special, os.O_RDWR) for _ in range(2))
    for descriptor in first, second:
        claim(descriptor, special)
    child = fork()
    if not child:
        claim(second, special)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    for descriptor in first, second:
        release(descriptor)


@pytest.mark.parametrize("there", [False, True])
def test_a_place_is_claimed_before_there_is_a_file(tmp_path, there):
    path = str(tmp_path / "jar")
    if there:
        (tmp_path / "jar").touch()
    with claimed_place(path):
        with pytest.raises(AssertionError), held_file(path):
            pass
    assert os.path.exists(path) == there
    with claimed_place(path):
        replace_file(path, b"new", private=True)
    assert (tmp_path / "jar").read_bytes() == b"new"
    with claimed_place("/nowhere/jar"), claimed_place("/dev/null"):
        pass
    with held_file(path), pytest.raises(LockHeld), claimed_place(path):
        raise AssertionError("it was not held")


def test_a_child_that_outlives_its_parent_holds_nothing(path):
    reading, writing = os.pipe()
    parent = fork()
    if not parent:
        open_claimed(path, os.O_WRONLY)
        if not fork():
            os.read(reading, 1)
        os._exit(0)
    os.waitpid(parent, 0)
    try:
        eventually(lambda: can_be_written(path))      # the child may not have begun when its parent ends
    finally:
        os.write(writing, b".")
        for descriptor in reading, writing:
            os.close(descriptor)


def test_a_place_that_two_runs_mean_to_replace_is_the_first_ones(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "file")
    child = fork()
    first = None if not child else Replacement(str(tmp_path / "file"), claimed=True)
    if not child:
        while not list(tmp_path.glob(".*")):
            pass
        try:
            Replacement(str(tmp_path / "link"), claimed=True)
        except LockHeld:
            os._exit(75)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 75
    assert first is not None
    first.file.write(b"whole")
    first.commit()
    assert (tmp_path / "file").read_bytes() == b"whole"
    assert sorted(os.listdir(tmp_path)) == ["file", "link"]
