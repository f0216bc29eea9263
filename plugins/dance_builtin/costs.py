"""What each label costs at each pixel: distance, colour and garment ends added up."""

from __future__ import annotations

import numpy as np

from dance_builtin.body import SIDES, BodyFrame, segment_distance
from dance_builtin.colour import ColourModel
from dance_builtin.head import Face, Head
from dance_builtin.pixels import Pixels, evidence
from dance_builtin.wardrobe import Wardrobe
from dancecli.labels import Label
from dancecli.types import FloatArray

COLOUR = 0.4
"""Weight of a nat of colour evidence against one half-width of distance."""

END = 1.0
"""Cost of being well beyond a garment's end, in half-widths."""

RAMP = 0.12
"""Length over which a garment ends, in bones."""

LIMIT = 6.0
"""A part further away costs no more than this, so that colour can still tell."""

ARM = {"left": Label.LEFT_ARM, "right": Label.RIGHT_ARM}
LEG = {"left": Label.LEFT_LEG, "right": Label.RIGHT_LEG}
SHOE = {"left": Label.LEFT_SHOE, "right": Label.RIGHT_SHOE}
HAND = {"left": Label.LEFT_HAND, "right": Label.RIGHT_HAND}


def label_costs(
    pixels: Pixels, body: BodyFrame, face: Face, head: Head, worn: Wardrobe
) -> dict[Label, FloatArray]:
    """Costs (N,) of the labels that occur; lowest wins."""
    costs = _head_costs(pixels, face, head, worn)
    costs |= _cloth_costs(pixels, worn)
    costs |= _skin_costs(pixels, body, face, worn)
    for side in SIDES:
        # A hand is skin or, in a glove, any colour.
        hand = np.minimum(_colour(worn.skin, pixels), 0)
        costs[HAND[side]] = _far(pixels.regions.hands[side]) - 1.3 + hand
        if worn.shoes[side] is not None:
            shoe = _colour(worn.shoes[side], pixels)
            costs[SHOE[side]] = _far(pixels.regions.feet[side]) + shoe
    if worn.socks.model is not None:
        costs[Label.SOCKS] = _sock_cost(pixels, worn)
    return costs


def _sock_cost(pixels: Pixels, worn: Wardrobe) -> FloatArray:
    legs, spans = pixels.regions.legs, worn.socks.spans
    place = [legs[s].score + END * spans[s].distance(legs[s].t, RAMP) for s in SIDES]
    return _far(np.minimum(*place)) + _colour(worn.socks.model, pixels)


def _far(score: FloatArray) -> FloatArray:
    return np.minimum(score, LIMIT)


def _colour(model: ColourModel | None, pixels: Pixels) -> FloatArray:
    return -COLOUR * evidence(model, pixels.lab)


def _head_costs(pixels: Pixels, face: Face, head: Head, worn: Wardrobe) -> dict[Label, FloatArray]:
    """Face by its outline where landmarks show it, else by skin on the head."""
    on_head, skin = _far(pixels.regions.head), _colour(worn.skin, pixels)
    seen = face.outline.min() < 1
    # Eyes, beard and glasses are face whatever their colour.
    inner = np.where(face.core <= 0, 0.45 * skin - 1.2, skin)
    place = _far(np.minimum(0.4 * face.outline, on_head + 0.5)) if seen else on_head
    costs = {Label.FACE: place + inner}
    if head.hair_model is not None:
        place = np.where(head.hair, 0.0, on_head + 0.3) + 1.6 * (face.core <= 0)
        costs[Label.HAIR] = _far(place) + _colour(head.hair_model, pixels)
    elif not seen:
        costs[Label.HAIR] = on_head + 1.0
    if head.hat_model is not None:
        costs[Label.HAT] = np.where(head.hat, 0.0, on_head + 0.8) + _colour(head.hat_model, pixels)
    return costs


def _cloth_costs(pixels: Pixels, worn: Wardrobe) -> dict[Label, FloatArray]:
    regions = pixels.regions
    sleeves = [
        regions.arms[s].score + END * worn.sleeves[s].distance(regions.arms[s].t, RAMP)
        for s in SIDES
    ]
    legs = np.minimum(*(regions.legs[s].score for s in SIDES))
    trunk = np.minimum(regions.torso, legs)
    wrapped = trunk + END * worn.upper.distance(regions.axis, RAMP)
    costs = {}
    if worn.top is not None or not worn.upper.empty:
        place = _far(np.minimum(wrapped, np.minimum(*sleeves)))
        costs[worn.upper_label] = place + _colour(worn.top, pixels)
    if worn.bottom is not None and not worn.lower.empty:
        place = _far(trunk + END * worn.lower.distance(regions.axis, RAMP))
        costs[worn.lower_label] = place + _colour(worn.bottom, pixels)
    return costs


def _skin_costs(
    pixels: Pixels, body: BodyFrame, face: Face, worn: Wardrobe
) -> dict[Label, FloatArray]:
    """Neck and bare trunk, arms below the sleeves, legs below the hem, bare feet."""
    regions, skin = pixels.regions, _colour(worn.skin, pixels)
    neck, head = body.at("neck"), body.head
    throat = segment_distance(pixels.points, neck, neck + 0.45 * (head - neck))[0]
    trunk = np.minimum(regions.torso, 0.3 + throat / np.float32(0.035 * body.height))
    dressed = np.minimum(
        worn.upper.distance(regions.axis, RAMP), worn.lower.distance(regions.axis, RAMP)
    )
    bare = trunk - END * dressed * (regions.axis < 1.2) + 2.0 * (face.core <= 0)
    costs = {Label.TORSO_SKIN: _far(bare) + skin}
    for side in SIDES:
        arm, leg = regions.arms[side], regions.legs[side]
        bare = arm.score - END * worn.sleeves[side].distance(arm.t, RAMP)
        costs[ARM[side]] = _far(bare) + skin
        shin = leg.score - END * worn.lower.distance(1 + leg.t, RAMP)
        foot = regions.feet[side] if worn.shoes[side] is None else shin
        costs[LEG[side]] = _far(np.minimum(shin, foot)) + skin
    return costs
