"""No two files of a run may be one, and "-" is stdout."""
import json
import os

import pytest

SOME = "http://no-such-host.invalid/"


def refused(done):
    """Return the only line on stderr of a command that refused to begin."""
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1), done.err
    return done.err


@pytest.mark.parametrize("option", ["-o", "--summary", "--metrics", "--cookie-jar", "--sqlite", "--parquet", "--state",
                                    "--lock"])
def test_nothing_is_written_over_the_list(fetcher, option):
    fetcher.list(SOME)
    assert "./list is the list itself; name another file with --" in refused(fetcher(option, "./list", "list"))
    assert (fetcher.home / "list").read_text() == f"{SOME}\n"


@pytest.mark.parametrize(("arguments", "expected"), [
    (["-o", "a", "--summary", "a"], "a is the file of --output, too; name another file with --summary."),
    (["--metrics", "a", "--summary", "./a"], "a is the file of --summary, too; name another file with --metrics."),
    (["-o", "a", "--sqlite", "a"], "a is the file of --output, too; name another file with --sqlite."),
    (["-d", "@list", "-o", "list"], "list is the file of --data, too; name another file with --output."),
    (["--retry-failed", "list", "-o", "list"], "list is the file of --retry-failed, too; name another file with"),
    (["--config", "a.toml", "-o", "a.toml"], "a.toml is the file of --config, too; name another file with --output."),
])
def test_two_options_do_not_share_a_file(fetcher, arguments, expected):
    fetcher.list(SOME)
    (fetcher.home / "a.toml").write_text("retries = 0\n")
    assert expected in refused(fetcher(*arguments, SOME))


def test_records_do_not_become_lines_of_their_list(fetcher):
    fetcher.list(SOME)
    for line in "$fetcher list >>list", "$fetcher - <list >>list", "$fetcher --summary - -o out list >>list":
        assert "Standard output is the list itself; send it elsewhere." in refused(fetcher.shell(line))
    assert (fetcher.home / "list").read_text() == f"{SOME}\n"


def test_a_jar_is_read_and_written_as_with_curl(fetcher, server):
    (fetcher.home / "jar").write_text("# Netscape HTTP Cookie File\n")
    assert fetcher("-b", "jar", "--cookie-jar", "jar", server.url("/bytes/1")).status == 0


def test_devices_are_no_files(fetcher, server):
    os.mkfifo(fetcher.home / "pipe")
    options = "-o /dev/null --summary /dev/null --metrics pipe"
    done = fetcher.shell(f"cat pipe & $fetcher {options} {server.url('/bytes/1')}")
    assert done.status == 0, done.err
    assert "fetcher_run_urls" in done.out


def test_a_dash_is_stdout(fetcher, server):
    done = fetcher("-o", "-", "--summary", "-", server.url("/bytes/1"))
    record, _, summary = done.out.partition("\n")
    assert json.loads(record)["ok"] is True
    assert json.loads(summary)["urls"] == 1
    assert not (fetcher.home / "-").exists()
