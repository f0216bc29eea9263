"""`dance prepare-data video`: a folder of clips as people in a few frames each.

People are looked for several times a second and followed; every so often a look is kept, with
everybody's mask. Looks that lie within `Options.gap` frames of one scene make one Person for each
of those seen in them; their background is what the other looks show behind them, inpainted where
none does. A cut, or too long an absence, makes somebody another person: two samples of one person
do no harm, one sample of two people does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from dance_footage.clips import LAYOUT, clips_in, key_of
from dance_footage.crowd import Crowd, Look
from dancecli import registry
from dancecli.data.people import Options, Person, Skipped, View
from dancecli.errors import MediaError, UsageError
from dancecli.media import VideoStream
from dancecli.motion.camera import Affine, compose, identity, inverse
from dancecli.plate.clean import Sample, build_clean_plate
from dancecli.plate.driving import painted_out
from dancecli.plate.holes import person_hole
from dancecli.stages import DEFAULTS, Inpainter, PersonMasker, PoseExtractor, Settings
from dancecli.types import BoolArray, UInt8Array

MOST_PIXELS = 1280
"""Longest side of a frame; larger clips are scaled down."""

RATE = 5.0
"""Looks per second."""

ENOUGH = 6
"""Looks from which the background behind people is gathered; fewer show too little of it, and each
crop's own is inpainted better."""

STEADY = 0.75
"""Share of the looks in which somebody must be found: else they stand in the background that the
others give, and each crop's own is inpainted."""

INSIDE = 0.5
"""Alpha from which a pixel is a person's."""


@dataclass(frozen=True)
class _Pace:
    """stride: frames between looks. looks: from the first to the last that may share a sample.
    every: looks between views. count: views of a sample, at most."""

    stride: int
    looks: int
    every: int
    count: int

    @classmethod
    def of(cls, clip: VideoStream, rate: float, options: Options) -> _Pace:
        """Views of one sample lie `options.gap` frames apart at most, and spread that far."""
        reach = min(options.gap, clip.count - 1)
        stride = max(1, min(round(float(clip.fps) / rate), reach))
        looks = reach // stride
        count = max(1, min(options.frames, looks + 1))
        return cls(stride, looks, max(1, looks // max(1, count - 1)), count)

    def wanted(self, place: int) -> bool:
        """Whether the look at that place of a stretch is kept."""
        return place % self.every == 0 and place // self.every < self.count


class FootageReader:
    """DatasetReader of clips; units are files."""

    INTERFACE_VERSION: ClassVar[int] = 1
    LICENCE: ClassVar[str] = "your own footage: its rights, and those of the people in it, hold"
    COMMERCIAL: ClassVar[bool | None] = None

    layout = LAYOUT
    stages: ClassVar[tuple[str, ...]] = ("pose", "mask", "inpaint")
    """Plugins it uses itself; `Options.set` names them."""

    def __init__(self, settings: Settings) -> None:
        """Plugins are loaded with the same settings, when first needed."""
        self.settings = settings
        self._plugins: dict[tuple[str, str], Any] = {}

    def units(self, root: Path | None, options: Options) -> list[str]:
        """The clips' paths in the folder, sorted.

        Raises UsageError when there are none, or for a setting that is none.
        """
        _rate(options)
        return clips_in(root)

    def read(self, root: Path | None, unit: str, options: Options) -> Iterator[Person | Skipped]:
        """The people of a clip, scene by scene, at most `options.people` of them."""
        left = -1 if options.people is None else options.people
        try:
            for person in self._people((root or Path()) / unit, unit, options):
                if left == 0:
                    return
                left -= 1
                yield person
        except MediaError:
            yield Skipped(unit, "unreadable or damaged video")

    def _people(self, path: Path, unit: str, options: Options) -> Iterator[Person]:
        whole = VideoStream(path, max_side=MOST_PIXELS)
        pace = _Pace.of(whole, _rate(options), options)
        looks = VideoStream(path, fps=whole.fps / pace.stride, max_side=MOST_PIXELS)
        crowd, stretch = Crowd(self._pose(options)), self._stretch(options)
        about = {"set": "video", "clip": unit, "fps": round(float(whole.fps), 3)}
        begun = 0
        for frame in looks.frames():
            look = crowd.look(frame)
            if look.cut or frame.index - begun > pace.looks:
                yield from stretch.people(key_of(unit), about)
                stretch, begun = self._stretch(options), frame.index
            stretch.move(look.camera)
            if pace.wanted(frame.index - begun):
                stretch.keep(look, frame.index * pace.stride)
        yield from stretch.people(key_of(unit), about)

    def _stretch(self, options: Options) -> _Stretch:
        mask: PersonMasker = self._plugin("mask", options)
        inpaint: Inpainter = self._plugin("inpaint", options)
        return _Stretch(mask, inpaint)

    def _pose(self, options: Options) -> PoseExtractor:
        plugin: PoseExtractor = self._plugin("pose", options)
        return plugin

    def _plugin(self, group: str, options: Options) -> Any:
        name = options.set.get(group, DEFAULTS[f"dance.{group}"])
        if (group, name) not in self._plugins:
            self._plugins[group, name] = registry.load(f"dance.{group}", name, self.settings)
        return self._plugins[group, name]


def _rate(options: Options) -> float:
    """Looks per second; raises UsageError for a setting that is none."""
    unknown = sorted(set(options.set) - {"rate", *FootageReader.stages})
    if unknown:
        raise UsageError(f"--set {unknown[0]}: 'video' has one setting, rate (looks per second)")
    text = options.set.get("rate", str(RATE))
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0.01 <= rate <= 60:
        raise UsageError(f"--set rate={text}: give looks per second, 0.01 to 60")
    return rate


class _Stretch:
    """Looks of one scene that lie near enough to be one sample."""

    def __init__(self, mask: PersonMasker, inpaint: Inpainter) -> None:
        self._mask, self._inpaint = mask, inpaint
        self._camera: Affine | None = None
        self._samples: list[Sample] = []
        self._views: dict[int, list[tuple[int, View]]] = {}

    def move(self, camera: Affine) -> None:
        """The camera's motion since the look before; the first look's own pixels count."""
        here = identity() if self._camera is None else compose(self._camera, inverse(camera))
        self._camera = here

    def keep(self, look: Look, number: int) -> None:
        """Views of everybody who is followed in this look, frame `number` of the clip."""
        assert self._camera is not None
        masks = {id(p): self._mask.mask(look.frame, p).alpha >= INSIDE for p in look.people}
        nobody: BoolArray = np.zeros(look.frame.rgb.shape[:2], bool)
        people = np.logical_or.reduce([nobody, *masks.values()])
        for person, skeleton in look.known.items():
            view = View(
                look.frame.rgb, number, mask=masks[id(skeleton)], people=people, skeleton=skeleton
            )
            self._views.setdefault(person, []).append((len(self._samples), view))
        alpha = np.where(people, np.uint8(255), np.uint8(0))
        self._samples.append(Sample(look.frame, alpha, self._camera))

    def people(self, key: str, about: dict[str, Any]) -> Iterator[Person]:
        """Those who were kept, with the background behind them, by number."""
        if not self._views:
            return
        plates = self._plates()
        for person, found in sorted(self._views.items()):
            steady = len(found) >= STEADY * len(self._samples)
            views = tuple(
                replace(view, plate=plates[place] if steady else None) for place, view in found
            )
            name = f"{key}-p{person}-f{views[0].number}"
            yield Person(name, views, {**about, "number": person})

    def _plates(self) -> list[UInt8Array | None]:
        if len(self._samples) < ENOUGH:
            return [None] * len(self._samples)
        clean = build_clean_plate(self._samples, self._inpaint)
        return [
            painted_out(s.frame.rgb, person_hole(s.people), clean, s.camera) for s in self._samples
        ]
