"""Build the wheel and the sdist into dist/: the same bytes each time from the same commit. `python -m release.dist`."""
from __future__ import annotations

import gzip
import io
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def build(source: Path, target: Path, moment: int) -> list[Path]:
    """Build the packages of `source` into `target`. Files in them are dated `moment`, a Unix time. Return their paths.

    Raises subprocess.CalledProcessError.
    """
    for leftover in "build", "eventlet_fetcher.egg-info":       # an old file in there would be packed, too
        shutil.rmtree(source / leftover, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "build", "--no-isolation", "--outdir", str(target), str(source)], check=True,
                   env={**os.environ, "SOURCE_DATE_EPOCH": str(moment)}, stdout=subprocess.DEVNULL)
    (sdist,) = target.glob("*.tar.gz")
    sdist.write_bytes(_normal(sdist.read_bytes(), moment))
    return sorted(target.iterdir())


def _normal(archive: bytes, moment: int) -> bytes:
    """Return the same tar.gz without what differs from machine to machine: times, owners, rights, order."""
    written = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(archive)) as old, tarfile.open(fileobj=written, mode="w") as new:
        for member in sorted(old.getmembers(), key=lambda member: member.name):
            member.mtime, member.uid, member.gid, member.uname, member.gname = moment, 0, 0, "", ""
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            member.pax_headers = {}
            new.addfile(member, old.extractfile(member) if member.isfile() else None)
    return gzip.compress(written.getvalue(), mtime=moment)


def _last_commit() -> int:
    """Return when the last commit was made, as a Unix time."""
    done = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, check=True, capture_output=True, text=True)
    return int(done.stdout)


if __name__ == "__main__":
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    for path in build(ROOT, ROOT / "dist", _last_commit()):
        print(path.relative_to(ROOT))
