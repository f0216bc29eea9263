"""The back of a head, made of its front."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from warp_people import COLOURS, photo_of, standing

from dancecli.labels import Label
from dancecli.types import Frame, LabelMap, Target
from dancecli.warp.behind import far_head, mirrored
from dancecli.warp.picture import picture_of
from dancecli.warp.texture import Piece, head_piece


def back_of(target: Target) -> tuple[Piece, Piece]:
    """The head's front and its back."""
    picture = picture_of(target)
    front = head_piece(picture)
    return front, far_head(picture, front)


def face_of(target: Target, piece: Piece) -> np.ndarray:
    """The back's pixels where the front has its face, (n, 3)."""
    front = head_piece(picture_of(target))
    face = np.abs(front.rgba[..., :3].astype(int) - COLOURS[Label.FACE]).sum(-1) < 12
    return piece.rgba[face & (front.rgba[..., 3] > 200), :3].astype(float)


def with_strands(target: Target) -> Target:
    """Every other column of the hair lighter."""
    rgb = target.frame.rgb.copy()
    hair = (target.labels.labels == Label.HAIR) & (np.arange(rgb.shape[1]) % 6 < 3)
    rgb[hair] = np.add(COLOURS[Label.HAIR], 40)
    return replace(target, frame=Frame(rgb))


def long_haired() -> Target:
    """Hair hangs beside the face down to the shoulders."""
    target, skeleton = photo_of(standing()), standing()
    labels, rgb = target.labels.labels.copy(), target.frame.rgb.copy()
    y, x = np.mgrid[: labels.shape[0], : labels.shape[1]]
    nose, neck = skeleton.joint("nose"), skeleton.joint("neck")
    beside = (np.abs(x - nose[0]) > 12) & (np.abs(x - nose[0]) < 24)
    hair = beside & (y > nose[1] - 15) & (y < neck[1])
    labels[hair], rgb[hair] = Label.HAIR, COLOURS[Label.HAIR]
    alpha = np.maximum(target.mask.alpha, hair.astype(np.float32))
    return replace(
        target, frame=Frame(rgb), labels=LabelMap(labels), mask=replace(target.mask, alpha=alpha)
    )


def hair_share(target: Target) -> float:
    """How much of where the face is in front is hair behind."""
    covered = face_of(target, back_of(target)[1])
    assert len(covered) > 500
    return float((np.abs(covered - COLOURS[Label.HAIR]).sum(-1) < 60).mean())


def test_hair_covers_the_face_from_behind_down_to_where_it_ends() -> None:
    short, long = hair_share(photo_of(standing())), hair_share(long_haired())
    assert 0.4 < short < long - 0.05
    assert long > 0.6, "the rest is the throat"


def test_what_is_behind_is_made_up_and_has_the_heads_outline() -> None:
    front, back = back_of(photo_of(standing()))
    assert front.real.max() == 255 and back.real.max() == 0
    assert np.array_equal(back.rgba[..., 3], front.rgba[..., 3])


def test_below_short_hair_there_is_skin() -> None:
    target = photo_of(standing())
    covered = face_of(target, back_of(target)[1])
    skin = np.abs(covered - COLOURS[Label.FACE]).sum(-1) < 60
    assert skin.mean() > 0.1


def test_the_hair_from_behind_has_strands() -> None:
    plain, combed = photo_of(standing()), with_strands(photo_of(standing()))
    contrasts = []
    for target in (plain, combed):
        _, back = back_of(target)
        grey = back.rgba[..., :3].astype(float).mean(-1)
        ys, xs = np.nonzero((back.rgba[..., 3] > 200) & (grey < 90))
        contrasts.append(
            np.abs(np.diff(grey, axis=1))[ys, np.minimum(xs, grey.shape[1] - 2)].mean()
        )
    assert contrasts[1] > contrasts[0] + 3


def test_a_head_without_hair_has_its_skin_behind() -> None:
    target = photo_of(standing())
    rgb, labels = target.frame.rgb.copy(), target.labels.labels.copy()
    rgb[labels == Label.HAIR], labels[labels == Label.HAIR] = COLOURS[Label.FACE], Label.FACE
    bald = replace(target, frame=Frame(rgb), labels=LabelMap(labels))
    _, back = back_of(bald)
    skin = back.rgba[back.rgba[..., 3] > 200, :3].astype(float)
    assert (np.abs(skin - COLOURS[Label.FACE]).sum(-1) < 30).mean() > 0.95


@pytest.mark.parametrize(("width", "expected"), [(10, [9, 8, 7, 6, 5]), (3, [2, 1, 0, 1, 2])])
def test_mirroring_goes_to_and_fro(width: int, expected: list[int]) -> None:
    values = np.zeros((20, 20, 1), np.float32)
    values[..., 0] = np.arange(20)
    known, wanted = np.zeros((2, 20, 20), bool)
    known[:, :width] = True
    wanted[10, width : width + 5] = True
    found = mirrored(values, known, wanted)[:, 0]
    assert np.abs(found - expected).max() <= 1
