"""A `dance` command in a process of its own, with what it took."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

_MEASURED = (
    "import json, resource, subprocess, sys, time\n"
    "began = time.perf_counter()\n"
    "done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)\n"
    "peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss\n"
    "unit = 1 if sys.platform == 'darwin' else 1024\n"
    "print(json.dumps([done.returncode, time.perf_counter() - began, peak * unit]))"
)


def ran(folder: Path, *args: object) -> tuple[float, int]:
    """Seconds and peak resident bytes; not on Windows, which has no getrusage."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, sys.executable, "-m", "dancecli", *map(str, args)],
        cwd=folder, capture_output=True, text=True, timeout=3600,
    )  # fmt: skip
    code, seconds, peak = json.loads(done.stdout)
    assert code == 0, done.stderr
    return seconds, peak
