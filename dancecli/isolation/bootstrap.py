"""Run by the other environment's Python, as a script: finds `dancecli` and starts the worker.

Of the installation that started it, only the packages that it names are seen here; whatever else
they import comes from this environment. The core needs numpy.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import Distribution, DistributionFinder
from pathlib import Path
from types import ModuleType
from typing import Any


class LentDistribution(Distribution):
    """A distribution of the other installation: name, version and entry points."""

    def __init__(self, texts: dict[str, str]) -> None:
        """texts: file name -> text of its metadata."""
        self.texts = texts

    def read_text(self, filename: str) -> str | None:
        """As importlib.metadata asks."""
        return self.texts.get(filename)

    def locate_file(self, path: Any) -> Path:
        """Its files are not listed."""
        return Path(path)


class Lent(DistributionFinder):
    """Finds a few packages in another installation's folders, before anything else."""

    def __init__(self, packages: dict[str, str], metadata: list[dict[str, str]]) -> None:
        """packages: name -> the folder that it lies in. metadata: as LentDistribution has it."""
        self.packages = packages
        self.distributions = [LentDistribution(texts) for texts in metadata]

    def find_distributions(
        self, context: DistributionFinder.Context | None = None
    ) -> list[Distribution]:
        """As importlib.metadata asks."""
        name = context.name if context else None
        return [each for each in self.distributions if name in (None, each.metadata["Name"])]

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """As importlib asks; None for everything that is not lent."""
        if path is None and name in self.packages:
            return PathFinder.find_spec(name, [self.packages[name]], target)
        return None


def main() -> None:
    """The worker's life; argv[1] is its plan as JSON. What is wrong goes to stderr, its log."""
    if sys.version_info < (3, 10):  # noqa: UP036 (the other environment's, not ours)
        sys.exit(f"{sys.executable} is Python {sys.version.split()[0]}; 3.10 or newer is needed")
    own = Path(__file__).resolve().parent
    sys.path[:] = [entry for entry in sys.path if not entry or Path(entry).resolve() != own]
    plan = json.loads(sys.argv[1])
    sys.meta_path.insert(0, Lent(plan["packages"], plan["metadata"]))
    try:
        from dancecli.isolation.serving import serve
    except ImportError as error:
        sys.exit(f"{error}; install it there: {sys.executable} -m pip install numpy")
    serve(plan["room"], plan["limit"])


if __name__ == "__main__":
    main()
