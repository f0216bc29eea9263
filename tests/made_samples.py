"""A made set of prepared samples: drawn people with labels, dense maps, hands and faces."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import cv2
import numpy as np

from dancecli.figures import made_target
from dancecli.types import Skeleton

HEIGHT, WIDTH = 256, 160


def ring(middle: tuple[float, float], across: float, down: float, count: int) -> np.ndarray:
    """Points about an ellipse, from its left end over the top."""
    angles = np.pi + 2 * np.pi * np.arange(count) / count
    return np.stack([middle[0] + across * np.cos(angles), middle[1] + down * np.sin(angles)], 1)


def made_face(nose: np.ndarray, size: float) -> np.ndarray:
    """70 landmarks of a face whose eyes lie `size` above its mouth, all seen."""
    jaw = np.stack([np.linspace(-1, 1, 17), 1.2 * np.sin(np.linspace(0, np.pi, 17))], 1)
    brows = [
        np.stack([np.linspace(a, b, 5), np.full(5, -0.75)], 1)
        for a, b in ((-0.8, -0.2), (0.2, 0.8))
    ]
    bridge = np.stack([np.zeros(4), np.linspace(-0.4, 0.0, 4)], 1)
    nostrils = np.stack([np.linspace(-0.2, 0.2, 5), np.full(5, 0.15)], 1)
    eyes = [ring((x, -0.45), 0.18, 0.08, 6) for x in (-0.45, 0.45)]
    mouth = [ring((0, 0.55), 0.4, 0.15, 12), ring((0, 0.55), 0.25, 0.05, 8)]
    pupils = np.array([(-0.45, -0.45), (0.45, -0.45)])
    points = np.concatenate([jaw, *brows, bridge, nostrils, *eyes, *mouth, pupils])
    return np.concatenate([nose + points * size, np.ones((70, 1))], 1).astype(np.float32)


def made_hand(wrist: np.ndarray, size: float) -> np.ndarray:
    """21 points of a hand hanging from its wrist, all seen."""
    fingers = [
        (wrist[0] + (f - 2) * 0.3 * size, wrist[1] + size * (0.5 + 0.3 * bone))
        for f in range(5)
        for bone in range(4)
    ]
    return np.concatenate([[wrist, *fingers], np.ones((21, 1))], 1).astype(np.float32)


def made_skeleton(skeleton: Skeleton) -> Skeleton:
    """The figure's skeleton with hands and a face."""
    return Skeleton(
        skeleton.body,
        made_hand(skeleton.joint("left_wrist"), 5.0),
        made_hand(skeleton.joint("right_wrist"), 5.0),
        made_face(skeleton.joint("nose"), 13.0),
    )


def made_files(rng: np.random.Generator, frames: int) -> dict[str, bytes]:
    """One person's files by field: the same colours, another place in each frame."""
    colours = rng.integers(0, 256, (27, 3), dtype=np.uint8)
    files = {}
    for k in range(frames):
        target = made_target(WIDTH, HEIGHT)
        shift = int(rng.integers(-12, 13))
        labels = np.roll(target.labels.labels, shift, 1)
        plate = np.full((HEIGHT, WIDTH, 3), rng.integers(60, 200), np.uint8)
        rgb = np.where(labels[..., None] > 0, colours[labels], plate)
        v, u = np.mgrid[0:HEIGHT, 0:WIDTH] % 256
        dense = np.where(labels[..., None] > 0, np.stack([labels, u, v], -1), 0).astype(np.uint8)
        skeleton = made_skeleton(target.skeleton).moved(1.0, shift, 0)
        parts = {
            name: getattr(skeleton, name).tolist()
            for name in ("body", "left_hand", "right_hand", "face")
        }
        files[f"{k}.jpg"] = coded(".jpg", rgb)
        files[f"{k}.plate.jpg"] = coded(".jpg", plate)
        files[f"{k}.labels.png"] = coded(".png", labels)
        files[f"{k}.dense.png"] = coded(".png", dense)
        files[f"{k}.pose.json"] = json.dumps(parts).encode()
    about = {"schema": 1, "frames": [10 * k for k in range(frames)], "licence": "MIT"}
    files["meta.json"] = json.dumps(about).encode()
    return files


def coded(kind: str, picture: np.ndarray) -> bytes:
    """A picture as a file."""
    bgr = picture if picture.ndim == 2 else np.ascontiguousarray(picture[..., ::-1])
    return cv2.imencode(kind, bgr)[1].tobytes()


def made_set(folder: Path, people: int = 6, frames: int = 2) -> Path:
    """A folder with one shard of made people; the last has a single frame."""
    rng = np.random.default_rng(1)
    members = {
        f"{person:05d}.{field}": data
        for person in range(people)
        for field, data in made_files(rng, frames if person < people - 1 else 1).items()
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_shard(folder / "made-000.tar", members)
    return folder


def write_shard(path: Path, members: dict[str, bytes]) -> None:
    """A plain tar."""
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
