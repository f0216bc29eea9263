"""From samples to what each network and its losses take: one item per position, then a batch.

Items hold pictures and labels in 8 bits, as small as they are read; each task turns a batch of them
into what its network takes, on the network's device.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from dance_freestyle import appearance, inputs
from dance_freestyle.presets import B2FPreset, P2BPreset
from dance_freestyle.training import appearances, augment
from dance_freestyle.training.cuts import Cuts
from dance_freestyle.training.samples import Sample, Shot
from dancecli.drawing import stick_figure
from dancecli.labels import APPEARANCE_PARTS, Label
from dancecli.types import DenseMap, UInt8Array

Item = dict[str, Tensor]
"""What one position gives, without the batch's axis; boxes are (M, 4).

Pictures are uint8 (3, H, W), labels uint8 (H, W) and count the network's channels, textures are in
half precision.
"""

NEAR = 250
"""Frames that the two of a pair may lie apart (section 3.1)."""

SAME = 0.2
"""Share of P2B's and B2F's pairs that are one frame twice: equal poses, bodies squeezed alike; a
warp that is nearly right, as where a dancer moves little, and better than any map."""

FACE_BOX = 1.3
"""How much the face's box is enlarged for equation 18."""

BOXES = ("faces", "regions")


def p2b_item(sample: Sample, preset: P2BPreset, rng: Generator) -> Item:
    """p^M* of one frame; P^S, P^D and the true P^M of another (section 3.1)."""
    a, b = drawn_pair(sample, rng, SAME)
    move = augment.drawn_move(rng, preset.size)
    squeeze = augment.drawn_squeeze(rng) if preset.aug_squeeze else None
    shots = sample.shot(a, parsed=rng.random() < preset.parsed), sample.shot(b)
    one, other = (augment.moved(augment.fitted(shot, preset.size), move) for shot in shots)
    star, truth = (augment.squeezed(_labels(shot, preset), squeeze) for shot in (one, other))
    channels = inputs.channels_of(preset.hand_labels)
    item = {
        "p_star": _numbers(channels[star]),
        "P_S": picture(stick_figure(other.skeleton, *preset.size)),
        "P_M": _numbers(channels[truth]),
    }
    if preset.use_dp:
        dense = None if other.dense is None else DenseMap(other.dense)
        item["P_D"] = inputs.dense_tensor(dense, preset.size)
    return item


def drawn_pair(sample: Sample, rng: Generator, same: float) -> tuple[int, int]:
    """Two frames at most NEAR apart; the same one twice for that share, or where it is alone."""
    a = int(rng.integers(sample.count))
    near = [
        k for k in range(sample.count)
        if k != a and abs(sample.numbers[k] - sample.numbers[a]) <= NEAR
    ]  # fmt: skip
    if rng.random() < same or not near:
        return a, a
    return a, near[int(rng.integers(len(near)))]


def b2f_item(
    sample: Sample, preset: B2FPreset, rng: Generator, cuts: Cuts | None = None,
    mapper: P2BPreset | None = None,
) -> Item:  # fmt: skip
    """The person's parts from one frame; labels, picture and ground of another, or of the same.

    mapper: of a P2B that makes a share of the body maps (`preset.mapped`); "mapped" then says
    whether it makes this one, from what `mapping_item` holds.
    """
    a, b = drawn_pair(sample, rng, SAME)
    source = sample.shot(a, parsed=rng.random() < preset.parsed)
    shot = augment.fitted(sample.shot(b), preset.canvas)
    shot = augment.moved(shot, augment.drawn_move(rng, preset.canvas))
    texture = posed(source, shot, preset, cuts or Cuts())
    mapping = {} if mapper is None else mapping_item(source, shot, preset, mapper)
    # The mirror comes after posing, so that a frame is cut once.
    turned = rng.random() < 0.5
    if turned:
        source, shot = augment.mirrored(source), augment.mirrored(shot)
        texture = None if texture is None else texture.flip(-1)
    if rng.random() < preset.aug_colour:
        tint = appearances.drawn_tint(rng)
        source, shot = (_tinted(each, tint) for each in (source, shot))
        texture = None if texture is None else _tinted_texture(texture, tint)
    labels = _labels(shot, preset)
    item = {
        **painting_item(source, shot, preset, texture),
        "x": picture(shot.rgb),
        "inside": torch.from_numpy((labels > 0).astype(np.uint8)),
        "faces": _boxes([np.isin(labels, [Label.FACE])], FACE_BOX),
    }
    if mapper is not None:
        item |= {**mapping, "mapped": torch.tensor(rng.random() < preset.mapped)}
        item["turned"] = torch.tensor(turned)
    present = augment.dropped(item["present"].numpy(), preset.part_dropout, rng)
    item["present"] = torch.from_numpy(present)
    if preset.loss.region:
        item["regions"] = _boxes(_regions(labels), 1.0)
    return item


def painting_item(source: Shot, shot: Shot, preset: B2FPreset, texture: Tensor | None) -> Item:
    """What B2F paints a shot from, with the looks of the source; the shot is on the canvas.

    "images" (5, 3, S, S), "present" (5,), "P_B" (h, w), "plate" (3, H, W) and, if given, "texture"
    (6, H, W).
    """
    parts = appearance.separate(source.rgb, _labels(source, preset), preset.crop)
    item = {
        "images": torch.from_numpy(parts.images).movedim(-1, 1),
        "present": torch.from_numpy(parts.present),
        "P_B": _body(shot, preset),
        "plate": picture(shot.plate),
    }
    # Half as wide: colours are of 8 bits, and half of an item was this.
    return item if texture is None else {**item, "texture": texture.half()}


def posed(source: Shot, shot: Shot, preset: B2FPreset, cuts: Cuts) -> Tensor | None:
    """The source's pixels bent to the shot's pose, (6, H, W); None without texture=warp."""
    if preset.texture != "warp":
        return None
    puppet = cuts.puppet(source, preset.canvas)
    return inputs.texture_tensor(puppet.pose(shot.skeleton, *preset.canvas))


def mapping_item(source: Shot, shot: Shot, preset: B2FPreset, mapper: P2BPreset) -> Item:
    """What P2B makes the shot's body map from, neither picture mirrored, and the face's points.

    The points are on B2F's working size.
    """
    small = augment.fitted(shot, mapper.size)
    star = _labels(augment.fitted(source, mapper.size), mapper)
    item = {
        "p_star": _numbers(inputs.channels_of(mapper.hand_labels)[star]),
        "P_S": picture(stick_figure(small.skeleton, *mapper.size)),
        "landmarks": torch.from_numpy(augment.fitted(shot, preset.size).skeleton.face),
    }
    if mapper.use_dp:
        dense = None if small.dense is None else DenseMap(small.dense)
        item["P_D"] = inputs.dense_tensor(dense, mapper.size)
    return item


def _tinted(shot: Shot, tint: appearances.Tint) -> Shot:
    rgb, plate = (appearances.tinted(x, tint) for x in (shot.rgb, shot.plate))
    return replace(shot, rgb=rgb, plate=plate)


def _tinted_texture(texture: Tensor, tint: appearances.Tint) -> Tensor:
    """Its colours under the map, where it has any."""
    rgb = texture[:3].movedim(0, -1).numpy() / 2 + 0.5
    colour = torch.from_numpy(np.ascontiguousarray(tint.of(rgb))).movedim(-1, 0) * 2 - 1
    return torch.cat([torch.where(texture[3:4] > 0, colour, 0.0), texture[3:]])


def _body(shot: Shot, preset: B2FPreset) -> Tensor:
    """P^B at the network's size: hands and the frame's own face labels drawn in."""
    small = inputs.resized(_labels(shot, preset), preset.size)
    scale = preset.size[0] / preset.canvas[0]
    face = shot.skeleton.moved(scale, 0, 0).face
    channels = inputs.channels_of(preset.hand_labels, preset.face_labels)
    return _numbers(channels[inputs.with_face(small, face, preset)])


def _regions(labels: UInt8Array) -> list[np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]:
    """Appendix H: each hand, upper clothes, lower clothes."""
    hands = [labels == Label.LEFT_HAND, labels == Label.RIGHT_HAND]
    return [*hands, *(np.isin(labels, list(part)) for part in APPEARANCE_PARTS[1:3])]


def _boxes(
    areas: Sequence[np.ndarray[tuple[int, ...], np.dtype[np.bool_]]], margin: float
) -> Tensor:
    """Square boxes (M, 4) about those areas that are not empty: left, top, right, bottom."""
    boxes = []
    for area in areas:
        rows, columns = np.flatnonzero(area.any(1)), np.flatnonzero(area.any(0))
        if len(rows):
            x, y = (columns[0] + columns[-1] + 1) / 2, (rows[0] + rows[-1] + 1) / 2
            half = max(columns[-1] + 1 - columns[0], rows[-1] + 1 - rows[0]) * margin / 2
            boxes.append([x - half, y - half, x + half, y + half])
    return torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)


def _labels(shot: Shot, preset: P2BPreset | B2FPreset) -> UInt8Array:
    """With the hands drawn in, where the preset tells them from arms."""
    return inputs.with_hands(shot.labels, shot.skeleton, preset)


def picture(rgb: UInt8Array) -> Tensor:
    """RGB (H, W, 3) as an item holds it, uint8 (3, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(rgb)).movedim(-1, 0)


def _numbers(channels: NDArray[np.int64]) -> Tensor:
    return torch.from_numpy(channels.astype(np.uint8))


def collated(items: Sequence[Mapping[str, Tensor]], device: str) -> dict[str, Tensor]:
    """Items as one batch on the device.

    Boxes become (M, 5) with their picture's number first; what only some items have is stacked
    over those.
    """
    names = dict.fromkeys(name for item in items for name in item)
    out = {}
    for name in names:
        values = [item[name] for item in items if name in item]
        # Contiguous, whichever way they came: convolutions round by how pictures lie in memory.
        joined = (
            _numbered(values) if name in BOXES else torch.stack([x.contiguous() for x in values])
        )
        out[name] = joined.to(device)
    return out


def _numbered(boxes: Sequence[Tensor]) -> Tensor:
    return torch.cat(
        [torch.cat([torch.full((len(b), 1), float(n)), b], 1) for n, b in enumerate(boxes)]
    )


def signed(rgb: Tensor) -> Tensor:
    """8-bit pictures of any shape as floats in [-1, 1]."""
    return rgb.float() / 127.5 - 1


def unsigned(rgb: Tensor) -> Tensor:
    """8-bit pictures of any shape as floats in [0, 1]."""
    return rgb.float() / 255
