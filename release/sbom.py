"""Write what an installation of fetcher brings: a CycloneDX list (SBOM) of packages and licences.

`python -m release.sbom [EXTRA]...` prints it for the packages that are installed here.
"""
from __future__ import annotations

import json
import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from typing import Any

from fetcher.extras import DISTRIBUTION

_REQUIREMENT = re.compile(r"\s*([\w.-]+)\s*(?:\[[^\]]*\])?[^;]*(?:;(.*))?")
_EXTRA = re.compile(r"""extra\s*==\s*['"]([\w-]+)['"]""")


def components(extras: frozenset[str]) -> dict[str, Distribution]:
    """Return by name the packages that fetcher with these extras needs, and that are installed here."""
    found: dict[str, Distribution] = {}
    waiting = [(DISTRIBUTION, extras)]
    while waiting:
        name, wanted = waiting.pop()
        try:
            package = distribution(name)
        except PackageNotFoundError:        # for another Python or system
            continue
        normal = re.sub(r"[-_.]+", "-", package.metadata["Name"]).lower()
        if normal in found:
            continue
        found[normal] = package
        for line in package.requires or ():
            match = _REQUIREMENT.match(line)
            assert match is not None
            extra = _EXTRA.search(match[2] or "")
            if extra is None or extra[1] in wanted:
                waiting.append((match[1], frozenset()))
    return dict(sorted(found.items()))


def licence(package: Distribution) -> str:
    """Return what the metadata of a package say about its licence."""
    about = package.metadata
    named = next((about[key] for key in ("License-Expression", "License") if key in about), "")
    classified = [line.rpartition(" :: ")[2] for line in about.get_all("Classifier") or ()
                  if line.startswith("License :: ")]
    return named if named and "\n" not in named and len(named) < 80 else ", ".join(classified) or "not told"


def sbom(extras: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Return the list as CycloneDX 1.5."""
    found = components(extras)
    own = found.pop(DISTRIBUTION)
    return {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
            "metadata": {"component": _component(DISTRIBUTION, own, "application")},
            "components": [_component(name, package, "library") for name, package in found.items()]}


def _component(name: str, package: Distribution, type: str) -> dict[str, Any]:
    return {"type": type, "name": name, "version": package.version, "purl": f"pkg:pypi/{name}@{package.version}",
            "licenses": [{"license": {"name": licence(package)}}]}


if __name__ == "__main__":
    print(json.dumps(sbom(frozenset(sys.argv[1:])), indent=2))
