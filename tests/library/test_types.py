"""What type checkers say of programs that use the library."""
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RIGHT = '''
import asyncio

import fetcher

result = fetcher.fetch("https://example.com/", timeout=5, headers={"Accept": "text/html"})
print(result.raise_for_status().text.upper(), result.header("etag"), result.json())
for each in fetcher.fetch_all(["https://example.com/"], concurrency=20, keep_body=True, retry_on=[429, "timeout"]):
    print(each.status or each.error, each.content[:3])
rows: list[dict[str, object]] = list(fetcher.records(open("urls.txt"), fetcher.Options(), accept="200-299"))


async def main() -> None:
    async for each in fetcher.afetch_all(["a", None], on_progress=lambda progress: print(progress.done)):
        print(each.ok)
    print((await fetcher.afetch("a", save_dir="x")).sha256)

asyncio.run(main())
'''
WRONG = ['fetcher.fetch("a", timeout="5s")', 'fetcher.fetch_all(["a"], concurency=1)', 'fetcher.fetch(["a"])',
         'fetcher.fetch_all([1])', 'fetcher.fetch("a").body.decode()']
CHECKERS = {"mypy": ["-m", "mypy", "--strict", "--config-file=", "--no-error-summary"],
            "pyright": ["-m", "basedpyright", "--level", "error"]}


@pytest.fixture(params=CHECKERS)
def check(request, tmp_path):
    """Return what a checker says of a program: the numbers of the lines with errors."""
    module = CHECKERS[request.param][1]
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed")

    def check(program):
        (tmp_path / "program.py").write_text(program)
        (tmp_path / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}')
        done = subprocess.run([sys.executable, *CHECKERS[request.param], "program.py"], cwd=tmp_path, text=True,
                              capture_output=True, timeout=280, env={"MYPYPATH": str(ROOT), "PYTHONPATH": str(ROOT),
                                                                     "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)})
        lines = [line for line in done.stdout.splitlines() if "program.py:" in line and "error" in line]
        assert bool(lines) == bool(done.returncode), done.stdout + done.stderr
        return [int(line.split("program.py:")[1].split(":")[0]) for line in lines]

    return check


def test_a_program_that_is_right_is_accepted(check):
    assert check(RIGHT) == []


def test_each_mistake_is_found(check):
    program = "import fetcher\n" + "".join(f"print({line})\n" for line in WRONG)
    assert sorted(set(check(program))) == list(range(2, len(WRONG) + 2))
