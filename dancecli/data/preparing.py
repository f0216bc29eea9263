"""From a person in whole pictures to crops that training reads (paper 3.1-3.2).

    View ─► mask, window ─► pose ─► judged ─► plate ─► picture, labels with hands, dense,
                                                       what a parser would say ─► Crop

Everything after the pose happens in the crop, so that its cost is the same for every picture.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dancecli.data import rules as reasons
from dancecli.data.cropping import (
    Window,
    crop_alpha,
    crop_dense,
    crop_labels,
    crop_picture,
    window_about,
)
from dancecli.data.ground import inpainted
from dancecli.data.noise import generator, noisy
from dancecli.data.people import Person, Skipped, View
from dancecli.data.plugins import AUTO, TRUTH, Stages
from dancecli.data.rules import (
    INSIDE,
    Rules,
    Unfit,
    check_cover,
    check_pose,
    check_size,
    person_box,
)
from dancecli.data.samples import Crop, Sample
from dancecli.drawing import face_labels, hand_labels
from dancecli.errors import NoPersonError
from dancecli.labels import Label
from dancecli.types import (
    BoolArray,
    Box,
    DenseMap,
    FloatArray,
    Frame,
    PersonMask,
    Skeleton,
    UInt8Array,
)

FACE_BOX = 1.3
"""Sides of a face's square box over those of the face."""


@dataclass(frozen=True, eq=False)
class _Shot:
    """A crop, and what `meta.json` says of it."""

    crop: Crop
    about: Mapping[str, Any]


def prepare(person: Person, stages: Stages, rules: Rules) -> Sample | Skipped:
    """One person's views as crops; those that cannot serve are left out and counted.

    The sample's `about` has, besides the person's own: `boxes` (crops in picture pixels: left,
    top, right, bottom), `pictures` (width, height), `faces` (square boxes in crop pixels, or null),
    `face_labels` (which of 22-26 the landmarks give), one of each per frame; `dropped` (views left
    out, by reason) and `stages`. Skipped with the commonest reason when no view is left.
    """
    shots: list[_Shot] = []
    dropped: Counter[str] = Counter()
    for view in person.views:
        try:
            shots.append(_shot(view, person.key, stages, rules))
        except Unfit as unfit:
            dropped[str(unfit)] += 1
    if not shots:
        worst = dropped.most_common(1)
        return Skipped(person.key, worst[0][0] if worst else reasons.EMPTY)
    lists = {name: [shot.about[name] for shot in shots] for name in shots[0].about}
    about = {**person.about, **lists, "dropped": dict(dropped), "stages": stages.names.as_dict()}
    return Sample(person.key, tuple(shot.crop for shot in shots), about)


def _shot(view: View, key: str, stages: Stages, rules: Rules) -> _Shot:
    """Raises Unfit for a view that cannot serve."""
    _check_sizes(view)
    skeleton, mask = _person(view, stages)
    box = person_box(mask)
    if box is None:
        raise Unfit(reasons.EMPTY)
    check_size(box, rules)
    window = window_about(box, rules.size, rules.margin)
    alpha = crop_alpha(mask, window)
    check_cover(alpha >= INSIDE, rules)
    people = mask if view.people is None else mask | view.people
    whole = skeleton or _extracted(view, box, stages)
    _judge(whole, mask, people, box, rules)
    pose = window.skeleton(whole)
    if skeleton is not None and stages.names.noise == "measured":
        pose = noisy(pose, generator(stages.names.seed, key, view.number))
    plate = _plate(view, people, window, stages)
    rgb = _over(plate, view.rgb, window)
    labels = hand_labels(_labels(view, rgb, pose, alpha, window, stages), pose)
    dense = _dense(view, rgb, pose, alpha, window, stages)
    parsed = _parsed(view, rgb, pose, stages) if stages.names.parsed else None
    crop = Crop(rgb, labels, dense, pose, plate, view.number, parsed)
    return _Shot(crop, _about(view, crop, window))


def _check_sizes(view: View) -> None:
    arrays = (view.labels, view.mask, view.people, view.plate)
    sizes = {array.shape[:2] for array in (view.rgb, *arrays) if array is not None}
    if view.dense is not None:
        sizes.add(view.dense.iuv.shape[:2])
    if len(sizes) > 1:
        raise Unfit(reasons.UNEVEN)


def _person(view: View, stages: Stages) -> tuple[Skeleton | None, BoolArray]:
    """The pose that the set gives, if it is to be used, and where the person is."""
    own = view.skeleton if stages.names.pose in (AUTO, TRUTH) else None
    if stages.names.pose == TRUTH and own is None:
        raise Unfit(reasons.NO_TRUE_POSE)
    if view.mask is not None:
        return own, view.mask
    if view.labels is not None:
        return own, view.labels > 0
    frame = Frame(view.rgb, view.number)
    found = [own] if own is not None else stages.pose.extract(frame)
    if not found:
        raise Unfit(reasons.NO_POSE)
    return own, stages.mask.mask(frame, found[0]).alpha >= INSIDE


JUDGED = (256, 160)
"""Size at which poses are compared with masks."""


def _judge(skeleton: Skeleton, mask: BoolArray, people: BoolArray, box: Box, rules: Rules) -> None:
    """Raises Unfit; looks at all of the body, also where it is hidden and so out of the crop."""
    bones = skeleton.box() or box
    every = Box(min(box.left, bones.left), min(box.top, bones.top),
                max(box.right, bones.right), max(box.bottom, bones.bottom))  # fmt: skip
    window = window_about(every, JUDGED, rules.margin)
    own, others = (crop_alpha(area, window) >= INSIDE for area in (mask, people))
    check_pose(window.skeleton(skeleton), own, others, rules)


LOOK = 1.15
"""Where a pose is looked for, in sides of the person's box."""


def _extracted(view: View, box: Box, stages: Stages) -> Skeleton:
    around = box.grown(LOOK).clipped(view.rgb.shape[1], view.rgb.shape[0])
    found = stages.pose.extract(Frame(view.rgb, view.number), [around])
    if not found:
        raise Unfit(reasons.NO_POSE)
    return found[0]


def _plate(view: View, people: BoolArray, window: Window, stages: Stages) -> UInt8Array:
    """The crop's ground: the set's own, or what the inpainter makes of it."""
    if view.plate is not None:
        return crop_picture(view.plate, window)
    return inpainted(view.rgb, people, window, stages.inpaint)


def _over(plate: UInt8Array, rgb: UInt8Array, window: Window) -> UInt8Array:
    """The crop of the picture; beyond the picture's edges, where nothing is known, the plate."""
    known = crop_alpha(np.ones(rgb.shape[:2], bool), window) >= INSIDE
    crop = crop_picture(rgb, window)
    return crop if known.all() else np.where(known[..., None], crop, plate)


def _labels(
    view: View, rgb: UInt8Array, pose: Skeleton, alpha: FloatArray, window: Window, stages: Stages
) -> UInt8Array:
    if view.labels is not None:
        return crop_labels(view.labels, window)
    try:
        return stages.parser.parse(Frame(rgb, view.number), pose, PersonMask(alpha)).labels
    except NoPersonError as error:
        raise Unfit(reasons.NO_LABELS) from error


def _parsed(view: View, rgb: UInt8Array, pose: Skeleton, stages: Stages) -> UInt8Array | None:
    """What rendering would be told of this picture, where the set knows better; None for nobody."""
    if view.labels is None:
        return None
    frame = Frame(rgb, view.number)
    try:
        return stages.parser.parse(frame, pose, stages.mask.mask(frame, pose)).labels
    except NoPersonError:
        return None


def _dense(
    view: View, rgb: UInt8Array, pose: Skeleton, alpha: FloatArray, window: Window, stages: Stages
) -> DenseMap | None:
    if stages.names.dense == TRUTH:
        return None if view.dense is None else crop_dense(view.dense, window)
    return stages.dense.dense(Frame(rgb, view.number), person_box(alpha >= INSIDE), pose)


def _about(view: View, crop: Crop, window: Window) -> dict[str, Any]:
    box = window.box
    given = face_labels(np.zeros_like(crop.labels), crop.skeleton.face)
    return {
        "boxes": [int(v) for v in (box.left, box.top, box.right, box.bottom)],
        "pictures": [view.rgb.shape[1], view.rgb.shape[0]],
        "faces": _face_box(crop.labels),
        "face_labels": [int(label) for label in np.unique(given) if label],
    }


def _face_box(labels: UInt8Array) -> list[float] | None:
    """Left, top, right, bottom of a square about the face label, enlarged; None without a face.

    labels: (H, W). In its pixels; it may reach past the picture.
    """
    box = person_box(labels == Label.FACE)
    if box is None:
        return None
    (x, y), half = box.center, FACE_BOX * max(box.width, box.height) / 2
    return [round(v, 1) for v in (x - half, y - half, x + half, y + half)]
