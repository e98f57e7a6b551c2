"""Check every import against the rules of the house, which the docstring of `fetcher/__init__.py` shows."""
import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import fetcher

ROOT = Path(fetcher.__file__).parent
REPOSITORY = ROOT.parent

FLOORS = {
    "cli": 3, "__main__": 3,
    "fetching": 2, "library": 2, "body": 2, "recall": 2, "engine": 2, "demo": 2, "cluster": 2, "report": 2,
    "targets": 1, "schedule": 1, "transport": 1, "sinks": 1, "state": 1,
    "model": 0, "answer": 0, "record": 0, "url": 0, "options": 0, "errors": 0, "expectation": 0, "judge": 0,
    "attempt": 0, "value": 0, "fingerprint": 0, "outcome": 0, "own_answer": 0,
    "host_settings": 0, "semantics": 0, "text": 0, "verbatim": 0, "zstd": 0, "regex": 0,
    "files": 0, "green": 0, "exits": 0, "extras": 0, "extensions": 0, "versions": 0,
}
ONLY_IN = {
    "eventlet": ("green.py",),
    "greenlet": ("green.py",),
    "click": ("cli/",),
    "celery": ("cluster/app.py", "cluster/intake.py", "cluster/keeper.py"),
    "kombu": ("cluster/",),
    "rich": ("cli/", "sinks/terminal/"),
}
MAX_LINES = {"fetcher": 300, "tests": 400, "bench": 300, "docs": 300}
MAX_FLOORS = 11


def imports(source: str, package: str) -> Iterator[str]:
    """Return the full name of everything that `source`, a module of `package`, imports, at any place in it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[:len(package.split(".")) + 1 - node.level] if node.level else []
            home = ".".join([*parents, *filter(None, [node.module])])
            yield from (f"{home}.{alias.name}" for alias in node.names)


def breaches(path: str, source: str) -> list[str]:
    """Return the rules that `source` breaks if it is at `path` under fetcher/."""
    room = path.partition("/")[0].removesuffix(".py")
    package = ".".join(["fetcher", *path.split("/")[:-1]])
    found = []
    for name in imports(source, package):
        top, _, rest = name.partition(".")
        other = rest.partition(".")[0]
        if top in ONLY_IN and not path.startswith(ONLY_IN[top]):
            found.append(f"{path} imports {top}")
        if top != "fetcher" or path == "__init__.py" or other in (room, "__version__"):
            continue
        if other not in FLOORS:
            found.append(f"{path} imports {name}, which is on no floor")
        elif FLOORS[other] > FLOORS[room]:
            found.append(f"{path} imports {name} from above")
        elif FLOORS[other] == FLOORS[room] == 1:
            found.append(f"{path} imports {name} from the next room")
    return found


MODULES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES)
def test_imports_go_down_and_stay_behind_their_doors(path):
    assert breaches(path, (ROOT / path).read_text()) == []


def test_every_room_has_its_floor_and_stands_in_the_map():
    rooms = {path.partition("/")[0].removesuffix(".py") for path in MODULES} - {"__init__"}
    assert rooms <= FLOORS.keys()
    assert [room for room in rooms - {"__main__"} if room not in str(fetcher.__doc__)] == []


def module_graph() -> dict[str, set[str]]:
    """Return by path what each module imports of fetcher, lazily or not: modules, and packages by their `__init__`."""
    graph: dict[str, set[str]] = {}
    for path in MODULES:
        package = ".".join(["fetcher", *path.split("/")[:-1]])
        found = graph[path] = set()
        for name in imports((ROOT / path).read_text(), package):
            parts = name.split(".")[1:]
            while parts and parts[0] and name.startswith("fetcher."):
                stem = "/".join(parts)
                hit = next((file for file in (f"{stem}.py", f"{stem}/__init__.py") if file in MODULES), None)
                if hit is not None:
                    found.add(hit)
                    break
                parts.pop()
        found.discard(path)
    return graph


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return the strongly connected components of more than one node (Tarjan, 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in graph[node]:
            if other not in index:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == index[node]:
            place = stack.index(node)
            component = stack[place:]
            del stack[place:]
            if len(component) > 1:
                found.append(sorted(component))

    for node in graph:
        if node not in index:
            visit(node)
    return found


def floors(graph: dict[str, set[str]]) -> dict[str, int]:
    """Return the floor of each room: one above the highest of those that it imports."""
    rooms: dict[str, set[str]] = {}
    for path, others in graph.items():
        room = path.partition("/")[0]
        rooms.setdefault(room, set()).update(other.partition("/")[0] for other in others if other != "__init__.py")
    heights: dict[str, int] = {}

    def height(room: str) -> int:
        if room not in heights:
            heights[room] = 1 + max((height(other) for other in rooms[room] - {room}), default=0)
        return heights[room]

    return {room: height(room) for room in rooms if room != "__init__.py"}


def test_no_import_runs_in_a_circle_lazy_ones_included():
    # a package's `__init__` re-exports what its files define, and files may import the package
    graph = {path: {other for other in others if not other.endswith("__init__.py")}
             for path, others in module_graph().items() if not path.endswith("__init__.py")}
    assert circles(graph) == []


def test_the_house_has_no_more_floors_than_one_can_climb():
    heights = floors(module_graph())
    assert max(heights.values()) <= MAX_FLOORS, sorted(heights.items(), key=lambda item: -item[1])


def test_a_circle_is_seen():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]


def test_no_file_is_too_long():
    long = {path.relative_to(REPOSITORY).as_posix(): lines for folder, most in MAX_LINES.items()
            for path in (REPOSITORY / folder).rglob("*.py") if (lines := len(path.read_text().splitlines())) > most}
    assert long == {}


@pytest.mark.parametrize(("path", "source", "breach"), [
    ("url.py", "from fetcher import transport", "url.py imports fetcher.transport from above"),
    ("url.py", "import fetcher.engine.green", "url.py imports fetcher.engine.green from above"),
    ("url.py", "def f():\n    from .fetching import Fetcher", "url.py imports fetcher.fetching.Fetcher from above"),
    ("sinks/csv.py", "from fetcher.targets import text",
     "sinks/csv.py imports fetcher.targets.text from the next room"),
    ("sinks/csv.py", "from ..targets.text import targets",
     "sinks/csv.py imports fetcher.targets.text.targets from the next room"),
    ("fetching.py", "from fetcher import fetch_all", "fetching.py imports fetcher.fetch_all, which is on no floor"),
    ("fetching.py", "from eventlet.green import socket", "fetching.py imports eventlet"),
    ("engine/green.py", "import greenlet", "engine/green.py imports greenlet"),
    ("engine/green.py", "import click", "engine/green.py imports click"),
    ("sinks/csv.py", "from rich.table import Table", "sinks/csv.py imports rich"),
])
def test_a_breach_is_seen(path, source, breach):
    assert breaches(path, source) == [breach]


@pytest.mark.parametrize(("path", "source"), [
    ("sinks/csv.py", "from fetcher import green\nfrom fetcher.model import Result\nfrom .tally import Tally\n"),
    ("engine/green.py", "from fetcher.fetching import Fetcher\nfrom fetcher.schedule import Schedule"),
    ("options.py", "from fetcher import __version__"),
    ("green.py", "import eventlet.hubs"),
    ("cli/get.py", "import click\nfrom rich.console import Console\nfrom fetcher.sinks import live"),
])
def test_what_is_allowed_is_no_breach(path, source):
    assert breaches(path, source) == []
