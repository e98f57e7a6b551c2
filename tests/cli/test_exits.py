"""Each way to end has its exit status, and at most one line that says what to do."""
import os
import sys

import pytest

from fetcher.cli import main
from tests.cli.command import Finished

SOME = "http://no-such-host.invalid/"


def complaint(done, status=2):
    """Return the only line on stderr of a command that failed."""
    assert (done.status, done.out, done.err.count("\n")) == (status, "", 1), done.err
    assert done.err.startswith("fetcher: ")
    return done.err.removeprefix("fetcher: ").rstrip("\n")


@pytest.mark.parametrize(("arguments", "expected"), [
    ([], "There is nothing to fetch: name a file of URLs, a URL, or - for stdin. See fetcher -h."),
    (["get"], "There is nothing to fetch: name a file of URLs, a URL, or - for stdin. See fetcher get -h."),
    (["missing"], "There is no file 'missing'; a URL begins with http:// or https://."),
    (["example.com"], "There is no file 'example.com'; a URL begins with http:// or https://."),
    (["."], "'.' is a directory; name the files in it that are to be read."),
    ([SOME, "missing"], "There is no file 'missing'; a URL begins with http:// or https://."),
    (["/proc/self/mem"], "'/proc/self/mem' cannot be read: Input/output error."),
    (["-c"], "Option '-c' requires an argument. See fetcher -h."),
    (["serve", "more"], "Got unexpected extra argument (more). See fetcher serve -h."),
])
def test_wrong_usage_and_unreadable_lists_are_status_2(fetcher, arguments, expected):
    assert complaint(fetcher(*arguments)) == expected


@pytest.mark.parametrize(("arguments", "command"), [
    (["--colour", SOME], "fetcher"), (["get", "--colour"], "fetcher get"), (["demo", "--colour"], "fetcher demo"),
    (["serve", "--colour"], "fetcher serve"),
])
def test_an_unknown_option_is_status_2(fetcher, arguments, command):
    line = complaint(fetcher(*arguments))
    assert line.startswith("No such option")
    assert line.endswith(f" See {command} -h.")


@pytest.mark.parametrize(("option", "value", "expected"), [
    ("-c", "0", "'0' is not a whole number from 1 to 50,000."),
    ("--limit", "all", "'all' is not a whole number of at least 1."),
    ("-m", "0", "'0' is not a duration; write seconds above 0, or 500ms, 10s, 2m, 1h."),
    ("--accept", "200-", "'200-' is not a status or a range of statuses; write 200-299,304 or 2xx."),
    ("--expect", "", "an empty text is in every body."),
    ("--expect-not", "/(/", "'/(/' is not a valid RE2 expression: missing ): (."),
    ("--expect-bytes", "0", "'0' is too small; write at least 1."),
    ("--accept", "299-200", "'299-200' is not a range of statuses, which go from 100 to 999."),
    ("--max-size", "big", "'big' is not a size; write bytes, or 500k, 10M, 1G."),
    ("-H", "Accept", "There is no colon in it; write 'Name: value'."),
    ("--rate", "5", "'5' is not a rate; write 50/s, 30/m or 1/10s."),
    ("--per-host-rate", "0/s", "'0/s' is not a rate; write 50/s, 30/m or 1/10s."),
    ("--shard", "3/2", "'3/2' is not a shard; write I/N, as in 1/4."),
    ("--retry-on", "503,bad", "'bad' is not a status from 200 to 599 or one of dns, connect, tls, proxy, timeout, "),
    ("-H", "A b: c", "'A b' is not the name of a header field."),
    ("-X", "GET /", "'GET /' is not a method that can be sent; write GET, HEAD, POST or the like."),
    ("-r", "all", "'all' is not a range of bytes; write 0-499, 500- or -500."),
    ("-d", "@missing", "missing cannot be read: No such file or directory."),
    ("-f", "xml", "'xml' is not one of 'auto', 'table', 'jsonl', 'csv', 'tsv', 'md', 'junit', 'none'."),
    ("--only", "some", "'some' is not one of 'ok', 'failed', 'changed', 'unexpected'."),
    ("--include", "body,soul", "'soul' is not one of body, headers, timings, tls."),
    ("--resolve", "here", "'here' is not HOST:PORT:ADDRESS, as in example.com:443:127.0.0.1."),
    ("--cacert", "missing", "File 'missing' does not exist."),
    ("--cacert", "list", "the certificates in list cannot be used"),
    ("--cert", "list", "the certificates in list cannot be used"),
    ("-b", "missing", "the cookies in missing cannot be read: No such file or directory."),
    ("-x", "ftp://proxy", "the proxy's scheme 'ftp' is not one of http, https, socks4, socks4a, socks5, socks5h."),
    ("--dns-server", "nowhere", "nowhere is not the address of a name server."),
    ("--config", "missing", "The configuration missing cannot be read: No such file or directory."),
    ("--config", "list", "The configuration list is not TOML: "),
])
def test_bad_values_are_status_2(fetcher, monkeypatch, capsys, option, value, expected):
    monkeypatch.chdir(fetcher.home)
    monkeypatch.setattr(sys, "argv", ["fetcher", option, value, fetcher.list(SOME)])
    with pytest.raises(SystemExit) as caught:
        main()
    line = complaint(Finished(caught.value.code, *capsys.readouterr()))
    assert expected in line
    assert line.endswith(" See fetcher -h.")


def test_the_list_is_not_written_over(fetcher):
    done = fetcher("-o", "./list", fetcher.list(SOME))
    assert complaint(done) == "./list is the list itself; name another file with --output. See fetcher -h."
    done = fetcher.shell("$fetcher - -o list <list")
    assert complaint(done) == "list is the list itself; name another file with --output. See fetcher -h."
    assert (fetcher.home / "list").read_text() == f"{SOME}\n"


def test_an_unreadable_list_leaves_the_output_as_it_was(fetcher):
    (fetcher.home / "out").write_text("kept")
    complaint(fetcher("-o", "out", "missing"))
    assert (fetcher.home / "out").read_text() == "kept"


@pytest.mark.parametrize("command", [
    "$fetcher -o /dev/full list", "$fetcher -f csv -o /dev/full list", "$fetcher list >/dev/full",
    "$fetcher -h >/dev/full", "$fetcher --version >/dev/full", "$fetcher --dry-run list >/dev/full",
])
def test_a_full_disk_is_status_74(fetcher, command):
    fetcher.list(SOME)
    assert "cannot be written: No space left on device" in complaint(fetcher.shell(command), 74)


@pytest.mark.parametrize(("output", "expected"), [
    ("missing/out", "missing/out cannot be opened for writing: No such file or directory."),
    (".", ". cannot be opened for writing: Is a directory."),
])
def test_an_output_that_cannot_be_opened_is_status_74(fetcher, output, expected):
    assert complaint(fetcher("-o", output, SOME), 74) == expected


def test_a_closed_stdout_is_status_74(fetcher):
    line = complaint(fetcher.shell(f"$fetcher {SOME} >&-"), 74)
    assert line == "Standard output cannot be opened for writing: it is closed."


def test_a_closed_stdout_does_not_matter_where_the_records_go_elsewhere(fetcher):
    assert fetcher.shell(f"$fetcher -q -o out {SOME} >&- 2>&- <&-").status == 1
    assert len((fetcher.home / "out").read_text().splitlines()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("stderr", [">&-", ">/dev/full"])
def test_a_stderr_that_cannot_be_written_changes_no_status(fetcher, server, stderr):
    url = server.url("/bytes/10")
    for arguments, status in (url, 0), (f"-v {url}", 0), (f"-o out {url}", 0), ("missing", 2), (SOME, 1):
        done = fetcher.shell(f"$fetcher {arguments} 2{stderr}")
        assert (arguments, done.status) == (arguments, status)
        assert "fetcher:" not in done.out


@pytest.fixture
def abandoned():
    """A pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


def test_nobody_needs_to_read_the_summary(fetcher, server, abandoned):
    process = fetcher.start("-o", "out", server.url(), stderr=abandoned)
    out, _err = process.communicate()
    assert (process.returncode, out) == (0, b"")


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["-h"], ["--version"], ["--dry-run", SOME], [SOME]])
def test_a_stdout_that_nobody_reads_is_status_141(fetcher, abandoned, arguments):
    process = fetcher.start(*arguments, stdout=abandoned)
    _out, err = process.communicate()
    assert (process.returncode, err) == (141, b"")
