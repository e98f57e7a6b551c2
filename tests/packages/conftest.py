from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from release import dist

ROOT = Path(__file__).parents[2]
PACKED = ("fetcher", "man", "setup.cfg", "pyproject.toml", "README.md", "LICENSE")
MOMENT = 1_700_000_000


def built(directory: Path) -> list[Path]:
    """Build the packages from a copy of what goes into them, without what tests and earlier builds left there."""
    source = directory / "source"
    source.mkdir()
    for name in PACKED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source / name)
    return dist.build(source, directory / "dist", MOMENT)


@pytest.fixture(scope="session")
def packages(tmp_path_factory) -> list[Path]:
    """The sdist and the wheel."""
    pytest.importorskip("build", reason="build is not installed")
    return built(tmp_path_factory.mktemp("packages"))
