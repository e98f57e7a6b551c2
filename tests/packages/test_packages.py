"""The wheel and the sdist, and the wheel where no checkout is near."""
from __future__ import annotations

import configparser
import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from fetcher import __version__, extras
from release import sbom
from tests.packages.conftest import ROOT, built


def setup_cfg():
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    return parser


def run(*command, **options):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=280, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_one_place_says_what_the_distribution_is_called(packages):
    assert setup_cfg()["metadata"]["name"] == extras.DISTRIBUTION == "eventlet-fetcher"
    assert [path.name for path in packages] == [f"eventlet_fetcher-{__version__}-py3-none-any.whl",
                                                f"eventlet_fetcher-{__version__}.tar.gz"]


def test_the_same_source_gives_the_same_bytes(packages, tmp_path):
    again = built(tmp_path)
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in packages]


def test_they_are_accepted(packages):
    for module in "twine", "check_wheel_contents":
        pytest.importorskip(module, reason=f"{module} is not installed")
    assert "FAILED" not in run(sys.executable, "-m", "twine", "check", "--strict", *packages)
    assert run(sys.executable, "-m", "check_wheel_contents", packages[0]).endswith("OK\n")


def test_they_have_what_the_program_reads(packages):
    wheel, sdist = packages
    in_wheel = set(zipfile.ZipFile(wheel).namelist())
    with tarfile.open(sdist) as archive:
        in_sdist = {name.partition("/")[2] for name in archive.getnames()}
    data = {path.relative_to(ROOT).as_posix() for path in (ROOT / "fetcher").rglob("*")
            if path.is_file() and path.suffix not in (".pyc",)}
    assert data - in_wheel == set()
    assert data - in_sdist == set()
    assert f"eventlet_fetcher-{__version__}.data/data/share/man/man1/fetcher.1" in in_wheel
    assert not [name for name in in_wheel if name.startswith(("tests", "docs", "bench"))]


@pytest.fixture(scope="module")
def bare(packages, tmp_path_factory):
    """An environment with the wheel and what it needs, but no checkout, and a home of its own."""
    home = tmp_path_factory.mktemp("bare")
    venv.create(home / "venv", symlinks=True)
    python = home / "venv" / "bin" / "python"
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    run(sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-index",
        "--disable-pip-version-check", packages[0])
    # What fetcher needs stands in the environment of the tests, whose own .pth files do not count here
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home


def in_bare(home, *command, status=0, **variables):
    done = subprocess.run([str(home / "venv" / "bin" / command[0]), *command[1:]], cwd=home, capture_output=True,
                          text=True, timeout=200, env={"HOME": str(home), "PATH": os.defpath, "FETCHER_RETRIES": "0",
                                                       **variables})
    assert done.returncode == status, done.stdout + done.stderr
    return done


def test_the_command_runs_without_a_checkout(bare, server):
    assert in_bare(bare, "fetcher", "--version").stdout.startswith(f"fetcher {__version__} (Python ")
    place = in_bare(bare, "python", "-c", "import fetcher; print(fetcher.__file__)").stdout
    assert place.startswith(str(bare))
    assert "Usage: fetcher" in in_bare(bare, "fetcher", "-h").stdout
    assert "_FETCHER_COMPLETE" in in_bare(bare, "fetcher", "completion", "bash").stdout
    record = json.loads(in_bare(bare, "fetcher", server.url("/bytes/3")).stdout)
    assert (record["status"], record["size"]) == (200, 3)
    in_bare(bare, "fetcher", "demo", "-o", "out.jsonl", "--timeout", "1", "--retries", "0", status=1)
    in_bare(bare, "fetcher", "report", "--html", "page.html", "out.jsonl")
    assert "<style>" in (bare / "page.html").read_text()


def test_the_library_runs_without_a_checkout(bare, server):
    program = f"import fetcher; print(fetcher.fetch({server.url('/bytes/3')!r}, proxy='').content)"
    assert in_bare(bare, "python", "-W", "error", "-c", program).stdout == "b'\\x00\\x01\\x02'\n"


def test_the_manual_page_is_where_man_looks(bare):
    assert (bare / "venv" / "share" / "man" / "man1" / "fetcher.1").read_text().startswith(".TH FETCHER 1")


def test_an_extra_that_is_missing_is_told_with_the_command_that_installs_it(bare):
    program = "from fetcher.extras import install_command; print(install_command('robots'))"
    assert in_bare(bare, "python", "-c", program).stdout == f"{bare}/venv/bin/python -m pip install 'protego>=0.3'\n"


def test_what_an_installation_brings_is_listed():
    listed = sbom.sbom(frozenset({"robots"}))
    assert listed["metadata"]["component"]["name"] == extras.DISTRIBUTION
    found = {each["name"]: each for each in listed["components"]}
    lines = setup_cfg()["options"]["install_requires"].split("\n")
    needed = {line.split()[0].lower() for line in lines if line and ";" not in line}
    assert needed | {"protego", "greenlet"} <= set(found)
    assert not {"pytest", "celery"} & set(found)
    assert found["eventlet"]["licenses"] == [{"license": {"name": "MIT"}}]
    assert [name for name, each in found.items() if each["licenses"][0]["license"]["name"] == "not told"] == []
