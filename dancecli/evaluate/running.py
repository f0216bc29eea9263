"""From what is asked to numbers and pictures: one loop over clips for every protocol."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from dancecli import registry
from dancecli.errors import DanceError, NoPersonError, UsageError
from dancecli.evaluate.compare import Comparison, Learned, fids
from dancecli.evaluate.eyes import Eyes
from dancecli.evaluate.gallery import Gallery
from dancecli.evaluate.reenactment import Contender, Protocol, SelfClip, check_lengths
from dancecli.evaluate.report import write_report
from dancecli.evaluate.results import Results
from dancecli.evaluate.sources import REAL, Together, open_source
from dancecli.progress import Progress
from dancecli.stages import Settings
from dancecli.types import Frame
from dancecli.workdir import WorkDir

Moments = Iterator[tuple[Frame, dict[str, Frame]]]


@dataclass
class Evaluation:
    """What is being measured, and where it goes.

    out: the report's folder. eyes: perception. learned: LPIPS and FID.
    """

    out: Path
    eyes: Eyes
    learned: Learned | None
    progress: Progress
    results: Results

    def __post_init__(self) -> None:
        self.pictures: dict[str, tuple[Path, Path]] = {}
        if self.learned:
            self.results.missing |= self.learned.missing

    def walk(self, name: str, moments: Moments, count: int, fps: Fraction) -> None:
        """One clip. count: frames to come, at most. fps: of the gallery's film.

        Raises NoPersonError where nobody is found in any real frame.
        """
        self.out.mkdir(parents=True, exist_ok=True)
        name = self._unused(name)
        comparison = Comparison(self.eyes, self.learned)
        with (
            Gallery(self.out, _plain(name), count, fps) as gallery,
            self.progress.stage(name[:20], count) as tick,
        ):
            for real, fakes in moments:
                crop = comparison.add(real, fakes)
                if crop is not None:
                    gallery.add(crop, real, fakes)
                tick()
        if not comparison.scores:
            raise NoPersonError(f"{name}: nobody was found in any of its real frames")
        self.results.scores[name] = comparison.scores
        self.results.passed_over[name] = comparison.passed_over
        self.pictures[name] = (gallery.still, gallery.strip)

    def _unused(self, name: str) -> str:
        """The name, numbered when an earlier clip has it."""
        taken = {_plain(each) for each in self.results.scores}
        candidates = [name, *(f"{name}-{n}" for n in range(2, len(taken) + 3))]
        return next(each for each in candidates if _plain(each) not in taken)

    def finish(self) -> Results:
        """Measures what needs all clips; writes `metrics.json` and `report.html`."""
        if self.learned:
            self.results.fid = self._fids(self.learned)
        self.results.write(self.out / "metrics.json")
        write_report(self.results, self.pictures, self.out / "report.html")
        return self.results

    def _fids(self, learned: Learned) -> dict[str | None, dict[str, float]]:
        scores, groups = self.results.scores, self.results.groups
        everything = fids(list(scores.values()), learned)
        found: dict[str | None, dict[str, float]] = {None: everything}
        for group, clips in groups.items():
            whole = len(clips) == len(scores)
            found[group] = everything if whole else fids([scores[clip] for clip in clips], learned)
        return found


def _plain(name: str) -> str:
    """A name that can be a file's; of a long one the end, where names are numbered."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", name)[-80:] or "clip"


def measure_files(
    ask: Evaluation, real: Path, fakes: Mapping[str, Path], limit: int | None = None
) -> None:
    """Made videos or folders beside the real one.

    Raises UsageError when they do not fit or one has the real one's name, MediaError when one
    cannot be read.
    """
    if REAL in fakes:
        raise UsageError(f"'{REAL}' is what the real frames are called; give another NAME=PATH")
    together = Together(open_source(real), {name: open_source(p) for name, p in fakes.items()})
    for path in together.scaled:
        ask.progress.say(
            f"{path} is compared at {together.width}x{together.height}, the smallest size given"
        )
    count = min(together.count, limit or together.count)
    ask.walk(real.stem, together.frames(limit), count, together.fps)


def weights_of(protocol: Protocol) -> dict[str, Any]:
    """What the contenders' backends say of their weights; fails early for one that cannot paint.

    Raises WeightsError where there are none, PluginError where a library is missing.
    """
    found = {}
    for each in protocol.contenders:
        with _named(each):
            settings = Settings(protocol.device, each.weights, protocol.seed)
            backend = registry.load("dance.backend", each.backend, settings)
            if hasattr(backend, "weights"):
                found[each.name] = backend.weights()
            if each.dense and backend.uses_dense:
                registry.load("dance.dense", each.dense, settings)
    return found


@contextmanager
def _named(contender: Contender) -> Iterator[None]:
    """Within, errors say whose they are, where that is not the name of the backend."""
    try:
        yield
    except DanceError as error:
        if contender.name.startswith(contender.backend):
            raise
        raise type(error)(f"{contender.name}: {error}") from error


def measure_clips(
    ask: Evaluation, clips: Sequence[Path], protocol: Protocol, work: WorkDir
) -> None:
    """Self-reenactment of each clip.

    Raises UsageError, before any work, for a clip of a single frame.
    """
    check_lengths(clips)
    groups: dict[str, list[str]] = {"simple": [], "challenging": []}
    ask.results.weights = weights_of(protocol)
    for path in clips:
        with tempfile.TemporaryDirectory() as room:
            clip = SelfClip(path, protocol, work, Path(room), ask.progress)
            ask.walk(path.stem, clip.moments(), len(clip.span), clip.video.fps)
        groups["simple" if clip.simple else "challenging"].append(list(ask.results.scores)[-1])
    ask.results.groups = groups


def measure_pairs(
    ask: Evaluation, assets: Path | None, pairs: int, protocol: Protocol, work: WorkDir
) -> None:
    """One motion on two synthetic bodies: the photo's, made to dance, against its true dance.

    Raises WeightsError without the asset pack.
    """
    from dancecli.evaluate.cross import CrossClip, rendered_pair

    ask.results.weights = weights_of(protocol)
    for index in range(pairs):
        with tempfile.TemporaryDirectory() as room:
            pair = rendered_pair(assets, protocol, index, Path(room))
            clip = CrossClip(pair, protocol, work, ask.progress)
            ask.walk(f"pair-{index:02d}", clip.moments(), len(clip.span), clip.video.fps)


def described(protocol: Protocol, cross: bool = False) -> dict[str, Any]:
    """For the results file."""
    return {
        "name": "Another body's motion" if cross else "Self-reenactment",
        "frames": protocol.frames,
        "contenders": [each.__dict__ for each in protocol.contenders],
        "target": "a synthetic person driven by another; truth rendered in the same motion"
        if cross
        else "the first frame that shows all joints, else the fullest; later frames compared",
        "crop": "512x320 about the real person, over the clean plate",
        "plugins": protocol.plugins,
        "seed": protocol.seed,
    }
