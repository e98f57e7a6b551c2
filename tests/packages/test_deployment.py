"""What goes with the packages: the container, units of systemd, workflows, the action, hooks, the dashboard."""
from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys

import pytest
import yaml

from fetcher.cli.get import get
from tests.cli.command import FETCHER, Command
from tests.packages.conftest import ROOT

RELEASE = ROOT / "release"
YAML = [*sorted((ROOT / ".github").rglob("*.yml")), ROOT / "action.yml", ROOT / ".pre-commit-hooks.yaml"]


def accepted(arguments):
    """Whether the command understands these arguments."""
    return get.make_context("fetcher", list(arguments), resilient_parsing=False).params["sources"]


@pytest.fixture
def command(tmp_path):
    """The command, as `fetcher` in PATH."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "fetcher").write_text(f"#!/bin/sh\nexec {shlex.join(FETCHER)} \"$@\"\n")
    (tmp_path / "bin" / "fetcher").chmod(0o755)
    return Command(tmp_path, PATH=f"{tmp_path / 'bin'}:/usr/bin:/bin")


@pytest.mark.parametrize("path", YAML, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_it_is_yaml(path):
    assert yaml.safe_load(path.read_text())


@pytest.mark.parametrize("path", sorted((ROOT / ".github" / "workflows").glob("*.yml")), ids=lambda path: path.name)
def test_the_workflows_call_what_there_is(path):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    workflow = yaml.safe_load(path.read_text())
    assert "permissions" in workflow
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] and job["runs-on"]
        for line in (step.get("run", "") for step in job["steps"]):
            assert "${{" not in line, "an expression in a script can be run by whoever chooses its text"
            for called in re.findall(r"\bmake ([a-z ]+)", line):
                assert set(called.split()) <= targets
            assert ".ci/run" not in line or (ROOT / ".ci" / "run").exists()


def test_the_release_is_of_the_version_that_its_tag_names():
    workflow = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())
    (step,) = [step for step in workflow["jobs"]["build"]["steps"] if step.get("name") == "The tag is the version"]
    version = re.search(r'__version__ = "(.*)"', (ROOT / "fetcher/__init__.py").read_text())[1]
    for tag, status in (f"v{version}", 0), ("v99", 1):
        assert subprocess.run(["bash", "-c", step["run"]], cwd=ROOT, env={"TAG": tag, "PATH": "/usr/bin:/bin"},
                              timeout=60).returncode == status


def test_the_action_checks_a_list(command, server):
    (step,) = [step for step in yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"]
               if step.get("id") == "check"]
    command.list(server.url("/bytes/1"), server.url("/status/404"))
    (command.home / "script").write_text(step["run"])
    names = {"JUNIT": "junit.xml", "RECORDS": "out.jsonl", "GITHUB_OUTPUT": "output", "GITHUB_STEP_SUMMARY": "summary"}
    for arguments, status in ("", 1), ("--accept 2xx,404 --unique", 0):
        for name in names.values():
            (command.home / name).write_text("")
        (command.home / "out.jsonl").unlink()
        done = command.shell("bash -eo pipefail script", SOURCES="list", ARGUMENTS=arguments, **names)
        assert done.status == status, done.err
        assert (command.home / "output").read_text() == f"status={status}\n"
        assert f'failures="{status}"' in (command.home / "junit.xml").read_text()
        assert "|" in (command.home / "summary").read_text()
    done = command.shell("bash -eo pipefail script", SOURCES="$(touch owned) missing", ARGUMENTS="", **names)
    assert done.status == 2 and not (command.home / "owned").exists()


def test_the_hook_checks_documents(command, server):
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    (command.home / "a.md").write_text(f"[a]({server.url('/bytes/1')}) [b]({server.url('/status/403')})\n")
    (command.home / "b.html").write_text(f"<a href='{server.url('/status/404')}'>c</a>\n")
    assert hook["entry"] == "fetcher"
    good = command(*hook["args"], "a.md")
    assert (good.status, good.out, good.err) == (0, "", "")
    bad = command(*hook["args"], "a.md", "b.html")
    assert bad.status == 1 and "/status/404" in bad.err


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_the_units_are_verified(tmp_path):
    for path in (RELEASE / "systemd").iterdir():
        shutil.copy(path, tmp_path)
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no",
                           *map(str, sorted(tmp_path.iterdir()))], capture_output=True, text=True, timeout=120)
    told = [line for line in done.stderr.splitlines() if str(tmp_path) in line or "fetcher" in line]
    assert (done.returncode, told) == (0, [])


def test_the_command_of_the_unit_is_understood():
    unit = (RELEASE / "systemd/fetcher-links.service").read_text()
    (line,) = re.findall(r"^ExecStart=/usr/bin/env fetcher (.*)$", unit, re.M)
    arguments = [word.replace("%%", "%").replace("%t", "/run").replace("%S", "/var/lib") for word in line.split()]
    assert accepted(arguments) == ("/etc/fetcher/urls.txt",)


def test_the_container_is_built_and_runs(tmp_path):
    """Where it can be built; the rules of the file are tested everywhere, below."""
    builder = next((name for name in ("podman", "buildah") if shutil.which(name)), None)
    if builder is None:
        pytest.skip("neither podman nor buildah is installed")
    done = subprocess.run([builder, "build", "-q", "-t", "localhost/fetcher-test", str(ROOT)], capture_output=True,
                          text=True, timeout=280)
    if done.returncode:
        pytest.skip(f"{builder} cannot build here: {done.stderr[-200:]}")
    assert done.stdout


def test_the_container_has_no_root_and_no_shell_between():
    text = re.sub(r"\\\n", " ", (ROOT / "Containerfile").read_text())
    stages = re.split(r"(?m)^FROM ", text)[1:]
    last = [line for line in stages[-1].splitlines()[1:] if line and not line.startswith("#")]
    instructions = [line.split(None, 1) for line in last]
    assert [value for name, value in instructions if name == "USER"] == ["10001"]
    (entry,) = [json.loads(value) for name, value in instructions if name == "ENTRYPOINT"]
    assert entry == ["tini", "--", "fetcher"]
    assert all(stage.split()[0].startswith("docker.io/library/python:3.") and "-slim" in stage.split()[0]
               for stage in stages)
    assert "apt-get update" in text and "rm -rf /var/lib/apt/lists" in text
    for name, value in instructions:
        assert name != "ADD" and "sudo" not in value and ":latest" not in value
    extras = re.search(r"'\.\[(.*)\]'", text)[1].split(",")
    config = (ROOT / "setup.cfg").read_text()
    assert all(re.search(rf"^{extra} =$", config, re.M) for extra in extras)


def test_the_dashboard_shows_metrics_that_there_are(command, server):
    command(server.url(), server.url("/status/404"), "http://localhost:1/", "--metrics", "links.prom")
    written = set(re.findall(r"^(fetcher_\w+)\{", (command.home / "links.prom").read_text(), re.M))
    board = json.loads((RELEASE / "grafana.json").read_text())
    asked = {name for panel in board["panels"] for target in panel["targets"]
             for name in re.findall(r"fetcher_\w+", target["expr"])}
    assert asked - written == set()
    assert len(asked) > 8
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_one_file_runs(tmp_path, server):
    """A file of shiv with what is installed here, without what only tests need."""
    pytest.importorskip("shiv", reason="shiv is not installed")
    from importlib.metadata import files

    from release import sbom

    site = tmp_path / "site"
    for package in sbom.components(frozenset()):
        for file in files(package) or ():
            first = file.parts[0]
            if not first.startswith(("..", "__editable__")) and file.suffix != ".pyc" and first != "fetcher":
                (site / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(str(file.locate()), site / file)
    shutil.copytree(ROOT / "fetcher", site / "fetcher", ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run([sys.executable, "-m", "shiv", "--site-packages", str(site), "-e", "fetcher.__main__:main", "-o",
                    str(tmp_path / "fetcher.pyz")], check=True, timeout=200, capture_output=True)
    done = subprocess.run([sys.executable, str(tmp_path / "fetcher.pyz"), server.url("/bytes/3")], cwd=tmp_path,
                          env={"HOME": str(tmp_path), "SHIV_ROOT": str(tmp_path / "shiv")}, text=True,
                          capture_output=True, timeout=200)
    assert json.loads(done.stdout)["size"] == 3, done.stderr
