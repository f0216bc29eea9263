"""`--cross synth`: what self-reenactment cannot measure, that the target's body is kept (Fig. 6).

A dances B's dance. Truth is A rendered in that dance, in B's place, before B's camera. The two are
far apart in weight and height. `driver` is the control: B's own frames, a body that is not A's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from dancecli.evaluate.reenactment import Clip, Protocol, job_of
from dancecli.media import write_png
from dancecli.media.encoding import Encoder
from dancecli.media.formats import format_of
from dancecli.progress import Progress
from dancecli.types import Frame
from dancecli.workdir import WorkDir

LONGEST = 60
"""Frames of a pair, at most."""


@dataclass(frozen=True, eq=False)
class RenderedPair:
    """Files of A's photo and B's dance; truth: a sequence of views of A."""

    photo: Path
    driver: Path
    truth: Any


def rendered_pair(assets: Path | None, protocol: Protocol, index: int, room: Path) -> RenderedPair:
    """Pair `index`, rendered into a folder.

    assets: the asset pack; None looks where `dance prepare-data synth` does. Raises WeightsError.
    """
    from dance_synth.clips import cross_pair
    from dance_synth.reader import find_pack

    frames = min(protocol.frames, LONGEST)
    pair = cross_pair(find_pack(assets), protocol.seed, index, frames)
    photo, driver = room / f"photo-{index}.png", room / f"driver-{index}.mp4"
    write_png(photo, pair.photo.rgb)
    height, width = pair.driver[0].rgb.shape[:2]
    fps = Fraction(pair.about["fps"])
    with Encoder(driver, format_of(driver), fps, (width, height), False) as encoder:
        for view in pair.driver:
            encoder.write(view.rgb)
    return RenderedPair(photo, driver, pair.truth)


class CrossClip(Clip):
    """A in B's dance."""

    def __init__(
        self, pair: RenderedPair, protocol: Protocol, work: WorkDir, progress: Progress
    ) -> None:
        super().__init__(job_of(pair.photo, pair.driver, protocol), protocol, work, progress)
        self.pair = pair

    def real(self) -> Iterator[Frame]:
        """A's true dance."""
        fps = float(self.video.fps)
        for index in self.span:
            yield Frame(self.pair.truth[index].rgb, index, index / fps)

    def baseline(self, driving: Frame) -> dict[str, Frame]:
        """B's own dance."""
        return {"driver": driving}
