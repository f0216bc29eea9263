"""Small made data sets in the layouts of the public ones, 48 x 64 pixels, with drawn people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

HEIGHT, WIDTH = 64, 48

PARTS = (
    (2, 4, 8, 4, 10), (13, 8, 14, 4, 10), (5, 14, 34, 3, 11), (15, 14, 34, 0, 3),
    (14, 14, 34, 11, 14), (9, 34, 52, 3, 11), (19, 52, 58, 3, 7), (18, 52, 58, 7, 11),
)  # fmt: skip
"""A person facing us in VIP's labels: label, top, bottom, left, right."""

MHP_NUMBERS = {2: 4, 13: 3, 5: 12, 15: 6, 14: 5, 9: 17, 19: 25, 18: 24}
ATR_NUMBERS = {2: 2, 13: 11, 5: 4, 15: 15, 14: 14, 9: 6, 19: 10, 18: 9}
"""VIP's label -> the other set's."""

SHARP = {"quality": 95, "subsampling": 0}

RENAMED = {"cihp": "CIHP", "mhp": "MHP-v2"}


@dataclass(frozen=True)
class Scene:
    """rgb (H, W, 3); labels, humans (H, W): VIP's labels and numbers of people; later ones win."""

    rgb: np.ndarray
    labels: np.ndarray
    humans: np.ndarray

    def person(self, number: int) -> np.ndarray:
        """Labels of one person, 0 elsewhere."""
        return np.where(self.humans == number, self.labels, 0)


def scene(lefts: Sequence[int], seed: int = 0, numbers: Sequence[int] | None = None) -> Scene:
    """People at these left edges, on a ground that depends on the seed."""
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 6, 3))
    rgb = np.kron(coarse, np.ones((8, 8, 1))).astype(np.uint8)
    labels, humans = np.zeros((HEIGHT, WIDTH), np.uint8), np.zeros((HEIGHT, WIDTH), np.uint8)
    people = zip(lefts, numbers or range(1, len(lefts) + 1), strict=True)
    for place, (left, number) in enumerate(people):
        for label, top, bottom, start, end in PARTS:
            box = np.s_[top:bottom, left + start : left + end]
            labels[box], humans[box] = label, number
            rgb[box] = (label * 12, 40 * place % 256, 90)
    return Scene(rgb, labels, humans)


def save(path: Path, pixels: np.ndarray, **options: object) -> Path:
    """A picture in a file, its folders made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def write(path: Path, *lines: str) -> Path:
    """A text file, its folders made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def in_red(values: np.ndarray, alpha: bool = False) -> np.ndarray:
    """Values as MHPv2's annotation tool packs them: in the red channel alone."""
    rgb = np.zeros((*values.shape, 4 if alpha else 3), np.uint8)
    rgb[..., 0] = values
    if alpha:
        rgb[..., 3] = 255
    return rgb


def renumbered(labels: np.ndarray, numbers: dict[int, int]) -> np.ndarray:
    """VIP's labels as another set's."""
    table = np.zeros(20, np.uint8)
    table[list(numbers)] = list(numbers.values())
    return table[labels]


def instances(made: Scene) -> tuple[np.ndarray, list[str]]:
    """CIHP's instance map (uint16) and the lines of its table."""
    humans = made.humans.astype(np.uint16)
    numbers = np.where(humans > 0, 20 * (humans - 1) + made.labels, 0).astype(np.uint16)
    found = [int(n) for n in np.unique(numbers) if n]
    return numbers, [f"{n} {n % 20} {n // 20 + 1}" for n in found]


def annotate(folder: Path, name: str, made: Scene) -> None:
    """Category_ids, Human_ids and Instance_ids of one picture of CIHP or VIP."""
    numbers, lines = instances(made)
    save(folder / f"Category_ids/{name}.png", made.labels)
    save(folder / f"Human_ids/{name}.png", made.humans)
    save(folder / f"Instance_ids/{name}.png", numbers.astype(np.uint8))
    write(folder / f"Instance_ids/{name}.txt", *lines)


def make_cihp(root: Path) -> dict[str, Scene]:
    """Two pictures to train (one with an id left out) and one to validate."""
    scenes = {"0000006": scene([2, 26]), "0000007": scene([1, 17, 33], 1, [1, 3, 4]),
              "0000008": scene([10], 2)}  # fmt: skip
    for name, made in scenes.items():
        part = "Validation" if name == "0000008" else "Training"
        save(root / f"{part}/Images/{name}.jpg", made.rgb, **SHARP)
        annotate(root / part, name, made)
    write(root / "Training/train_id.txt", "0000006", "0000007")
    write(root / "Validation/val_id.txt", "0000008")
    return scenes


def make_mhp(root: Path) -> dict[str, Scene]:
    """Two pictures of two and three people; one mask empty, one grey, one with alpha."""
    scenes = {"3": scene([2, 26]), "96": scene([1, 17, 33], 1), "7": scene([4, 30], 2)}
    for name, made in scenes.items():
        part = "val" if name == "7" else "train"
        save(root / f"{part}/images/{name}.jpg", made.rgb, **SHARP)
        count = int(made.humans.max())
        for k in range(1, count + 1):
            values = renumbered(made.person(k), MHP_NUMBERS)
            pixels = {("3", 2): values, ("96", 2): in_red(values * 0)}.get(
                (name, k), in_red(values, alpha=name == "7")
            )
            save(root / f"{part}/parsing_annos/{name}_{count:02d}_{k:02d}.png", pixels)
    write(root / "list/train.txt", "3", "96")
    write(root / "list/val.txt", "7")
    return scenes


def make_renamed(root: Path, name: str) -> dict[str, Scene]:
    """Parsing-R-CNN's folders of CIHP or MHPv2."""
    scenes = {"0000006": scene([2, 26]), "0000007": scene([10], 1)}
    tree: dict[str, list[dict[str, object]]] = {"images": [], "annotations": []}
    for number, (stem, made) in enumerate(scenes.items()):
        save(root / f"train_img/{stem}.jpg", made.rgb, **SHARP)
        tree["images"].append({"id": number, "file_name": f"{stem}.jpg"})
        for k in range(1, int(made.humans.max()) + 1):
            values = made.person(k)
            if name == "mhp":
                values = renumbered(values, MHP_NUMBERS)
            save(root / f"train_parsing/{stem}-{k}.png", values)
            tree["annotations"].append({"image_id": number, "parsing": f"{stem}-{k}.png"})
    write(root / f"annotations/{RENAMED[name]}_train.json", json.dumps(tree))
    return scenes


def make_lip(root: Path, images: str = "", labels: str = "") -> dict[str, Scene]:
    """One picture to train with jumpsuits, one in palette mode to validate."""
    scenes = {"1000_1234574": scene([10]), "77_5": scene([20], 1)}
    for name, made in scenes.items():
        part = "train" if name == "1000_1234574" else "val"
        save(root / images / f"{part}_images/{name}.jpg", made.rgb, **SHARP)
        picture = Image.fromarray(np.where(made.labels == 5, 10, made.labels).astype(np.uint8))
        if part == "val":
            picture.putpalette(np.random.default_rng(0).integers(0, 256, 60).astype(np.uint8))
        target = root / labels / f"{part}_segmentations/{name}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        picture.save(target)
        write(root / images / f"{part}_id.txt", name)
    return scenes


def make_atr(root: Path) -> dict[str, Scene]:
    """Two pictures, one of them in a list."""
    scenes = {"997_1": scene([10]), "997_2": scene([20], 1)}
    for name, made in scenes.items():
        values = renumbered(made.labels, ATR_NUMBERS)
        save(root / f"humanparsing/JPEGImages/{name}.jpg", made.rgb, **SHARP)
        save(root / f"humanparsing/SegmentationClassAug/{name}.png", values)
    write(root / "val_id.txt", "997_2")
    return scenes


VIP_LEFTS = {
    "videos1": {1: [2, 30], 26: [4, 29], 51: [6, 28]},
    "videos245": {1: [2], 26: [30], 51: [31]},
}
"""Left edges of the people by video and key frame; in videos245 one jumps."""


def make_vip(root: Path, annotations: str = "") -> None:
    """Two videos of three key frames with neighbours; people numbered backwards in frame 26."""
    keys = []
    for video, frames in VIP_LEFTS.items():
        for number, lefts in frames.items():
            name = f"{video}/{number:012d}"
            order = range(len(lefts), 0, -1) if number == 26 else range(1, len(lefts) + 1)
            made = scene(lefts, 5, list(order))
            save(root / f"Images/{name}.jpg", made.rgb, **SHARP)
            annotate(root / annotations, name, made)
            for other in (number - 10, number + 10):
                if other >= 1:
                    save(root / f"adjacent_frames/{name}/{other:012d}.jpg", made.rgb)
            keys.append(name)
    write(root / "lists/train_id.txt", *keys[:3])
    write(root / "lists/val_id.txt", *keys[3:])
