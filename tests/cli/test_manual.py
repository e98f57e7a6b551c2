"""The manual page says what the command says, and man shows it."""
import shutil
import subprocess

import pytest

from docs import manual
from fetcher.cli.options import ALL


def test_it_is_made_from_the_command():
    assert manual.PATH.read_text() == manual.page(), "run `make man`"


def test_it_tells_of_each_option():
    page = manual.page().replace(r"\-", "-")
    assert [option.opts[-1] for option in ALL if option.opts[-1] not in page] == []


@pytest.mark.skipif(shutil.which("man") is None, reason="man is not installed")
def test_man_shows_it(tmp_path):
    done = subprocess.run(["man", "--warnings=all", "-l", str(manual.PATH)], capture_output=True, text=True, timeout=60,
                          env={"PATH": "/usr/bin:/bin", "MANWIDTH": "80", "LC_ALL": "C.UTF-8", "HOME": str(tmp_path)})
    assert (done.returncode, done.stderr) == (0, "")
    assert "fetcher - fetch every URL of a list, concurrently" in done.stdout
    assert "-c, --concurrency N" in done.stdout
    assert "fetcher urls.txt | jq 'select(.ok | not)'" in done.stdout
