import gzip
import os
import shutil
import subprocess
import sys

import pytest

from fetcher.errors import LockHeld, OutputError
from fetcher.files.parts import Parts
from fetcher.files.spool import Spool
from fetcher.model import Beside, Exchange
from fetcher.sinks.warc import WarcFiles
from tests.files.held import held_file
from tests.sinks.results import bad, good

archiveiterator = pytest.importorskip("warcio.archiveiterator")


def answered(body=b"body", url="http://a.example/x", **more):
    exchange = {"request": b"GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n", "status": 200, "http_version": "1.1",
                "fields": (("content-type", "text/plain"),), "body": body, "spooled": None, "whole": True,
                "remote_ip": "192.0.2.1", **more}
    return good(url, beside=Beside((Exchange(url, **exchange),)), attempts=1, timestamp=1.5)


def write(path, *results, **options):
    archive = WarcFiles(str(path), **options)
    for result in results:
        archive.write(result)
    archive.close()


def records(path):
    """Return the type, header and body of each record, as a reader sees them."""
    with open(path, "rb") as file:
        return [(record.rec_type, record, record.content_stream().read())
                for record in archiveiterator.ArchiveIterator(file)]


def types(path):
    return [kind for kind, _, _ in records(path)]


def check(*paths):
    """Check that `warcio check` accepts them."""
    done = subprocess.run([sys.executable, "-m", "warcio.cli", "check", *map(str, paths)], capture_output=True)
    assert (done.returncode, done.stdout) == (0, b"")


def test_an_answer_is_a_response_its_request_and_metadata(tmp_path):
    path = tmp_path / "a.warc.gz"
    write(path, answered())
    assert types(path) == ["warcinfo", "response", "request", "metadata"]
    (_, info, software), (_, response, body), (_, request, _), (_, metadata, told) = records(path)
    assert info.rec_headers["WARC-Filename"] == "a.warc.gz" and b"software: fetcher/" in software
    assert (response.rec_headers["WARC-Target-URI"], body) == ("http://a.example/x", b"body")
    assert response.rec_headers["WARC-Date"] == "1970-01-01T00:00:01.500Z"
    assert response.rec_headers["WARC-IP-Address"] == "192.0.2.1"
    assert response.http_headers.statusline == "200 OK"
    assert request.rec_headers["WARC-Concurrent-To"] == response.rec_headers["WARC-Record-ID"]
    assert b"fetchTimeMs: 10\r\n" in told
    check(path)


def test_a_payload_that_came_before_is_a_revisit(tmp_path):
    path = tmp_path / "a.warc.gz"
    write(path, answered(), answered(url="http://b.example/"), answered(b"", url="http://c.example/"),
          answered(b"", url="http://d.example/"))
    kinds = [kind for kind in types(path) if kind in ("response", "revisit")]
    assert kinds == ["response", "revisit", "response", "response"]
    revisit = next(record for kind, record, _ in records(path) if kind == "revisit")
    assert revisit.rec_headers["WARC-Refers-To-Target-URI"] == "http://a.example/x"
    check(path)


def test_a_body_stays_in_its_coding_and_is_said_to_be_in_no_chunks(tmp_path):
    path = tmp_path / "a.warc.gz"
    fields = (("content-encoding", "gzip"), ("transfer-encoding", "chunked"))
    write(path, answered(gzip.compress(b"text"), fields=fields))
    _, response, body = records(path)[1]
    assert body == b"text"
    assert response.http_headers["x-archive-orig-transfer-encoding"] == "chunked"
    assert "transfer-encoding" not in response.http_headers
    check(path)


def test_a_failure_without_an_answer_is_metadata_alone(tmp_path):
    path = tmp_path / "a.warc.gz"
    write(path, bad("dns", url="http://user:***@b.example/#part", final_url=None, attempts=2), bad("robots"))
    assert types(path) == ["warcinfo", "metadata"]
    _, metadata, told = records(path)[1]
    assert metadata.rec_headers["WARC-Target-URI"] == "http://b.example/"
    assert b"error: dns\r\n" in told and b"attempts: 2\r\n" in told
    check(path)


@pytest.mark.parametrize(("error", "reason"), [("too_large", "length"), ("incomplete", "disconnect"),
                                               ("timeout", "time"), ("decode", "unspecified")])
def test_a_body_that_was_cut_off_says_why(tmp_path, error, reason):
    path = tmp_path / "a.warc.gz"
    whole = answered()
    torn = bad(error, beside=answered(whole=False).beside, attempts=1)
    write(path, torn, whole)
    assert records(path)[1][1].rec_headers["WARC-Truncated"] == reason
    assert types(path).count("response") == 2
    check(path)


def test_a_long_body_is_read_from_its_file_which_is_removed(tmp_path):
    parts = Parts(str(tmp_path))
    spool = Spool(parts)
    for _ in range(30):
        spool.write(bytes(100_000))
    assert spool.content == b"" and os.path.getsize(spool.file) == 3_000_000
    write(tmp_path / "a.warc.gz", answered(spool.content, spooled=spool.file))
    parts.close()
    assert [path.name for path in tmp_path.iterdir()] == ["a.warc.gz"]
    assert records(tmp_path / "a.warc.gz")[1][2] == bytes(3_000_000)


def test_a_file_that_is_large_is_followed_by_the_next(tmp_path):
    write(tmp_path / "a.warc.gz", *(answered(os.urandom(5000), url=f"http://a.example/{n}") for n in range(5)),
          max_bytes=8000)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["a-00001.warc.gz", "a-00002.warc.gz", "a.warc.gz"]
    assert {types(tmp_path / name)[0] for name in names} == {"warcinfo"}
    check(*(tmp_path / name for name in names))


def test_no_file_is_empty(tmp_path):
    write(tmp_path / "none.warc.gz")
    write(tmp_path / "a.warc.gz", answered(os.urandom(9000)), max_bytes=8000)       # full, and nothing follows
    assert [path.name for path in tmp_path.iterdir()] == ["a.warc.gz"]


def test_what_is_there_already_stays(tmp_path):
    write(tmp_path / "a.warc.gz", answered())
    before = (tmp_path / "a.warc.gz").read_bytes()
    write(tmp_path / "a.warc.gz", answered(b"other"))
    assert (tmp_path / "a.warc.gz").read_bytes() == before
    assert records(tmp_path / "a-00001.warc.gz")[1][2] == b"other"


@pytest.mark.slow
@pytest.mark.parametrize("torn_bytes", [0, 1, 7, 100, 400])
def test_what_a_killed_run_tore_is_cut_off(tmp_path, torn_bytes):
    write(tmp_path / "a.warc.gz", answered(os.urandom(1000)))
    content = (tmp_path / "a.warc.gz").read_bytes()
    (tmp_path / "a.warc.gz").unlink()
    (tmp_path / "a.warc.gz.open").write_bytes(content[:len(content) - torn_bytes])
    write(tmp_path / "a.warc.gz", answered(b"next"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-00001.warc.gz", "a.warc.gz"]
    kinds = types(tmp_path / "a.warc.gz")
    assert kinds == ["warcinfo", "response", "request", "metadata"][:len(kinds)]
    assert len(kinds) >= 2 if torn_bytes else len(kinds) == 4
    check(tmp_path / "a.warc.gz", tmp_path / "a-00001.warc.gz")


def test_a_file_of_which_nothing_is_whole_is_begun_again(tmp_path):
    (tmp_path / "a.warc.gz.open").write_bytes(b"\x1f\x8b\x08torn")
    write(tmp_path / "a.warc.gz", answered())
    assert [path.name for path in tmp_path.iterdir()] == ["a.warc.gz"]
    check(tmp_path / "a.warc.gz")


def test_two_runs_do_not_write_the_same_archive(tmp_path):
    (tmp_path / "a.warc.gz.open").touch()
    with held_file(str(tmp_path / "a.warc.gz.open")), pytest.raises(LockHeld, match="is being written by another run"):
        WarcFiles(str(tmp_path / "a.warc.gz"))


def test_where_no_more_can_be_written_what_is_written_stays_whole(tmp_path, monkeypatch):
    archive = WarcFiles(str(tmp_path / "a.warc.gz"))
    archive.write(answered())
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:50]) if len(data) > 200 else full())

    def full():
        raise OSError(28, os.strerror(28))

    for _ in range(2):
        with pytest.raises(OutputError, match="a.warc.gz cannot be written: No space left on device; its records are"):
            archive.write(answered(os.urandom(1000)))
    monkeypatch.undo()
    archive.close()
    assert types(tmp_path / "a.warc.gz") == ["warcinfo", "response", "request", "metadata"]
    check(tmp_path / "a.warc.gz")


def test_other_names_and_a_missing_extra_are_told(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="ends with .warc.gz"):
        WarcFiles(str(tmp_path / "a.warc"))
    monkeypatch.setitem(sys.modules, "warcio.warcwriter", None)
    with pytest.raises(ValueError, match="--warc needs more packages: .* -m pip install 'warcio>="):
        WarcFiles(str(tmp_path / "a.warc.gz"))


@pytest.mark.skipif(shutil.which("cdx-indexer") is None, reason="pywb is not installed")
def test_pywb_makes_an_index_of_it(tmp_path):
    write(tmp_path / "a.warc.gz", answered(), answered(url="http://b.example/"))
    done = subprocess.run(["cdx-indexer", str(tmp_path / "a.warc.gz")], capture_output=True, check=True, text=True)
    assert len([line for line in done.stdout.splitlines() if " 200 " in line or "revisit" in line]) == 2


def test_what_went_over_http2_is_written_so_that_readers_understand_it(tmp_path):
    path = tmp_path / "a.warc.gz"
    write(path, answered(http_version="2"))
    check(path)
    (answer,) = [record for kind, record, _ in records(path) if kind == "response"]
    assert (answer.http_headers.protocol, answer.http_headers.get_statuscode()) == ("HTTP/1.1", "200")
    assert answer.rec_headers.get_header("WARC-Protocol") == "h2"
