import errno
import hashlib
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fetcher.errors import OutputError, SaveError
from fetcher.files.parts import Parts
from fetcher.model import Target
from fetcher.options import SaveOptions
from fetcher.sinks.bodies import BodyStore
from fetcher.sinks.room import RoomForBodies
from tests.sinks.results import bad, good

EARLIER = 1_000_000_000     # seconds; when files of an earlier run were written


@pytest.fixture
def saved(tmp_path):
    """Save a body in a new store, or in a given one. Return its path below the directory."""
    stores = []

    def save(url, body=b"body", line=1, store=None, name="{host}/{path}", since=0.0):
        if store is None:
            stores.append(store := BodyStore(SaveOptions(str(tmp_path / "dir"), name, since=since)))
        path = put(store, url, body, line)
        assert (tmp_path / "dir" / path).read_bytes() == body
        return path

    def put(store, url, body, line):
        file = store.body()
        for start in range(0, len(body), 40_000):
            file.write(body[start:start + 40_000])
        path = file.commit(Target.read(url, line), hashlib.sha256(body).hexdigest(), "text/plain")
        file.drop()
        return os.path.relpath(path, tmp_path / "dir")

    save.store = lambda name="{host}/{path}", since=0.0: stores.append(
        BodyStore(SaveOptions(str(tmp_path / "dir"), name, since=since))) or stores[-1]
    yield save
    for store in stores:
        store.close()


def files(directory):
    return sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*") if not path.is_dir())


def test_a_body_stands_where_its_url_says(saved, tmp_path):
    assert saved("http://a.example/x/y.txt") == "a.example/x/y.txt"
    assert files(tmp_path / "dir") == ["a.example/x/y.txt"]


def test_a_large_body_is_not_kept_in_memory(tmp_path):
    store = BodyStore(SaveOptions(str(tmp_path)))
    body = store.body()
    for _ in range(100):
        body.write(bytes(100_000))
    (part,) = files(tmp_path)
    assert part.endswith(".part")
    assert (tmp_path / part).stat().st_size >= 9_900_000
    body.drop()
    assert files(tmp_path) == []
    store.close()


def test_a_body_that_is_not_kept_leaves_nothing(saved, tmp_path):
    store = saved.store()
    for size in (10, 1_000_000):
        body = store.body()
        body.write(bytes(size))
        body.drop()
    assert files(tmp_path / "dir") == []


def test_files_have_the_rights_that_the_umask_leaves(saved, tmp_path):
    before = os.umask(0o027)
    try:
        path = saved("http://a.example/x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "dir" / path).stat().st_mode) == 0o640


def test_a_second_url_of_the_same_name_gets_a_mark(saved, tmp_path):
    store = saved.store()
    first = saved("http://a.example/x.txt", b"one", line=1, store=store)
    second = saved("https://a.example/x.txt", b"two", line=2, store=store)
    third = saved("https://a.example/x.txt", b"three", line=3, store=store)
    assert first == "a.example/x.txt"
    assert second.startswith("a.example/x~") and second.endswith(".txt")
    assert len({first, second, third}) == 3


def test_equal_bodies_of_the_same_name_share_a_file(saved, tmp_path):
    store = saved.store()
    assert saved("http://a.example/x", store=store) == saved("https://a.example/x", line=2, store=store)
    assert files(tmp_path / "dir") == ["a.example/x"]


def test_with_the_hash_as_its_name_a_body_is_stored_once(saved, tmp_path):
    store = saved.store("{sha256}.{ext}")
    names = {saved(f"http://a.example/{number}.txt", b"same", line=number, store=store) for number in range(3)}
    assert names == {hashlib.sha256(b"same").hexdigest() + ".txt"}
    assert files(tmp_path / "dir") == sorted(names)


def test_a_file_of_an_earlier_run_is_replaced(saved, tmp_path):
    path = tmp_path / "dir" / saved("http://a.example/x", b"old")
    os.utime(path, (EARLIER, EARLIER))
    assert saved("http://a.example/x", b"new", since=EARLIER + 60) == "a.example/x"
    assert files(tmp_path / "dir") == ["a.example/x"]


def test_a_run_that_goes_on_replaces_no_file_that_a_record_may_speak_of(saved, tmp_path):
    path = tmp_path / "dir" / saved("http://a.example/x", b"old")
    os.utime(path, (EARLIER, EARLIER))
    assert saved("https://a.example/x", b"new", since=0.0) != "a.example/x"
    assert path.read_bytes() == b"old"


def test_a_file_in_the_place_of_a_directory_stays(saved, tmp_path):
    store = saved.store()
    file = saved("http://a.example/x", b"file", store=store)
    below = saved("http://a.example/x/y/z.txt", b"below", line=2, store=store)
    assert below.startswith("a.example%2Fx%2Fy%2Fz~")
    assert files(tmp_path / "dir") == sorted([file, below])


def test_a_directory_in_the_place_of_a_file_stays(saved, tmp_path):
    store = saved.store()
    below = saved("http://a.example/x/y", b"below", store=store)
    file = saved("http://a.example/x", b"file", line=2, store=store)
    assert file.startswith("a.example/x~")
    assert files(tmp_path / "dir") == sorted([file, below])


def test_no_link_to_a_directory_is_followed(saved, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "dir").mkdir()
    (tmp_path / "dir" / "a.example").symlink_to(outside)
    assert saved("http://a.example/x").startswith("a.example%2Fx~")
    assert files(outside) == []


@pytest.mark.parametrize("shared", [False, True])
def test_a_directory_that_becomes_a_link_meanwhile_is_not_followed(saved, tmp_path, shared):
    store, outside = saved.store(), tmp_path / "outside"
    outside.mkdir()
    if shared:
        (outside / "y").write_bytes(b"precious")
    saved("http://a.example/b/x", store=store)
    (tmp_path / "dir" / "a.example" / "b").rename(tmp_path / "before")
    (tmp_path / "dir" / "a.example" / "b").symlink_to(outside)
    assert saved("http://a.example/b/y", line=2, store=store).startswith("a.example%2Fb%2Fy~")
    assert files(outside) == ["y"] * shared and files(tmp_path / "before") == ["x"]


def test_the_directory_itself_may_become_a_link_meanwhile(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    store = BodyStore(SaveOptions(str(tmp_path / "dir")))
    body = store.body()
    body.write(bytes(100_000))
    (tmp_path / "dir").rename(tmp_path / "before")
    (tmp_path / "dir").symlink_to(outside)
    body.commit(Target.read("http://a.example/x"), "", None)
    store.close()
    assert files(outside) == [] and files(tmp_path / "before") == ["a.example/x"]


def test_a_link_to_a_file_is_replaced_not_written_through(saved, tmp_path):
    outside = tmp_path / "outside"
    outside.write_bytes(b"precious")
    (tmp_path / "dir" / "a.example").mkdir(parents=True)
    (tmp_path / "dir" / "a.example" / "x").symlink_to(outside)
    assert saved("http://a.example/x") == "a.example/x"
    assert outside.read_bytes() == b"precious"


def test_a_directory_that_vanishes_is_made_again(saved, tmp_path):
    store = saved.store()
    path = tmp_path / "dir" / saved("http://a.example/x", store=store)
    path.unlink()
    path.parent.rmdir()
    assert saved("http://a.example/y", line=2, store=store)


def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path):
    (tmp_path / ".fetcher-0badcafe-1.part").write_bytes(b"torn")
    (tmp_path / "mine.part").write_bytes(b"precious")
    BodyStore(SaveOptions(str(tmp_path))).close()
    assert files(tmp_path) == ["mine.part"]


def test_what_another_run_is_writing_stays(saved, tmp_path):
    with_part = saved.store()
    body = with_part.body()
    body.write(bytes(100_000))
    saved("http://a.example/x")
    assert body.commit(Target.read("http://b.example/y"), "", None).endswith("b.example/y")


SAVING = """
import sys
from fetcher.model import Target
from fetcher.options import SaveOptions
from fetcher.sinks.bodies import BodyStore

directory, host, count, since = sys.argv[1:]
store = BodyStore(SaveOptions(directory, "{path}", since=float(since)))
print("ready", flush=True)
input()
for number in range(int(count)):
    body = store.body()
    body.write(f"{host} {number}".encode())
    print(body.commit(Target.read(f"http://{host}/{number}"), "", None), flush=True)
store.close()
"""


@pytest.mark.slow
@pytest.mark.parametrize("is_there", [False, True], ids=["free", "of-an-earlier-run"])
def test_processes_that_race_for_the_same_names_take_nothing_from_each_other(tmp_path, is_there):
    count, hosts = 1000, ["a.example", "b.example"]
    for number in range(count if is_there else 0):
        (tmp_path / str(number)).write_bytes(b"old")
        os.utime(tmp_path / str(number), (EARLIER, EARLIER))
    racing = [subprocess.Popen([sys.executable, "-c", SAVING, tmp_path, host, str(count), str(EARLIER + 60)],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                               env={"PYTHONPATH": str(Path(__file__).parents[2])}) for host in hosts]
    assert [process.stdout.readline() for process in racing] == ["ready\n"] * 2
    for process in racing:
        process.stdin.write("\n")
        process.stdin.flush()
    saved = [process.communicate()[0].splitlines() for process in racing]
    for host, paths in zip(hosts, saved, strict=True):
        assert [Path(path).read_text() for path in paths] == [f"{host} {number}" for number in range(count)]
    assert files(tmp_path) == sorted(os.path.relpath(path, tmp_path) for paths in saved for path in paths)


def test_where_there_are_no_links_bodies_are_saved_too(saved, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    store = saved.store()
    first, second = (saved(f"{scheme}://a.example/x", scheme.encode(), store=store) for scheme in ("http", "https"))
    assert first == "a.example/x"
    assert files(tmp_path / "dir") == sorted([first, second])


def test_bodies_are_numbered_in_steps_from_the_first(tmp_path):
    store = BodyStore(SaveOptions(str(tmp_path), "{n}", first=3, step=2))
    for _ in range(3):
        store.body().commit(Target.read("http://a.example/"), "", None)
    store.close()
    assert files(tmp_path) == ["3", "5", "7"]


def test_a_directory_that_cannot_be_used_is_an_output_error(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="file/dir cannot be written to"):
        BodyStore(SaveOptions(str(tmp_path / "file" / "dir")))


def test_what_cannot_be_written_is_an_error_of_its_url(tmp_path, monkeypatch):
    store = BodyStore(SaveOptions(str(tmp_path)))
    body = store.body()

    def full(*_):
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(SaveError, match="^The body cannot be saved: No space left on device.$"):
            body.write(bytes(100_000))
        with pytest.raises(OutputError, match="has no room for more bodies: No space left on device"):
            RoomForBodies(str(tmp_path)).write(bad("save"))
    body.drop()
    assert files(tmp_path) == []
    store.close()


def test_a_run_goes_on_where_another_body_can_be_saved(tmp_path):
    room = RoomForBodies(str(tmp_path))
    room.write(bad("save"))
    room.write(good())
    room.close()
    assert files(tmp_path) == []


def test_a_directory_that_vanished_ends_the_run_and_is_not_made_again(tmp_path):
    with pytest.raises(OutputError):
        RoomForBodies(str(tmp_path / "gone")).write(bad("save"))
    assert not (tmp_path / "gone").exists()


def test_parts_have_names_of_their_own(tmp_path):
    first, second = Parts(str(tmp_path)), Parts(str(tmp_path))
    opened = [parts.open() for parts in (first, first, second)]
    assert len({path for _, path in opened}) == 3
    for descriptor, _ in opened:
        os.close(descriptor)
    first.close()
    second.close()


PATHS = st.lists(st.sampled_from(["a", "A", "a.txt", "index.html", "", "x", "..", "con", "a~1", "%2e"]), max_size=3)
URLS = st.builds(lambda scheme, path, query: f"{scheme}://a.example/{'/'.join(path)}{query}",
                 st.sampled_from(["http", "https"]), PATHS, st.sampled_from(["", "?", "?q"]))
TEMPLATES = st.sampled_from(["{host}/{path}", "{path}", "{host}", "{n}", "{line}", "{ext}", "x", "{query}/{path}"])


@settings(max_examples=60, deadline=None)
@given(st.lists(URLS, min_size=1, max_size=8), TEMPLATES)
def test_never_are_two_bodies_in_one_file(tmp_path_factory, urls, template):
    root = tmp_path_factory.mktemp("bodies")
    store = BodyStore(SaveOptions(str(root / "dir"), template, since=0.0))
    paths = {}
    for line, url in enumerate(urls, start=1):
        body = store.body()
        body.write(f"{line} {url}".encode())
        paths[body.commit(Target.read(url, line), "", "text/html")] = f"{line} {url}"
    store.close()
    assert len(paths) == len(urls)
    assert {path: Path(path).read_text() for path in paths} == paths
    assert all(os.path.realpath(path).startswith(str(root / "dir") + os.sep) for path in paths)
    assert len(files(root)) == len(urls)
