"""Cloth from scratch: patterns on a tile that repeats every metre, and what is printed on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from dance_synth.looks.complexion import Colour
from dance_synth.noise import clouds, grain
from dancecli.types import FloatArray

TILE = 512
"""Texels along a metre of cloth."""


@dataclass(frozen=True)
class Fabric:
    """pattern: of `PATTERNS`, or "own", the garment's own picture with its hues turned.

    colours: the ground first, then two for the pattern. scale: of the pattern, 1 usual.
    print: "", or a name of `dance_synth.looks.prints`. seed: of the rest.
    """

    pattern: str = "plain"
    colours: tuple[Colour, Colour, Colour] = ((90, 90, 100), (200, 200, 200), (40, 40, 50))
    scale: float = 1.0
    print: str = ""
    seed: int = 0


Palette = tuple[FloatArray, FloatArray, FloatArray]
"""Three colours (3,), 0-1."""


def weave(fabric: Fabric) -> FloatArray:
    """A tile of cloth (TILE, TILE, 3), 0-1, whose edges meet."""
    rng = np.random.default_rng(fabric.seed)
    palette = tuple(np.array(c, np.float32) / 255 for c in fabric.colours)
    pattern = PATTERNS[fabric.pattern]
    cloth = pattern(rng, (palette[0], palette[1], palette[2]), fabric.scale)
    shade = _folds(rng) + 0.02 * grain(rng, TILE)
    return np.asarray(cloth * shade[..., None], np.float32)


def _folds(rng: np.random.Generator) -> FloatArray:
    """Light and dark of cloth that hangs on a body, about 1: soft hollows, a few sharp creases."""
    hollows, lines = clouds(rng, TILE, (4, 3), 3), clouds(rng, TILE, (5, 3), 2)
    creases = np.exp(-((lines / 0.16) ** 2)) * np.clip(hollows, 0, 1)
    return np.asarray(1 + 0.045 * hollows - 0.1 * creases, np.float32)


def _mixed(share: FloatArray, ground: FloatArray, over: FloatArray) -> FloatArray:
    return ground + (over - ground) * share[..., None]


def _ramp(periods: int, phase: float = 0.0) -> FloatArray:
    """0-1 sawtooth along a side, whole periods, (TILE,)."""
    along = (np.arange(TILE, dtype=np.float32) + 0.5) / TILE * max(periods, 1) + phase
    return np.asarray(along % 1, np.float32)


def _bands(rng: np.random.Generator, periods: int, wide: float) -> FloatArray:
    """A row of soft-edged bands, 0-1, (TILE,); wide: share of each period."""
    saw = _ramp(periods, float(rng.random()))
    edge = 2.0 * periods / TILE
    return np.asarray(np.clip((wide - np.abs(saw - 0.5) * 2) / edge + 0.5, 0, 1))


def _plain(rng: np.random.Generator, colours: Palette, scale: float) -> FloatArray:
    return np.ones((TILE, TILE, 1), np.float32) * colours[0]


def _heather(rng: np.random.Generator, colours: Palette, scale: float) -> FloatArray:
    flecks = np.clip(0.35 + 0.22 * clouds(rng, TILE, (48, 192), 2), 0, 1)
    return _mixed(flecks, colours[0], 0.6 * colours[0] + 0.4 * colours[1])


def _stripes(rng: np.random.Generator, colours: Palette, scale: float) -> FloatArray:
    periods = max(3, round(rng.choice([7, 10, 14, 20]) / scale))
    share = _bands(rng, periods, float(rng.choice([0.3, 0.5, 0.5, 0.7])))
    return _mixed(np.repeat(share[:, None], TILE, 1), colours[0], colours[1])


def _pinstripes(rng: np.random.Generator, colours: Palette, scale: float) -> FloatArray:
    share = _bands(rng, max(16, round(40 / scale)), 0.14) * 0.6
    return _mixed(np.repeat(share[None], TILE, 0), colours[0], colours[1])


def _blocks(rng: np.random.Generator, colours: Palette, scale: float) -> FloatArray:
    """Two or three broad areas, one above another."""
    first, second = _bands(rng, 1, 0.4), _bands(rng, 1, 0.08)
    cloth = _mixed(np.repeat(first[:, None], TILE, 1), colours[0], colours[1])
    return _mixed(np.repeat(second[:, None], TILE, 1), cloth, colours[2])


def _plaid(rng: np.random.Generator, colours: Palette, scale: float) -> FloatArray:
    periods = max(4, round(rng.choice([6, 8, 12]) / scale))
    broad, thin = _bands(rng, periods, 0.45), _bands(rng, periods, 0.08)
    down, across = broad[:, None], broad[None]
    cloth = _mixed((down + across) / 2, colours[0], colours[1])
    lines = np.maximum(thin[:, None], thin[None]) * 0.6
    return _mixed(lines, cloth, colours[2])


def _gingham(rng: np.random.Generator, colours: Palette, scale: float) -> FloatArray:
    bands = _bands(rng, max(10, round(rng.choice([24, 40]) / scale)), 0.5)
    return _mixed((bands[:, None] + bands[None]) / 2, colours[1], colours[0])


def _dots(rng: np.random.Generator, colours: Palette, scale: float) -> FloatArray:
    periods = 2 * max(4, round(rng.choice([8, 12, 18]) / scale / 2))
    size = rng.uniform(0.15, 0.3)
    saw = _ramp(periods)
    total = np.zeros((TILE, TILE), np.float32)
    for shift in (0.0, 0.5):
        away = np.abs((saw + shift) % 1 - 0.5)
        distance = np.sqrt(away[:, None] ** 2 + away[None] ** 2)
        total += np.clip((size - distance) * TILE / periods / 1.5 + 0.5, 0, 1)
    return _mixed(np.minimum(total, 1), colours[0], colours[1])


def _flowers(rng: np.random.Generator, colours: Palette, scale: float) -> FloatArray:
    canvas = np.ascontiguousarray(_plain(rng, colours, scale))
    for _ in range(round(rng.uniform(130, 320) / scale)):
        centre, size = rng.uniform(0, TILE, 2).astype(np.float32), rng.uniform(5, 13) * scale
        petals, turn = int(rng.integers(4, 7)), rng.uniform(0, 6.3)
        colour = colours[1] if rng.random() < 0.65 else (colours[1] + colours[2]) / 2
        angles = turn + np.arange(petals) * 2 * np.pi / petals
        spots = centre + size * 0.8 * np.stack([np.cos(angles), np.sin(angles)], 1)
        for spot in spots:
            _disc(canvas, spot, size * 0.6, colour)
        _disc(canvas, centre, size * 0.4, colours[2])
    return canvas


def _disc(canvas: FloatArray, centre: FloatArray, radius: float, colour: FloatArray) -> None:
    """A disc whose parts beyond an edge come in again at the other."""
    shifts = [
        [s for s in (-TILE, 0, TILE) if -radius < value + s < TILE + radius] for value in centre
    ]
    for x in shifts[0]:
        for y in shifts[1]:
            at = round((centre[0] + x) * 16), round((centre[1] + y) * 16)
            cv2.circle(canvas, at, round(radius * 16), colour.tolist(), -1, cv2.LINE_AA, 4)


def _camouflage(rng: np.random.Generator, colours: Palette, scale: float) -> FloatArray:
    cells = max(3, round(5 / scale))
    cloth = _plain(rng, colours, scale)
    for colour, level in ((colours[1], 0.15), (colours[2], 0.65), (0.6 * colours[2], 1.3)):
        patches = np.clip((clouds(rng, TILE, cells, 3) - level) * 20, 0, 1)
        cloth = _mixed(patches, cloth, colour)
    return cloth


def _denim(rng: np.random.Generator, colours: Palette, scale: float) -> FloatArray:
    saw = _ramp(128)
    twill = np.abs(((saw[:, None] + saw[None]) % 1) - 0.5) * 2
    worn = np.clip(0.12 + 0.1 * clouds(rng, TILE, (4, 3), 3), 0, 0.5)
    flecks = np.clip(grain(rng, TILE) * 0.5, -1, 1)
    share = np.clip(worn + 0.1 * twill + 0.06 * flecks, 0, 1)
    return _mixed(share, colours[0], np.array([0.8, 0.84, 0.88], np.float32))


def _knit(rng: np.random.Generator, colours: Palette, scale: float) -> FloatArray:
    columns, rows = max(24, round(60 / scale)), max(32, round(80 / scale))
    across, down = _ramp(columns)[None], _ramp(rows)[:, None]
    stitch = np.abs(((down + np.abs(across - 0.5)) % 1) - 0.5) * 2
    rib = np.abs(across - 0.5) * 2
    shade = 0.78 + 0.14 * stitch + 0.16 * (1 - rib**2)
    return np.asarray(colours[0] * shade[..., None], np.float32)


def _gradient(rng: np.random.Generator, colours: Palette, scale: float) -> FloatArray:
    """From one colour to another and back, over half a metre each."""
    wave = 0.5 - 0.5 * np.cos(2 * np.pi * (_ramp(1) + rng.uniform(0.4, 0.6)))
    return _mixed(np.repeat(wave[:, None].astype(np.float32), TILE, 1), colours[0], colours[1])


def _batik(rng: np.random.Generator, colours: Palette, scale: float) -> FloatArray:
    """Tie-dye and marbling: one colour bleeding into another."""
    field = clouds(rng, TILE, max(3, round(6 / scale)), 4)
    cloth = _mixed(1 / (1 + np.exp(-4 * field)), colours[0], colours[1])
    return _mixed(np.clip(clouds(rng, TILE, 5, 3) - 0.9, 0, 1), cloth, colours[2])


def _zigzag(rng: np.random.Generator, colours: Palette, scale: float) -> FloatArray:
    periods = max(6, round(rng.choice([10, 16]) / scale))
    saw = np.abs(_ramp(periods) - 0.5) * 2
    phase = (_ramp(periods)[:, None] + 0.5 * saw[None]) % 1
    share = np.clip((0.5 - np.abs(phase - 0.5) * 2) * TILE / periods / 3 + 0.5, 0, 1)
    return _mixed(share, colours[0], colours[1])


def _leather(rng: np.random.Generator, colours: Palette, scale: float) -> FloatArray:
    creases = 1 + 0.08 * clouds(rng, TILE, 40, 3) - 0.05 * np.abs(clouds(rng, TILE, 12, 2))
    return np.asarray(colours[0] * creases[..., None], np.float32)


PATTERNS: Mapping[str, Callable[[np.random.Generator, Palette, float], FloatArray]] = {
    "plain": _plain, "heather": _heather, "stripes": _stripes, "pinstripes": _pinstripes,
    "blocks": _blocks, "plaid": _plaid, "gingham": _gingham, "dots": _dots, "flowers": _flowers,
    "camouflage": _camouflage, "denim": _denim, "knit": _knit, "gradient": _gradient,
    "batik": _batik, "zigzag": _zigzag, "leather": _leather,
}  # fmt: skip
"""Each paints a tile from a generator, three colours and a scale."""
