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


def with_features(target: Target) -> Target:
    """Black eyes, a nose and a mouth on the face."""
    rgb, nose = target.frame.rgb.copy(), standing().joint("nose")
    for x, y in ((-7, -6), (7, -6), (0, 1), (-3, 9), (0, 9), (3, 9)):
        column, row = round(float(nose[0])) + x, round(float(nose[1])) + y
        rgb[row - 1 : row + 2, column - 1 : column + 2] = 0
    return replace(target, frame=Frame(rgb))


def bald() -> Target:
    target = photo_of(standing())
    rgb, labels = target.frame.rgb.copy(), target.labels.labels.copy()
    rgb[labels == Label.HAIR], labels[labels == Label.HAIR] = COLOURS[Label.FACE], Label.FACE
    return replace(target, frame=Frame(rgb), labels=LabelMap(labels))


def beheaded(target: Target) -> Target:
    """The photo ends below the eyebrows."""
    alpha = target.mask.alpha.copy()
    alpha[: round(float(standing().joint("nose")[1])) - 12] = 0
    labels = np.where(alpha > 0, target.labels.labels, 0).astype(np.uint8)
    return replace(target, labels=LabelMap(labels), mask=replace(target.mask, alpha=alpha))


@pytest.mark.parametrize("hair", ["short", "long", "none", "cut off"])
def test_nothing_of_the_face_is_seen_from_behind(hair: str) -> None:
    target = {
        "short": photo_of(standing()), "long": long_haired(), "none": bald(),
        "cut off": beheaded(bald()),
    }[hair]  # fmt: skip
    front, back = back_of(with_features(target))
    shown = [
        int((piece.rgba[piece.rgba[..., 3] > 200, :3].max(-1) < 20).sum())
        for piece in (front, back)
    ]
    assert shown[0] > 30
    assert shown[1] == 0


def test_below_short_hair_and_without_any_there_is_skin() -> None:
    target = photo_of(standing())
    covered = face_of(target, back_of(target)[1])
    assert (np.abs(covered - COLOURS[Label.FACE]).sum(-1) < 60).mean() > 0.1
    _, back = back_of(bald())
    skin = back.rgba[back.rgba[..., 3] > 200, :3].astype(float)
    assert (np.abs(skin - COLOURS[Label.FACE]).sum(-1) < 30).mean() > 0.95


def test_the_hair_over_the_face_has_strands() -> None:
    target = photo_of(standing())
    contrasts = []
    for each in (target, with_strands(target)):
        front, back = back_of(each)
        grey = back.rgba[..., :3].astype(float).mean(-1)
        face = np.abs(front.rgba[..., :3].astype(int) - COLOURS[Label.FACE]).sum(-1) < 12
        face &= (front.rgba[..., 3] > 200) & (grey < 90)
        contrasts.append(np.abs(np.diff(grey, axis=1, append=grey[:, -1:]))[face].mean())
    assert contrasts[1] > contrasts[0] + 3


@pytest.mark.parametrize(("width", "expected"), [(10, [9, 8, 7, 6, 5]), (3, [2, 1, 0, 1, 2])])
def test_mirroring_goes_to_and_fro(width: int, expected: list[int]) -> None:
    values = np.zeros((20, 20, 1), np.float32)
    values[..., 0] = np.arange(20)
    known, wanted = np.zeros((2, 20, 20), bool)
    known[:, :width] = True
    wanted[10, width : width + 5] = True
    found = mirrored(values, known, wanted)[:, 0]
    assert np.abs(found - expected).max() <= 1
