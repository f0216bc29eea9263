"""Fills a hole from the rest of the picture: exemplar-based completion on a pyramid.

Wexler et al., Space-Time Completion of Video (2007): alternate between the nearest known patch of
every patch that touches the hole and a vote of those patches on each hole pixel, coarse to fine.
The search is PatchMatch (Barnes et al., 2009), all pixels at once, on patches projected to their
principal components. Seeded, so the same picture and hole give the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from dancecli.types import BoolArray, FloatArray

IntArray = NDArray[np.int32]

RADIUS = 3
"""Patches are 7 x 7."""

COMPONENTS = 20
"""Principal components kept of a patch's 147 numbers."""

ROW_PULL, COLUMN_PULL = 2.5, 0.6
"""Cost of taking a patch one picture height or width away, in patch colour units. Rows cost more:
under a level camera things of one size and one lighting stand on one row."""

FAR = 1e3
"""Feature value of places that must never be copied from."""

_NEIGHBOURS = ((0, 1), (0, -1), (1, 0), (-1, 0))


@dataclass(frozen=True, eq=False)
class Level:
    """One step of the pyramid. image: float32 (h, w, 3) in [0, 1]; hole: bool (h, w)."""

    image: FloatArray
    hole: BoolArray


def pyramid(image: FloatArray, hole: BoolArray, smallest: int = 24) -> list[Level]:
    """The picture at halves, finest first; hole pixels never bleed into coarser known ones."""
    levels = [Level(image, hole)]
    while min(levels[-1].hole.shape) >= 2 * smallest and _thickness(levels[-1].hole) > 2 * RADIUS:
        levels.append(_halved(levels[-1]))
    return levels


@dataclass(frozen=True, eq=False)
class Completion:
    """A filled level.

    image: float32 (h, w, 3). gradients: float32 (h, w, 6), the difference to the right and down of
    the same patches, which has no steps where patches from different places meet.
    sources: int32 (h, w, 2), the (row, column) that each pixel was taken from.
    """

    image: FloatArray
    gradients: FloatArray
    sources: IntArray


def complete(levels: list[Level], seed: int = 0) -> Completion:
    """Fill `levels[0]`, from the coarsest level up."""
    rng = np.random.default_rng(seed)
    image = _membrane(levels[-1])
    sources = _grid(*levels[-1].hole.shape)
    for depth in range(len(levels) - 1, -1, -1):
        level = levels[depth]
        if depth < len(levels) - 1:
            sources = _doubled(sources, level.hole)
            image = cv2.resize(image, level.hole.shape[::-1], interpolation=cv2.INTER_LINEAR)
            image = np.where(level.hole[..., None], image, level.image)
        image, gradients, sources = _fill(level, image, sources, 3 + 3 * depth, rng)
    return Completion(image, gradients, sources)


def _thickness(hole: BoolArray) -> float:
    """The largest distance from inside the hole to what is known."""
    return float(cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 3).max())


def _halved(level: Level) -> Level:
    height, width = level.hole.shape
    size = ((width + 1) // 2, (height + 1) // 2)
    known = (~level.hole).astype(np.float32)
    weight = cv2.resize(known, size, interpolation=cv2.INTER_AREA)
    image = cv2.resize(level.image * known[..., None], size, interpolation=cv2.INTER_AREA)
    return Level(image / np.maximum(weight, 1e-6)[..., None], weight < 0.5)


def _membrane(level: Level) -> FloatArray:
    """A smooth first guess: the known pixels pushed into the hole, each ring from the last."""
    bytes_ = np.clip(level.image * 255 + 0.5, 0, 255).astype(np.uint8)
    hole = level.hole.astype(np.uint8)
    guess = cv2.inpaint(bytes_, hole, 3, cv2.INPAINT_TELEA).astype(np.float32) / 255
    return np.where(level.hole[..., None], guess, level.image)


def _grid(height: int, width: int) -> IntArray:
    rows, columns = np.mgrid[0:height, 0:width].astype(np.int32)
    return np.stack([rows, columns], -1)


def _doubled(sources: IntArray, hole: BoolArray) -> IntArray:
    """Matches of the coarser level as a first guess for this one: the same shift, twice as long."""
    height, width = hole.shape
    shift = (sources - _grid(*sources.shape[:2])) * 2
    shift = np.repeat(np.repeat(shift, 2, 0), 2, 1)[:height, :width]
    moved = _grid(height, width) + shift
    return np.clip(moved, 0, np.array([height - 1, width - 1], np.int32)).astype(np.int32)


def _fill(
    level: Level, image: FloatArray, sources: IntArray, passes: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, IntArray]:
    """(image, gradients, sources) after that many rounds of matching and voting."""
    search = _Search(level, rng)
    if search.impossible:
        return image, differences(image), sources
    match = sources[search.rows, search.columns]
    for number in range(passes):
        match, cost = search.nearest(image, match, sweeps=3 if number == 0 else 1)
        image = np.where(level.hole[..., None], search.vote(level.image, match, cost), level.image)
    gradients = search.vote(differences(level.image), match, cost)
    sources = _grid(*level.hole.shape)
    sources[search.rows, search.columns] = match
    sources[~level.hole] = _grid(*level.hole.shape)[~level.hole]
    return image, gradients, sources


def differences(image: FloatArray) -> FloatArray:
    """To the right neighbour and the one below, float32 (h, w, 6), 0 at the last of each."""
    right = np.diff(image, axis=1, append=image[:, -1:])
    down = np.diff(image, axis=0, append=image[-1:])
    return np.concatenate([right, down], -1)


class _Search:
    """Nearest known patches of the patches that touch the hole of one level."""

    def __init__(self, level: Level, rng: np.random.Generator) -> None:
        self.level, self.rng = level, rng
        hole = level.hole.astype(np.uint8)
        touched = cv2.dilate(hole, np.ones((2 * RADIUS + 1, 2 * RADIUS + 1), np.uint8))
        self.rows, self.columns = (a.astype(np.int32) for a in np.nonzero(touched))
        inside = np.zeros(level.hole.shape, bool)
        inside[RADIUS:-RADIUS, RADIUS:-RADIUS] = True
        # One pixel more than a patch reaches: its last differences look at the next pixel.
        reach = np.ones((2 * RADIUS + 3, 2 * RADIUS + 3), np.uint8)
        self.valid = inside & (cv2.dilate(hole, reach) == 0)
        self.impossible = int(self.valid.sum()) < COMPONENTS
        self.order = np.full(level.hole.shape, -1, np.int32)
        self.order[self.rows, self.columns] = np.arange(len(self.rows))
        if not self.impossible:
            self._learn()

    def _learn(self) -> None:
        """The principal components of known patches, and every known place's features."""
        rows, columns = np.nonzero(self.valid)
        pick = np.linspace(0, len(rows) - 1, min(len(rows), 4000)).astype(int)
        patches = _patches(self.level.image, rows[pick], columns[pick])
        covariance = patches.T @ patches
        self.basis = np.linalg.eigh(covariance)[1][:, : -COMPONENTS - 1 : -1].astype(np.float32)
        height, width = self.valid.shape
        self.features = np.full((height, width, COMPONENTS + 2), FAR, np.float32)
        self.features[rows, columns] = self._describe(self.level.image, rows, columns)

    def _describe(self, image: FloatArray, rows: IntArray, columns: IntArray) -> FloatArray:
        height, width = self.valid.shape
        out = np.empty((len(rows), COMPONENTS + 2), np.float32)
        for part in np.array_split(np.arange(len(rows)), len(rows) // 20000 + 1):
            out[part, :-2] = _patches(image, rows[part], columns[part]) @ self.basis
        out[:, -2] = rows * np.float32(ROW_PULL / height)
        out[:, -1] = columns * np.float32(COLUMN_PULL / width)
        return out

    def nearest(
        self, image: FloatArray, match: IntArray, sweeps: int
    ) -> tuple[IntArray, FloatArray]:
        """Better matches (N, 2) and their costs (N,) for the picture as it stands."""
        wanted = self._describe(image, self.rows, self.columns)
        match, cost = match.copy(), self._cost(wanted, match)
        for _ in range(sweeps):
            for step in _NEIGHBOURS:
                self._offer(wanted, match, cost, self._from_neighbour(match, step))
            reach = max(self.valid.shape)
            while reach >= 1:
                jump = self.rng.integers(-reach, reach + 1, match.shape, dtype=np.int32)
                self._offer(wanted, match, cost, match + jump)
                reach //= 3
        return match, cost

    def _from_neighbour(self, match: IntArray, step: tuple[int, int]) -> IntArray:
        """What each patch's neighbour matches, moved back by one."""
        height, width = self.valid.shape
        rows = np.clip(self.rows + step[0], 0, height - 1)
        columns = np.clip(self.columns + step[1], 0, width - 1)
        neighbour = self.order[rows, columns]
        moved = match[neighbour] - np.array(step, np.int32)
        return np.where((neighbour < 0)[:, None], match, moved)

    def _cost(self, wanted: FloatArray, match: IntArray) -> FloatArray:
        found = self.features[match[:, 0], match[:, 1]]
        found -= wanted
        return np.asarray(np.einsum("ij,ij->i", found, found), np.float32)

    def _offer(
        self, wanted: FloatArray, match: IntArray, cost: FloatArray, candidate: IntArray
    ) -> None:
        """Take the candidates that cost less, in place."""
        height, width = self.valid.shape
        np.clip(candidate[:, 0], 0, height - 1, out=candidate[:, 0])
        np.clip(candidate[:, 1], 0, width - 1, out=candidate[:, 1])
        price = self._cost(wanted, candidate)
        better = price < cost
        match[better], cost[better] = candidate[better], price[better]

    def vote(self, values: FloatArray, match: IntArray, cost: FloatArray) -> FloatArray:
        """The weighted mean of the matched patches of `values` (h, w, C) that cover each pixel."""
        height, width = self.valid.shape
        weight = self._weights(cost)[:, None]
        known = np.pad(values, ((RADIUS, RADIUS), (RADIUS, RADIUS), (0, 0)), "edge")
        stride, channels = known.shape[1], values.shape[2]
        flat = known.reshape(-1, channels)
        source, place = match[:, 0] * stride + match[:, 1], self.rows * stride + self.columns
        total = np.zeros((len(flat), channels + 1), np.float32)
        painted = np.repeat(weight, channels + 1, 1)
        for dy in range(2 * RADIUS + 1):
            for step in range(dy * stride, dy * stride + 2 * RADIUS + 1):
                np.multiply(flat.take(source + step, 0), weight, out=painted[:, :-1])
                total[place + step] += painted
        total = total.reshape(*known.shape[:2], -1)
        total = total[RADIUS : RADIUS + height, RADIUS : RADIUS + width]
        voted: FloatArray = total[..., :-1] / np.maximum(total[..., -1:], 1e-12)
        return voted

    def _weights(self, cost: FloatArray) -> FloatArray:
        """Good matches and places near the known count for more (Wexler, equations 5 and 6)."""
        spread = float(np.percentile(cost, 75)) + 1e-6
        depth = cv2.distanceTransform(self.level.hole.astype(np.uint8), cv2.DIST_L2, 3)
        near = np.power(np.float32(1.3), -np.minimum(depth[self.rows, self.columns], 60))
        weight: FloatArray = (np.exp(-cost / (2 * spread)) * near + 1e-12).astype(np.float32)
        return weight


def _patches(image: FloatArray, rows: IntArray, columns: IntArray) -> FloatArray:
    """Patches about the given centres, float32 (N, 147); beyond the picture its edge repeats."""
    padded = np.pad(image, ((RADIUS, RADIUS), (RADIUS, RADIUS), (0, 0)), "edge")
    side = 2 * RADIUS + 1
    windows = sliding_window_view(padded, (side, side, image.shape[2]))[:, :, 0]
    return np.asarray(windows[rows, columns].reshape(len(rows), -1), np.float32)
