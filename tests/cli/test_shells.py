"""The tab key in the real shells: a terminal, a prompt, what is typed, and what the shell shows."""
import os
import pty
import re
import select
import shlex
import shutil
import subprocess
import sys
import time

import pytest

from tests.cli.command import PATIENCE
from tests.cli.terminal import _IN_FOREGROUND

_CONTROL = re.compile(r"\x1b\[[0-9;?<>=]*[ -/]*[@-~]|\x1b[()][A-Z0-9]|\x1b\][^\x07]*(?:\x07|\x1b\\)|\x1b[=>]|"
                      r"[\r\x08\x07]")
_READY = "ready$"
# How each shell is started without the files of a user, and learns to complete, as `fetcher completion -h` says.
_SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"],
             "bind 'set enable-bracketed-paste off'; bind 'set page-completions off'\n"
             "bind 'set show-all-if-ambiguous on'\n"
             "eval \"$(fetcher completion bash)\"\nPS1='rea''dy$ '\n"),
    "zsh": (["zsh", "-f", "-i"], "eval \"$(fetcher completion zsh)\"; unsetopt prompt_sp; PS1='rea''dy$ '\n"),
    "fish": (["fish", "--no-config", "-i"],
             "fetcher completion fish | source; function fish_prompt; echo -n 'rea''dy$ '; end\n"),
}


class Shell:
    """A shell on a terminal of its own, in which `fetcher` is a command."""

    def __init__(self, name, command):
        arguments, self._setup = _SHELLS[name]
        self._keyboard, line = pty.openpty()
        subprocess.run(["stty", "cols", "200", "rows", "60"], stdin=line, check=True)
        bin = command.home / "bin"
        bin.mkdir()
        (bin / "fetcher").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m fetcher "$@"\n')
        (bin / "fetcher").chmod(0o755)
        self.written = ""
        self._process = subprocess.Popen(
            [sys.executable, "-c", _IN_FOREGROUND, str(line), str(shutil.which(arguments[0])), *arguments[1:]],
            pass_fds=[line], stdin=line, stdout=line, stderr=line, cwd=command.home, start_new_session=True,
            env={**command.environment, "PATH": f"{bin}:{os.defpath}", "TERM": "xterm"})
        os.close(line)

    def begin(self):
        time.sleep(0.5)         # a shell that starts throws away what was typed before
        self.type(self._setup)
        self.sees(_READY)

    def type(self, text):
        os.write(self._keyboard, text.encode())

    def sees(self, text):
        """Wait until `text` is on the terminal, and return all of it since the last prompt."""
        deadline = time.monotonic() + PATIENCE
        while not re.search(re.escape(text) if isinstance(text, str) else text, self.shown):
            assert time.monotonic() < deadline, self.written
            if select.select([self._keyboard], [], [], 1)[0]:
                self.written += os.read(self._keyboard, 65536).decode(errors="replace")
                if self.written.endswith("\x1b[c"):     # fish asks what the terminal is
                    self.type("\x1b[?1;2c")
        return self.shown

    @property
    def shown(self):
        return _CONTROL.sub("", self.written)

    def end(self):
        os.close(self._keyboard)        # hangs up
        try:
            self._process.wait(PATIENCE)
        finally:
            self._process.kill()


@pytest.fixture(params=_SHELLS)
def shell(request, fetcher):
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    (fetcher.home / "stations.txt").touch()
    (fetcher.home / "out.jsonl").touch()
    shell = Shell(request.param, fetcher)
    try:
        shell.begin()
        yield shell
    finally:
        shell.end()


@pytest.mark.parametrize(("typed", "shown"), [
    ("fetcher ", ["completion", "demo", "help", "state", "out.jsonl"]),
    ("fetcher sta", ["state", "status", "stations.txt"]),
    ("fetcher -f ", ["auto", "csv", "jsonl", "junit", "table"]),
    ("fetcher -o out.", ["out.jsonl"]),
    ("fetcher help ", ["record", "errors", "lists", "serve"]),
    ("fetcher state sta", ["stations.txt"]),
    ("fetcher --save-n", ["--save-name"]),
])
def test_the_tab_key_completes(shell, typed, shown):
    shell.type(typed)
    shell.sees(typed.rstrip())
    before = len(shell.written)
    shell.type("\t")
    time.sleep(0.3)
    shell.type("\t")
    for word in shown:
        shell.sees(re.compile(rf"(?s).{{0}}{re.escape(word)}"))
    assert len(shell.written) > before


def test_the_values_of_an_option_for_files_are_files(shell):
    shell.type("fetcher -o ")
    shell.sees("-o")
    shell.type("\t")
    time.sleep(0.3)
    shell.type("\t")
    shell.sees("out.jsonl")
    shell.sees("stations.txt")
    assert "completion" not in shell.shown.rpartition("fetcher -o")[2]
