"""`--background driving`: the video's own scene with its dancer gone."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from dancecli.composite.placing import Placement
from dancecli.composite.size import Size
from dancecli.motion.camera import Affine, centred, compose
from dancecli.plate.clean import CleanPlate, Sample, build_clean_plate, sample_indices
from dancecli.plate.holes import person_hole
from dancecli.plate.plates import FrameSource, SequentialReader, fitted
from dancecli.stages import Inpainter
from dancecli.types import FloatArray, Frame, UInt8Array

Masker = Callable[[Frame], FloatArray | UInt8Array]
Crowd = Callable[[Frame], tuple[FloatArray | UInt8Array, bool]]
"""Alpha of everybody in a frame, and whether that is more than the dancer."""

REACH = 0.15
"""Surroundings of a hole that are compared with the plate, share of the frame's height."""

FOREIGN, THIN = 48, 0.014
"""Difference from the plate (of 255), and width (share of the frame's height), from which a spot
beside the hole belongs to the person."""

CROWD = 2
"""Samples that show others from which on what sticks to the dancer may be one of them; a single
one may be a mistake."""

FEATHER = 0.006
"""Width of the soft edge of what is filled in, share of the frame's height."""

COARSE = 8
"""Colours are matched on the picture shrunk by this."""


class DrivingPlate:
    """The driving video without its dancer, as filmed.

    Where a scene's camera stands still and no sample shows anybody else its plate is one picture.
    Elsewhere each frame is the video's own, with the dancer filled in from the scene's plate under
    that frame's camera, so that background and bystanders move as filmed; of those whom the
    dancer touches a strip goes too. Holds one scene's plate at a time.

    cameras: float64 (T, 2, 3), each frame's pixels to those of its scene's first frame. cuts:
    first frames of all scenes but the first. dancer: alpha of who leaves, (H, W), float 0-1 or
    uint8. people: everybody, who are no background; None where there is only the dancer. fit: as
    `fitted` takes it.
    """

    def __init__(
        self,
        stream: FrameSource,
        cameras: Sequence[Affine],
        cuts: Sequence[int],
        dancer: Masker,
        inpainter: Inpainter,
        size: Size,
        people: Crowd | None = None,
        fit: Placement | None = None,
    ) -> None:
        self.width, self.height = size
        self._fit = fit
        self._stream, self._cameras, self._inpainter = stream, cameras, inpainter
        self._dancer, self._people = dancer, people
        self._edges = [0, *cuts, stream.count]
        self._reader = SequentialReader(stream)
        self._scene, self._company = -1, 0
        self._clean: CleanPlate | None = None
        self._still: UInt8Array | None = None

    def frame(self, index: int) -> UInt8Array:
        """The scene behind output frame `index`, uint8 (height, width, 3).

        Past the end the last frame is held.
        """
        index = min(index, self._edges[-1] - 1)
        clean = self._scene_of(index)
        if self._still is not None:
            return self._still
        frame = self._reader.frame(index)
        hole = person_hole(self._dancer(frame))
        missed = self._company < CROWD
        filled = painted_out(frame.rgb, hole, clean, self._cameras[index], missed)
        return self._fitted(filled)

    def _fitted(self, rgb: UInt8Array) -> UInt8Array:
        return fitted(rgb, (self.width, self.height), self._fit)

    def _scene_of(self, index: int) -> CleanPlate:
        scene = bisect_right(self._edges, index) - 1
        if self._clean is None or scene != self._scene:
            self._scene, self._clean, self._company = scene, None, 0
            first, stop = self._edges[scene], self._edges[scene + 1]
            clean = build_clean_plate(self._samples(first, stop), self._inpainter)
            self._clean = clean
            still = clean.still and not self._company
            self._still = self._fitted(clean.rgb) if still else None
        return self._clean

    def _samples(self, first: int, stop: int) -> Iterator[Sample]:
        wanted = set(sample_indices(first, stop))
        for index, frame in enumerate(self._stream.frames(first, stop), first):
            if index in wanted:
                yield Sample(frame, self._everybody(frame), self._cameras[index])

    def _everybody(self, frame: Frame) -> FloatArray | UInt8Array:
        """Alpha of dancer and others; counts the frames that show others."""
        if self._people is None:
            return self._dancer(frame)
        alpha, company = self._people(frame)
        self._company += company
        return alpha


def painted_out(
    rgb: UInt8Array, hole: UInt8Array, clean: CleanPlate, camera: Affine, missed: bool = True
) -> UInt8Array:
    """The frame with `hole` (0 or 255) filled from the scene's plate, uint8 RGB.

    camera: frame pixels to those of the scene's first frame. What sticks to the hole and is clearly
    not the plate's (a limb that the mask missed) is filled as well where `missed` says so. The
    plate's colours are moved to those around the hole, smoothly across it, and the edge is blended
    over a few pixels.
    """
    if not hole.any():
        return rgb
    window = _around(hole, round(REACH * hole.shape[0]))
    part, hole = rgb[window].astype(np.float32), np.ascontiguousarray(hole[window])
    corner = np.array([[1.0, 0.0, window[1].start], [0.0, 1.0, window[0].start]])
    behind = _seen_by(clean, compose(camera, corner), hole.shape)
    hole = _with_missed(part, behind, hole, rgb.shape[0]) if missed else hole
    behind += _colour_shift(part - behind, hole)
    blended = part + _soft(hole, FEATHER * rgb.shape[0])[..., None] * (behind - part)
    out = rgb.copy()
    out[window] = np.clip(blended + 0.5, 0, 255).astype(np.uint8)
    return out


def _around(hole: UInt8Array, margin: int) -> tuple[slice, slice]:
    """The window that holds the hole and a margin."""
    import cv2

    left, top, width, height = cv2.boundingRect(hole)
    return (
        slice(max(0, top - margin), min(hole.shape[0], top + height + margin)),
        slice(max(0, left - margin), min(hole.shape[1], left + width + margin)),
    )


def _seen_by(clean: CleanPlate, camera: Affine, shape: tuple[int, ...]) -> FloatArray:
    """The plate as a camera sees it, float32 (h, w, 3), 0-255."""
    import cv2

    seen = cv2.warpAffine(
        clean.rgb, centred(compose(clean.to_plate, camera)), (shape[1], shape[0]),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return np.asarray(seen, np.float32)


def _with_missed(part: FloatArray, behind: FloatArray, hole: UInt8Array, tall: int) -> UInt8Array:
    """The hole with the large spots beside it that differ from the plate.

    Thin ones are edges of the scene that the camera's motion did not bring to the same place.
    """
    import cv2

    size = max(3, 2 * round(THIN * tall / 2) + 1)
    difference = np.abs(cv2.blur(part - behind, (size, size))).max(-1)
    other = np.where(difference > FOREIGN, np.uint8(255), np.uint8(0))
    other = cv2.morphologyEx(other, cv2.MORPH_OPEN, np.ones((2 * size, 2 * size), np.uint8))
    other[hole > 0] = 255
    _, labels = cv2.connectedComponents(other, connectivity=8)
    touching = np.unique(labels[hole > 0])
    missed = np.isin(labels, touching) & (hole == 0)
    if not missed.any():
        return hole
    grown = cv2.dilate(missed.astype(np.uint8) * 255, np.ones((2 * size, 2 * size), np.uint8))
    return np.maximum(hole, grown)


def _soft(hole: UInt8Array, feather: float) -> FloatArray:
    """1 in the hole, falling to 0 within a few pixels outside."""
    import cv2

    reach = max(1, round(feather))
    side = 4 * reach + 1
    grown = cv2.dilate(hole, np.ones((side, side), np.uint8)).astype(np.float32) / 255
    soft = cv2.GaussianBlur(grown, (0, 0), reach * 0.9)
    return np.maximum(soft, (hole > 0).astype(np.float32))


def _colour_shift(difference: FloatArray, hole: UInt8Array) -> FloatArray:
    """What is missing from the plate's colours around the hole, continued across it (h, w, 3).

    Averages over wider and wider surroundings, the nearest that know anything counting most.
    """
    import cv2

    height, width = hole.shape
    small = (max(1, width // COARSE), max(1, height // COARSE))
    known = (hole == 0).astype(np.float32)
    # A person's edge that the mask missed differs far more than light does: it has no say.
    known *= (np.abs(difference).max(-1) < 40).astype(np.float32)
    weight = cv2.resize(known, small, interpolation=cv2.INTER_AREA)
    value = cv2.resize(difference * known[..., None], small, interpolation=cv2.INTER_AREA)
    total, mass = np.zeros_like(value), np.full(weight.shape, 1e-9, np.float32)
    for step in range(6):
        sigma, share = 1.5 * 2**step, np.float32(0.01**step)
        total += share * cv2.GaussianBlur(value, (0, 0), sigma)
        mass += share * cv2.GaussianBlur(weight, (0, 0), sigma)
    shift = total / mass[..., None]
    return np.asarray(cv2.resize(shift, (width, height), interpolation=cv2.INTER_LINEAR))
