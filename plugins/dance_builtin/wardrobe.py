"""What the person wears: colour models and the places where garments begin and end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dance_builtin.body import SIDES, BodyFrame
from dance_builtin.colour import ColourModel, learn
from dance_builtin.garments import BINS_PER_BONE, Span, ordered_spans, profile
from dance_builtin.head import Head
from dance_builtin.pixels import CLEAR, FEW, Pixels, evidence
from dance_builtin.regions import Regions
from dancecli.labels import Label
from dancecli.types import BoolArray, FloatArray

UNKNOWN = 0.5
"""Evidence, in nats, of a cloth whose colour is not known yet."""

SAME_COLOUR = 0.55
"""Overlap of two models from which upper and lower garment count as one cloth."""


@dataclass(frozen=True, eq=False)
class Socks:
    """What is between leg and shoe and has the colour of neither. spans: along hip 0, knee 1,
    ankle 2, per side. model: None where there are none."""

    spans: dict[str, Span]
    model: ColourModel | None


@dataclass(frozen=True, eq=False)
class Wardrobe:
    """Models (None: nothing of the kind is seen) and spans.

    upper, lower: spans along neck 0, hips 1, knees 2, ankles 3. sleeves: along shoulder 0, elbow 1,
    wrist 2. lower_label: PANTS, SKIRT or DRESS; upper_label: UPPER_CLOTHES or DRESS.
    shoes: per side; None is a bare foot.
    """

    skin: ColourModel
    top: ColourModel | None
    bottom: ColourModel | None
    shoes: dict[str, ColourModel | None]
    socks: Socks
    upper: Span
    lower: Span
    sleeves: dict[str, Span]
    upper_label: Label
    lower_label: Label


def dress_up(pixels: Pixels, body: BodyFrame, skin: ColourModel, head: Head) -> Wardrobe:
    """Finds the garments."""
    trunk = _trunk(pixels.regions, head)
    top = _model(pixels, trunk & _between(pixels.regions.axis, 0.2, 0.6), skin)
    bottom = _model(pixels, trunk & _between(pixels.regions.axis, 1.05, 1.6), skin)
    if bottom is None:
        bottom = _model(pixels, trunk & _between(pixels.regions.axis, 0.9, 1.15), skin)
    for _ in range(2):
        upper, lower = _cut(pixels, trunk, skin, top, bottom)
        top = _relearn(pixels, trunk, upper, top)
        bottom = _relearn(pixels, trunk, lower, bottom)
    sleeves = {s: _sleeve(pixels, s, skin, top) for s in SIDES}
    shoes = {s: _shoe(pixels, s, skin) for s in SIDES}
    upper, lower, names = _name(upper, lower, top, bottom, _gap_filled(body, lower, pixels.person))
    socks = _find_socks(pixels, skin, bottom, shoes)
    return Wardrobe(skin, top, bottom, shoes, socks, upper, lower, sleeves, *names)


def _between(place: FloatArray, low: float, high: float) -> BoolArray:
    inside: BoolArray = (place > low) & (place < high)
    return inside


def _trunk(regions: Regions, head: Head) -> BoolArray:
    """Pixels that are surely trunk or legs: not arm, hand, head, long hair or foot."""
    arms = np.minimum(*(regions.arms[s].score for s in SIDES))
    hands = np.minimum(*(regions.hands[s] for s in SIDES))
    legs = np.minimum(*(regions.legs[s].score for s in SIDES))
    feet = np.minimum(*(regions.feet[s] for s in SIDES))
    near = np.minimum(regions.torso, legs) < 1.0
    clear: BoolArray = near & (arms > 1.0) & (hands > 0.6) & (feet > 1.0) & ~head.hair
    return clear & (regions.head > 0.6)


def _model(pixels: Pixels, seed: BoolArray, skin: ColourModel) -> ColourModel | None:
    """Learns cloth where the seed is; None where it is bare skin or too small."""
    colours = pixels.lab[seed]
    if len(colours) < FEW:
        return None
    cloth = skin(colours) < CLEAR
    if cloth.mean() < 0.25:
        return None
    return learn(colours[cloth] if cloth.mean() < 0.85 else colours)


def _relearn(
    pixels: Pixels, trunk: BoolArray, span: Span, before: ColourModel | None
) -> ColourModel | None:
    seed = trunk & _between(pixels.regions.axis, span.start + 0.04, span.end - 0.04)
    return learn(pixels.lab[seed]) if seed.sum() >= 4 * FEW else before


def _cut(
    pixels: Pixels, trunk: BoolArray, skin: ColourModel, top: ColourModel | None,
    bottom: ColourModel | None,
) -> tuple[Span, Span]:  # fmt: skip
    """Upper and lower garment: the best sequence skin, upper, skin, lower, skin down the body."""
    colours, place = pixels.lab[trunk], pixels.regions.axis[trunk]
    bare = evidence(skin, colours)
    states = np.stack([bare, evidence(top, colours), bare, evidence(bottom, colours), bare], 1)
    curve = profile(states, place, 0.0, 3.0, support=6)
    where = (np.arange(len(curve)) + 0.5)[:, None] / BINS_PER_BONE
    # Where garments usually end, in nats: a waist at the hips, nothing lower above the navel.
    early = np.maximum(0, np.array([0, 0, 0.5, 0.65, 1.1]) - where) * [0, 0, 8, 8, 30]
    late = np.maximum(0, where - np.array([0.35, 1.0, 1.0, 9, 9])) * [8, 3, 20, 0, 0]
    spans = ordered_spans(curve - early - late)
    return spans[1], spans[3]


def _sleeve(pixels: Pixels, side: str, skin: ColourModel, top: ColourModel | None) -> Span:
    """From the shoulder to where skin begins; any colour that is not skin counts as sleeve."""
    chain, regions = pixels.regions.arms[side], pixels.regions
    arm = (chain.score < 0.8) & (regions.torso > 0.46) | (chain.score < 0.5)
    arm &= regions.hands[side] > 0.5
    colours, place = pixels.lab[arm], chain.t[arm]
    if len(colours) < FEW:
        return Span(0, 2.5 if top is not None else 0)
    cloth = np.maximum(evidence(top, colours), 0)
    curve = profile(np.stack([cloth, evidence(skin, colours)], 1), place, 0, 2, support=4)
    sleeve = ordered_spans(curve)[0]
    return Span(-1, 2.5 if sleeve.end > 1.85 else sleeve.end) if not sleeve.empty else sleeve


def _shoe(pixels: Pixels, side: str, skin: ColourModel) -> ColourModel | None:
    """The foot's colours; None for a bare foot."""
    regions = pixels.regions
    foot = (regions.feet[side] < 1.0) & (regions.feet[side] < _other(regions.feet, side))
    if foot.sum() < FEW or np.median(skin(pixels.lab[foot])) > CLEAR:
        return None
    # Near the ankle it may be a sock.
    toes = foot & (regions.legs[side].score > 0.9)
    return learn(pixels.lab[toes if toes.sum() >= 2 * FEW else foot])


def _find_socks(
    pixels: Pixels, skin: ColourModel, bottom: ColourModel | None,
    shoes: dict[str, ColourModel | None],
) -> Socks:  # fmt: skip
    """Cuts each lower leg into leg, something else, and shoe."""
    spans, cloth = {}, np.zeros(len(pixels.points), bool)
    for side in SIDES:
        leg, shoe = pixels.regions.legs[side], shoes[side]
        shin = (leg.score < 0.8) & (leg.t > 1)
        colours = pixels.lab[shin]
        spans[side] = Span(2, 2)
        if shoe is None or len(colours) < FEW:
            continue
        known = np.maximum(evidence(skin, colours), evidence(bottom, colours))
        unknown = np.full(len(colours), UNKNOWN, np.float32)
        states = np.stack([known, unknown, evidence(shoe, colours)], 1)
        spans[side] = ordered_spans(profile(states, leg.t[shin], 1, 2.1, support=4), 1)[1]
        cloth |= shin & _between(leg.t, spans[side].start, spans[side].end)
    # What begins lower is the upper edge of the shoe.
    enough = cloth.sum() >= FEW and any(not s.empty and s.start < 1.8 for s in spans.values())
    return Socks(spans, learn(pixels.lab[cloth]) if enough else None)


def _other(scores: dict[str, FloatArray], side: str) -> FloatArray:
    return scores["right" if side == "left" else "left"]


def _gap_filled(body: BodyFrame, lower: Span, person: BoolArray) -> bool | None:
    """Whether cloth spans the gap between the legs above the hem; None when they are together."""
    steps = np.linspace(0.35, min(max(lower.end - 1, 0.36), 1.9), 12)
    filled = []
    for t in steps:
        left, right = (_along_leg(body, s, float(t)) for s in SIDES)
        if np.hypot(*(left - right)) < (0.13 - 0.03 * min(t, 1)) * body.height:
            continue
        x, y = ((left + right) / 2).astype(int)
        if 0 <= y < person.shape[0] and 0 <= x < person.shape[1]:
            filled.append(bool(person[y, x]))
    return float(np.mean(filled)) > 0.6 if len(filled) >= 3 else None


def _along_leg(body: BodyFrame, side: str, t: float) -> FloatArray:
    joints = [body.at(f"{side}_{j}") for j in ("hip", "knee", "ankle")]
    bone = min(int(t), 1)
    return np.asarray(joints[bone] + (t - bone) * (joints[bone + 1] - joints[bone]), np.float32)


def _name(
    upper: Span, lower: Span, top: ColourModel | None, bottom: ColourModel | None,
    skirt: bool | None,
) -> tuple[Span, Span, tuple[Label, Label]]:  # fmt: skip
    """Trousers, skirt or dress, and a waist at the hips where cloth of one colour hides it."""
    plain = (Label.UPPER_CLOTHES, Label.PANTS)
    same = top is not None and bottom is not None and top.overlap(bottom) > SAME_COLOUR
    whole = Span(min(upper.start, lower.start), max(upper.end, lower.end))
    one_piece = same or (lower.empty and upper.end > 1.3)
    hem = whole.end if one_piece else lower.end
    above_ankles = 1.15 < hem < 2.8
    if one_piece and skirt is not False and above_ankles:
        return whole, Span(whole.end, whole.end), (Label.DRESS, Label.DRESS)
    if one_piece and hem > 1.15:
        return Span(whole.start, 0.93), Span(0.93, whole.end), plain
    if skirt and above_ankles:
        return upper, lower, (Label.UPPER_CLOTHES, Label.SKIRT)
    return upper, lower, plain
