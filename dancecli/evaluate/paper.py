"""The paper's own figures (Tables 1 and 2), beside which ours are printed.

Its "SSIM" (lower is better) is most likely DSSIM in Lab (method: docs/evaluation.md); its SSIS and
DPIS count absent parts as 0. Its videos are not public, so the columns compare methods within one
table, never across the two.
"""

from __future__ import annotations

import math

from dancecli.evaluate.measures import MEASURES
from dancecli.evaluate.report import shown
from dancecli.evaluate.results import Results

COLUMNS = ("ssbs", "ssis_all", "dpbs", "dpis_all", "lpips_vgg", "lpips_squeeze", "dssim_lab", "fid")
"""Our names of the paper's columns, in its order."""

TABLE_1 = {
    "fsV2V": (0.870, 0.193, 0.896, 0.436, 0.567, 0.474, 0.255, 201.82),
    "Pose Warping": (0.764, 0.143, 0.791, 0.347, 0.462, 0.372, 0.132, 159.71),
    "SPT": (0.851, 0.165, 0.862, 0.404, 0.378, 0.289, 0.127, 109.13),
    "Ours": (0.902, 0.218, 0.928, 0.500, 0.375, 0.283, 0.116, 83.95),
}
"""Comparison with previous work, "simple" targets."""

TABLE_2 = {
    "p2b-no-squeeze": (0.898, 0.220, 0.926, 0.514),
    "p2b-no-accurate-dp": (0.902, 0.218, 0.927, 0.500),
    "p2b-no-dp": (0.869, 0.197, 0.884, 0.460),
    "p2b-no-fingers-dp": (0.869, 0.197, 0.884, 0.460),
    "b2f-no-fr": (0.873, 0.208, 0.896, 0.468, 0.378, 0.299, 0.133, 70.880),
    "b2f-no-mask": (0.873, 0.216, 0.891, 0.458, 0.379, 0.300, 0.135, 74.503),
    "b2f-no-fingers": (0.863, 0.208, 0.897, 0.467, 0.375, 0.296, 0.130, 73.715),
    "b2f-no-face-loss": (0.873, 0.217, 0.896, 0.465, 0.373, 0.293, 0.128, 77.032),
    "full": (0.902, 0.218, 0.928, 0.500, 0.375, 0.283, 0.116, 83.95),
}
"""Ablations; P2B's rows have no picture metrics, and two of them are printed alike."""

DENSE = {"p2b-no-accurate-dp": "densepose-legacy"}
"""Rows of Table 2 whose dense maps are not those of the others, and who makes them."""


def beside(results: Results) -> str:
    """The paper's tables and ours, as text."""
    head = ["", *(f"{MEASURES[name].title} {MEASURES[name].arrow}" for name in COLUMNS)]
    rows = [["paper, Table 1"], *(_row(name, values) for name, values in TABLE_1.items())]
    rows += [["paper, Table 2"], *(_row(name, values) for name, values in TABLE_2.items())]
    rows += [["this run"]]
    rows += [
        _row(system, tuple(results.mean(system, name) for name in COLUMNS))
        for system in results.systems
    ]
    widths = [
        max(len(row[i]) for row in [head, *rows] if i < len(row)) for i in range(len(head))
    ]  # fmt: skip
    return "\n".join(
        "  ".join(text.ljust(widths[i]) if i == 0 else text.rjust(widths[i])
                  for i, text in enumerate(row)).rstrip()
        for row in [head, *rows]
    )  # fmt: skip


def _row(name: str, values: tuple[float, ...]) -> list[str]:
    padded = (*values, *[math.nan] * (len(COLUMNS) - len(values)))
    return [f"  {name}", *("-" if math.isnan(value) else shown(value) for value in padded)]
