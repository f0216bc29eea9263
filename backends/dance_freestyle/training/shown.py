"""Pictures of a training for people: what goes in, what comes out and what should."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from dance_freestyle.b2f import Painted
from dance_freestyle.blocks import blend
from dance_freestyle.fr import refined
from dance_freestyle.inputs import channels_of
from dance_freestyle.presets import B2FPreset
from dance_freestyle.training.objectives import FRBatch, P2BBatch
from dancecli.labels import ALL_LABELS, BODY_LABELS, colourize
from dancecli.types import UInt8Array

Row = dict[str, UInt8Array]
"""Pictures (H, W, 3) of one sample by their titles."""

COUNT = 4
"""Positions that are shown: the first ones, as their seed draws them."""

HEIGHT, GAP, TITLES = 256, 6, 22
"""Pixels of each picture, between pictures and for the titles above."""

PAPER, INK = 247, 40


def grid(rows: Sequence[Row]) -> UInt8Array:
    """All rows, uint8 (H, W, 3), the titles of the first above."""
    lines = [_line([_fitted(picture) for picture in row.values()]) for row in rows]
    titles = np.full((TITLES, lines[0].shape[1], 3), PAPER, np.uint8)
    left = GAP
    for title, picture in rows[0].items():
        font = cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(titles, title, (left, 16), font, 0.45, (INK,) * 3, 1, cv2.LINE_AA)
        left += _fitted(picture).shape[1] + GAP
    return np.concatenate([titles, *lines])


def _line(pictures: Sequence[UInt8Array]) -> UInt8Array:
    width = sum(picture.shape[1] + GAP for picture in pictures) + GAP
    line, left = np.full((HEIGHT + GAP, width, 3), PAPER, np.uint8), GAP
    for picture in pictures:
        line[:HEIGHT, left : left + picture.shape[1]] = picture
        left += picture.shape[1] + GAP
    return line


def _fitted(picture: UInt8Array) -> UInt8Array:
    width = round(picture.shape[1] * HEIGHT / picture.shape[0])
    way = cv2.INTER_AREA if picture.shape[0] > HEIGHT else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(picture, (width, HEIGHT), interpolation=way), np.uint8)


def p2b_rows(batch: P2BBatch, logits: Tensor) -> list[Row]:
    """Target's labels, pose, surface; labels made and wanted. logits: (N, L, H, W)."""
    hands = logits.shape[1] == BODY_LABELS
    columns = {"target": _labels(batch.p_star.argmax(1), hands), "pose": _unit(batch.P_S)}
    if batch.P_D is not None:
        columns["surface"] = _unit(batch.P_D)
    columns["output"] = _labels(logits.argmax(1), hands)
    columns["truth"] = _labels(batch.P_M, hands)
    return _by_sample(columns)


def b2f_rows(batch: dict[str, Tensor], painted: Painted, preset: B2FPreset) -> list[Row]:
    """Parts, labels and the warped photo; z, m, z over the ground; the true picture.

    batch: as `B2FTask.ready` gives it.
    """
    labels = _labels(batch["P_B"].argmax(1), preset.hand_labels, preset.face_labels)
    columns = {"parts": _parts(batch["images"]), "labels": labels}
    if "texture" in batch:
        columns["warped"] = _signed(batch["texture"][:, :3])
    columns["z"] = _signed(painted.z)
    columns["m"] = _unit(painted.m.expand(-1, 3, -1, -1))
    columns["z over ground"] = _signed(blend(painted.z, batch["plate"], painted.m))
    columns["truth"] = _signed(batch["x"])
    return _by_sample(columns)


def fr_rows(batch: dict[str, Tensor], output: tuple[Tensor, Tensor]) -> list[Row]:
    """Who it is, the face given; c, its mask and the refined face; the true one.

    output: c and m^c, as `FR.forward` gives them.
    """
    c, mask = output
    truth = FRBatch(batch["c0"], batch["truth"])
    return _by_sample({
        "identity": _unit(batch["identity"]), "input": _signed(truth.c0), "c": _signed(c),
        "mask": _unit(mask.expand(-1, 3, -1, -1)),
        "refined": _signed(refined(c, mask, truth.c0)), "truth": _signed(truth.truth),
    })  # fmt: skip


def parser_rows(batch: dict[str, Tensor], logits: Tensor) -> list[Row]:
    """Picture, mask, skeleton; labels made and wanted. logits: (N, 22, H, W)."""
    mask = batch["hints"][:, :1].expand(-1, 3, -1, -1)
    return _by_sample({
        "picture": _unit(batch["rgb"]), "mask": _unit(mask), "pose": _unit(batch["hints"][:, 1:]),
        "output": _labels(logits.argmax(1), True), "truth": _labels(batch["labels"], True),
    })  # fmt: skip


def embedder_rows(batch: dict[str, Tensor], output: tuple[Tensor, Tensor]) -> list[Row]:
    """Two looks at a face, and the one of all second looks that is nearest to the first.

    output: embeddings (N, size) of both looks.
    """
    one, two = output
    nearest = (one @ two.T).argmax(1)
    return _by_sample({
        "one": _unit(batch["one"]), "two": _unit(batch["two"]),
        "nearest": _unit(batch["two"][nearest]),
    })  # fmt: skip


def _by_sample(columns: dict[str, UInt8Array]) -> list[Row]:
    return [
        dict(zip(columns, pictures, strict=True))
        for pictures in zip(*columns.values(), strict=True)
    ]


def _parts(images: Tensor) -> UInt8Array:
    """t1-t5 (N, 5, 3, S, S) in two columns."""
    six = torch.cat([images, torch.ones_like(images[:, :1])], 1)
    rows = [torch.cat([six[:, k], six[:, k + 1]], -1) for k in (0, 2, 4)]
    return _unit(torch.cat(rows, -2))


def _unit(pictures: Tensor) -> UInt8Array:
    """(N, 3, H, W) in [0, 1] to uint8 (N, H, W, 3)."""
    rounded = (pictures.detach().float() * 255).clamp(0, 255).round().to(torch.uint8)
    return np.ascontiguousarray(rounded.movedim(1, -1).cpu().numpy())


def _signed(pictures: Tensor) -> UInt8Array:
    return _unit((pictures + 1) / 2)


def _labels(channels: Tensor, hands: bool, face: bool = True) -> UInt8Array:
    """Channels (N, H, W) in the colours of their labels."""
    table = np.zeros(ALL_LABELS, np.uint8)
    known = channels_of(hands, face)
    for label in reversed(range(ALL_LABELS)):
        table[known[label]] = label
    return colourize(table[channels.cpu().numpy()])
