"""Shells complete commands, options, their values and files, with the script of `fetcher completion`."""
import shlex
import shutil
import sys

import pytest

from tests.cli.test_start import LOADED

needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
# Completes the words of the line as readline would, and prints what it found.
BASH = """
eval "$($FETCHER completion bash)"
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
compopt() { echo "compopt $1 $2"; }
_fetcher_completion "$FETCHER"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def completed(fetcher):
    """Return bash's completions of words, of which the last is not finished."""
    program = fetcher.home / "bin" / "fetcher"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m fetcher "$@"\n')
    program.chmod(0o755)
    (fetcher.home / "bin" / "complete.sh").write_text(BASH)

    def complete(*words):
        done = fetcher.shell(f"bash bin/complete.sh fetcher {shlex.join(words)}", FETCHER=str(program))
        assert (done.status, done.err) == (0, "")
        return done.out.split("\n")[:-1]

    return complete


@needs_bash
@pytest.mark.parametrize(("words", "expected"), [
    (["st"], ["state", "status"]),
    (["comp"], ["completion"]),
    (["--retry-f"], ["--retry-failed"]),
    (["get", "--retry-f"], ["--retry-failed"]),
    (["-f", "js"], ["jsonl"]),
    (["-c", "5", "--only", ""], ["ok", "failed", "changed", "unexpected"]),
    (["serve", "--po"], ["--port"]),
    (["completion", ""], ["bash", "zsh", "fish"]),
    (["-o", "x"], ["compopt -o default", ""]),
    (["--save-dir", "x"], ["compopt -o dirnames", ""]),
    (["-c", "5", "st"], ["compopt -o default", ""]),
    (["state", "x"], ["compopt -o default", ""]),
])
def test_bash_completes(completed, words, expected):
    assert completed(*words) == expected


@needs_bash
def test_files_stand_beside_the_commands(completed, fetcher):
    (fetcher.home / "statuses").mkdir()
    (fetcher.home / "stations.txt").touch()
    assert completed("sta") == ["state", "status", "stations.txt", "statuses/"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_takes_its_script(fetcher, shell):
    done = fetcher("completion", shell)
    assert (done.status, done.err) == (0, "")
    assert "_FETCHER_COMPLETE" in done.out
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    (fetcher.home / "script").write_text(done.out)
    assert fetcher.shell(f"{shell} -n script").status == 0


def test_it_is_quick(fetcher):
    """The completion runs at each press of the key."""
    done = fetcher.python(LOADED, _FETCHER_COMPLETE="bash_complete", COMP_WORDS="fetcher --out", COMP_CWORD="1")
    assert done.out == "plain,--output\n"
    assert set(done.err.split()) & {"eventlet", "greenlet", "rich", "orjson", "ssl", "asyncio"} == set()
