"""What `dance evaluate` is asked, checked before any work, and who answers it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dancecli.errors import UsageError
from dancecli.evaluate.compare import Learned
from dancecli.evaluate.eyes import GROUPS, Eyes
from dancecli.evaluate.paper import DENSE, TABLE_2
from dancecli.evaluate.reenactment import Contender, Protocol, contenders
from dancecli.evaluate.results import Results, read_summary
from dancecli.evaluate.running import (
    Evaluation,
    described,
    measure_clips,
    measure_files,
    measure_pairs,
)
from dancecli.evaluate.sources import parse_named
from dancecli.progress import Progress
from dancecli.workdir import WorkDir


@dataclass(frozen=True)
class Ask:
    """The options of `dance evaluate`, as they were given."""

    real: Path | None
    fakes: tuple[str, ...]
    clips: tuple[Path, ...]
    cross: str | None
    ablations: Path | None
    backends: tuple[str, ...]
    weights: str | None
    out: Path | None
    frames: int
    pairs: int
    assets: Path | None
    seed: int
    paper: bool
    check: Path | None
    tolerance: float
    study: tuple[str, ...]
    tally: Path | None
    answers: tuple[Path, ...]
    pose: str
    mask: str
    parser: str
    dense: str
    inpaint: str
    device: str
    work_dir: Path | None

    def __post_init__(self) -> None:
        kinds = self._kinds()
        if len(kinds) != 1:
            asked = " and ".join(kinds) or "nothing"
            raise UsageError(
                f"asked for {asked}; choose one of --real with --fake, --self, --cross, --study, "
                "--tally"
            )
        if self.answers and self.kind != "tally":
            raise UsageError(f"{self.answers[0]}: files as arguments belong to --tally")
        if self.kind == "files" and not (self.real and self.fakes):
            raise UsageError("--real and --fake are needed together")
        if self.kind != "tally" and self.out is None:
            raise UsageError("give -o, a folder for the report")
        if self.ablations and self.kind != "self":
            raise UsageError("--ablations goes with --self")
        if self.out is not None:
            self._check_out(self.out)
        if self.check is not None:
            if self.kind in ("study", "tally"):
                raise UsageError(f"--check goes with what is measured, not with --{self.kind}")
            read_summary(self.check)  # refused now, not after the work

    def _check_out(self, out: Path) -> None:
        """Raises UsageError for a file, and for a folder where pictures could replace an input."""
        if out.exists() and not out.is_dir():
            raise UsageError(f"-o {out}: that is a file; name a folder for the report")
        real = [self.real] if self.real else []
        for path in (*real, *parse_named(self.fakes).values(), *self.clips):
            if os.path.realpath(out) in _folders(path):
                raise UsageError(
                    f"-o {out}: {path} lies there, and the report's pictures could take its place; "
                    "name another folder"
                )

    def _kinds(self) -> list[str]:
        given = {
            "files": self.real or self.fakes, "self": self.clips, "cross": self.cross,
            "study": self.study, "tally": self.tally,
        }  # fmt: skip
        return [name for name, value in given.items() if value]

    @property
    def kind(self) -> str:
        """ "files", "self", "cross", "study" or "tally"."""
        return self._kinds()[0]

    def protocol(self) -> Protocol:
        """Whom to measure, and how."""
        found = contenders(self.backends, self.weights) + self._rows()
        plugins = {
            f"dance.{name}": getattr(self, name)
            for name in ("pose", "mask", "parser", "dense", "inpaint")
        }
        return Protocol(tuple(found), self.frames, plugins, self.device, self.seed)

    def _rows(self) -> list[Contender]:
        """The rows of Table 2 whose weights are in --ablations."""
        if self.ablations is None:
            return []
        rows = [row for row in TABLE_2 if (self.ablations / row).is_dir()]
        if not rows:
            raise UsageError(
                f"--ablations {self.ablations}: no folder is called after a row of Table 2: "
                f"{', '.join(TABLE_2)}"
            )
        return [
            Contender(row, "freestyle", str(self.ablations / row), dense=DENSE.get(row))
            for row in rows
        ]

    def strangers(self) -> list[str]:
        """Folders in --ablations that are called after no row of Table 2, and are passed over."""
        if self.ablations is None or not self.ablations.is_dir():
            return []
        inside = sorted(path.name for path in self.ablations.iterdir() if path.is_dir())
        return [name for name in inside if name not in TABLE_2]


def _folders(path: Path) -> set[str]:
    """A folder of frames itself, or where a file lies, as it is named and with links followed."""
    real = os.path.realpath(path)  # Path.resolve fails where links go round in a circle
    if path.is_dir():
        return {real}
    return {os.path.realpath(path.absolute().parent), os.path.dirname(real)}  # noqa: PTH120


def answer(ask: Ask, progress: Progress) -> Results:
    """Measure, and write `metrics.json` and `report.html`."""
    assert ask.out is not None
    eyes = Eyes({group: getattr(ask, group) for group in GROUPS}, ask.device)
    about: dict[str, Any] = {"name": "Comparison with real frames", "frames": ask.frames}
    if ask.kind != "files":
        about = described(ask.protocol(), ask.kind == "cross")
    if strangers := ask.strangers():
        progress.say(
            f"{ask.ablations}: passed over {', '.join(strangers)}; the rows of Table 2 are "
            f"{', '.join(TABLE_2)}"
        )
    evaluation = Evaluation(
        ask.out, eyes, learned(ask.device), progress, Results(about, eyes.describe())
    )
    work = WorkDir(ask.work_dir)
    if ask.kind == "files":
        assert ask.real is not None
        measure_files(evaluation, ask.real, parse_named(ask.fakes), ask.frames)
    elif ask.kind == "self":
        measure_clips(evaluation, ask.clips, ask.protocol(), work)
    elif ask.kind == "cross":
        measure_pairs(evaluation, ask.assets, ask.pairs, ask.protocol(), work)
    return evaluation.finish()


def learned(device: str) -> Learned:
    """LPIPS and FID, as far as their published weights are at hand."""
    from dance_metrics.learned import PublishedMetrics

    from dancecli.device import resolve

    found: Learned = PublishedMetrics(resolve(device))
    return found
