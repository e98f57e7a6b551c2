"""The extra `cluster` installs everything that a cluster needs."""
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, packages_distributions, requires

import pytest
from packaging.requirements import Requirement

from fetcher.extras import DISTRIBUTION
from tests.cli.command import PATIENCE, eventually

# `foreign` modules cannot be imported, as though they were not installed.
PROGRAM = """
import sys
class Missing:
    def find_spec(name, *_):
        if name.partition(".")[0] in {foreign}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing)
from fetcher.cli import main
main()
"""


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def installed_with(name: str, extras: tuple[str, ...] = ()) -> Iterator[str]:
    """Return the distributions that `pip install 'name[extras]'` installs here."""
    found, waiting = set(), [(name, extras)]
    while waiting:
        name, extras = waiting.pop()
        if (normal(name), extras) in found:
            continue
        found.add((normal(name), extras))
        try:
            requirements = map(Requirement, requires(name) or ())
        except PackageNotFoundError:    # its marker is for another machine
            continue
        waiting += [(each.name, tuple(each.extras)) for each in requirements
                    if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in (*extras, ""))]
    return (name for name, _ in found)


@pytest.fixture(scope="module")
def program() -> str:
    known = {DISTRIBUTION, *installed_with(DISTRIBUTION, ("cluster",))}
    foreign = {module for module, owners in packages_distributions().items()
               if not known & set(map(normal, owners))}
    assert {"pytest", "requests"} <= foreign and not {"celery", "packaging", "redis"} & foreign
    return PROGRAM.format(foreign=foreign)


@pytest.mark.parametrize("kind", ["redis", "amqp"])
def test_with_nothing_else_installed_both_commands_work(fetcher, server, request, program, kind):
    broker = request.getfixturevalue(kind)
    fetcher.list(server.url())
    done = fetcher.python(program, "submit", "list", "--run", "run", "--out", "out", "--broker", broker)
    assert (done.status, done.out) == (0, ""), done.err
    worker = subprocess.Popen([sys.executable, "-c", program, "worker", "--out", "out", "--broker", broker,
                               "--processes", "1"], cwd=fetcher.home, env=fetcher.environment)
    try:
        eventually((fetcher.home / "out" / "summary.json").exists)
    finally:
        worker.terminate()
        worker.wait(PATIENCE)
