"""From samples to what FR learns from: a worn face, what it was, and whose it is."""

from __future__ import annotations

import numpy as np
import torch
from numpy.random import Generator

from dance_freestyle import faces
from dance_freestyle.presets import B2FPreset, FRPreset
from dance_freestyle.training import appearances, augment
from dance_freestyle.training.batches import (
    NEAR,
    Item,
    painting_item,
    picture,
    posed,
)
from dance_freestyle.training.cuts import Cuts
from dance_freestyle.training.samples import Sample, Shot
from dancecli.types import UInt8Array


def fr_item(
    sample: Sample, preset: FRPreset, rng: Generator, painter: B2FPreset | None = None,
    cuts: Cuts | None = None,
) -> Item | None:  # fmt: skip
    """A worn face, the same one untouched, and a face that says who it is; with `preset.photo` that
    face as a photo too, and where faces are pasted. None without a face, and where FR should see a
    photo and there is no other.

    painter: of a B2F that paints a share of the faces (`preset.rendered`). "painted" then says
    whether it paints this one, from what `painting_item` holds, about "landmarks" on its canvas.
    """
    found = _with_faces(sample, preset, rng)
    if not found:
        return None
    if rng.random() < 0.5:
        found = [augment.mirrored(each) for each in found]
    # Another picture of the person where one shows the face, else the same.
    shot, source = found[0], found[-1]
    if preset.photo:
        if len(found) == 1:
            return None  # the answer itself
        item = _with_photo(shot, source, preset, rng)
    else:
        truth, identity = _shown(shot, preset.size), _shown(source, preset.crop)
        worn = augment.worn(truth, rng)
        item = {"c0": picture(worn), "truth": picture(truth), "identity": picture(identity)}
    if painter is not None:
        canvas = augment.fitted(shot, painter.canvas)
        shows = faces.align(canvas.skeleton.face, preset.size) is not None
        painted = shows and rng.random() < preset.rendered
        item["painted"] = torch.tensor(painted)
        if painted:
            texture = posed(source, canvas, painter, cuts or Cuts())
            item |= painting_item(source, canvas, painter, texture)
            return {**item, "landmarks": torch.from_numpy(canvas.skeleton.face)}
    return _tinted(item, rng) if preset.photo else item


def _tinted(item: Item, rng: Generator) -> Item:
    """A share of the items in other colours, the same for all its faces."""
    if rng.random() >= TINTED:
        return item
    tint, changed = appearances.drawn_tint(rng), dict(item)
    for name in ("c0", "truth", "photo", "identity"):
        rgb = np.ascontiguousarray(item[name].movedim(0, -1).numpy())
        changed[name] = picture(appearances.tinted(rgb, tint))
    return changed


def _with_faces(sample: Sample, preset: FRPreset, rng: Generator) -> list[Shot]:
    """At most two frames, at most NEAR apart, that show the face."""
    found: list[Shot] = []
    for k in rng.permutation(sample.count):
        shot = sample.shot(int(k))
        if found and abs(shot.number - found[0].number) > NEAR:
            continue
        if faces.align(shot.skeleton.face, preset.size) is not None:
            found.append(shot)
        if len(found) == 2:
            break
    return found


def _with_photo(shot: Shot, owner: Shot, preset: FRPreset, rng: Generator) -> Item:
    """What FR restores by a photo: "inside" is where a face is pasted, 255 there.

    The photo was taken by another camera, and now and then by a bad one. What is restored may be
    as sharp as it should be, and lies where it should but for a little.
    """
    truth = _shown(shot, preset.size)
    photo, identity = _shown(owner, preset.size), _shown(owner, preset.crop)
    if rng.random() < OTHER_CAMERA:
        photo = appearances.recoloured(photo, rng, 0.7)
    if rng.random() < BAD_CAMERA:
        photo = appearances.photographed(photo, rng)
    worn = truth
    if rng.random() >= UNWORN:
        moving = float(rng.uniform(0, 0.5))
        worn = augment.worn(truth, rng, moving, WAVES * moving, least=1.0)
    alignment = faces.align(shot.skeleton.face, preset.size)
    assert alignment is not None
    inside = faces.hull_in_crop(alignment)
    return {
        "c0": picture(worn), "truth": picture(truth), "identity": picture(identity),
        "photo": picture(photo), "inside": torch.from_numpy((255 * inside).astype(np.uint8)),
    }  # fmt: skip


WAVES = 0.45
"""Bending of a face that FR restores by a photo, over its turning, both in shares of the usual:
what lies elsewhere than in the truth cannot be put back and teaches FR to blur."""

UNWORN = 0.2
"""Share of the faces that are as they should be, and to be left alone."""

TINTED, OTHER_CAMERA, BAD_CAMERA = 0.6, 0.8, 0.3
"""Shares of the pairs of faces that get other colours together, of the photos that do alone, and of
those that are worse than the rest."""


def _shown(shot: Shot, side: int) -> UInt8Array:
    """The face of a shot that has been found to show it."""
    face = faces.cut_aligned(shot.rgb, shot.skeleton.face, side)
    assert face is not None
    return face
