"""Whole clips with known truth: driving videos, and one motion on two bodies."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

from dance_synth.actor import Actor, actor, actor_pair
from dance_synth.assets import Assets
from dance_synth.parts import Camera, Posed
from dance_synth.scene import FPS, Moving, Setting, Take, moving, posing, stream, take, view
from dance_synth.shots import path, plain_shot
from dancecli.data.people import View
from dancecli.errors import MediaError
from dancecli.types import BODY_25, JOINT

SECONDS = 6.0
"""The longest clip: the pack's motions are no longer."""


@dataclass(frozen=True, eq=False)
class Film(Sequence[View]):
    """The frames of a clip; each is rendered when it is asked for, the same every time.

    cameras: one per frame. noise: frame -> random numbers of the camera's noise.
    """

    take: Take
    cameras: tuple[Camera, ...]
    noise: Callable[[int], np.random.Generator]
    fps: int

    def __len__(self) -> int:
        return len(self.cameras)

    def __getitem__(self, k: int) -> View:  # type: ignore[override]
        """Frame k. Raises IndexError."""
        k = range(len(self))[k]
        picture = self.take.picture(k / self.fps, self.cameras[k], self.noise(k))
        return view(picture, k)


class CrossPair(NamedTuple):
    """One motion on two bodies, in one place and light, before one still camera.

    photo: of person A, standing. driver: person B dancing. truth: A dancing the same. about: who
    they are, and frames per second.
    """

    photo: View
    driver: Film
    truth: Film
    about: dict[str, Any]


def cross_pair(
    assets: Assets, seed: int, index: int, frames: int = 60, size: tuple[int, int] = (512, 320)
) -> CrossPair:
    """Pair `index` of a seed: A and B are far apart in build, alone, in full view.

    A is made as tall as B, since no photo tells how tall somebody is: what differs are proportions.

    frames: of both clips. size: (height, width). Raises WeightsError.
    """
    a, b = actor_pair(assets, seed, index)
    factor = b.human.height / a.human.height
    seconds = [k / FPS for k in range(frames)]
    dancing = _staying([a, b], assets, (seed, index, 4), seconds[-1], 0.0)
    dancing[0] = sized(dancing[0], factor)
    rng, setting = stream(seed, index, 5), Setting(size, others=0.0, things=0.0)
    aim, close = plain_shot(rng), plain_shot(rng)
    poses = [each.at(t) for each in dancing for t in seconds[:: max(1, frames // 12)]]
    cameras = frames * (aim.camera(poses, *size),)
    on_b = take(assets, setting, [dancing[1]], rng, aim, cameras[0])
    on_a = on_b.played_by(dancing[0])
    still = on_b.played_by(sized(posing(a, assets, rng, 0.0), factor))
    portrait = close.camera([still.people[0].at(0.0)], *size)
    return CrossPair(
        view(still.picture(0.0, portrait, stream(seed, index, 6)), 0),
        Film(on_b, cameras, lambda k: stream(seed, index, 7, k), FPS),
        Film(on_a, cameras, lambda k: stream(seed, index, 8, k), FPS),
        {"fps": FPS, "seed": seed, "index": index, "a": a.about, "b": b.about},
    )


def sized(someone: Moving, factor: float) -> Moving:
    """The same person larger or smaller by a factor about the world's origin, steps and all."""

    def at(seconds: float) -> Posed:
        pose, scale = someone.at(seconds), np.float32(factor)
        return replace(pose, vertices=pose.vertices * scale, points=pose.points * scale)

    return replace(someone, at=at)


TRIES = 5
"""Dances of which the one that travels least is taken, so that people stay large in the picture."""


def _staying(
    actors: Sequence[Actor], assets: Assets, purpose: tuple[int, int, int], seconds: float,
    yaw: float | None,
) -> list[Moving]:  # fmt: skip
    """The same dance of several people, by the streams of a purpose."""
    tries = [
        [moving(each, assets, stream(*purpose, k), seconds, yaw) for each in actors]
        for k in range(TRIES)
    ]
    return min(tries, key=lambda made: _travel(made[0], seconds))


def _travel(someone: Moving, seconds: float) -> float:
    """Metres of the longer side of the ground that their joints pass over."""
    times = np.linspace(0, seconds, 5)
    joints = np.concatenate([someone.at(float(t)).points[: len(BODY_25)] for t in times])
    return float(np.ptp(joints[:, [0, 2]], axis=0).max())


def clip(assets: Assets, setting: Setting, seed: int, number: int) -> Film:
    """A dance of one person from its first frame to its last; the camera stands or moves slowly.

    Raises WeightsError, MediaError.
    """
    rng = stream(seed, number, 9)
    (hero,) = _staying([actor(assets, seed, number)], assets, (seed, number, 11), SECONDS, None)
    aim, way = plain_shot(rng), path(rng)
    seconds = np.arange(int(min(SECONDS, hero.seconds) * FPS) + 1) / FPS
    some = [hero.at(float(t)) for t in seconds[:: max(1, len(seconds) // 12)]]
    start = aim.camera(some, *setting.size)
    middle = np.mean([pose.points[JOINT["mid_hip"]] for pose in some], axis=0).astype(np.float32)
    on = take(assets, setting, [hero], rng, aim, start)
    cameras = tuple(way.at(start, middle, float(t)) for t in seconds)
    return Film(on, cameras, lambda k: stream(seed, number, 10, k), FPS)


def write_clip(folder: Path, key: str, film: Film, about: Mapping[str, Any]) -> Iterator[View]:
    """Writes KEY.mp4 and KEY.json, the points, joints and camera of each frame, to a folder.

    Points are in pixels, joints (`world`) in metres, as `Skeleton` has them. Gives the frames as
    they are written; the files are there when the last one has been taken. Raises MediaError where
    they cannot be written or PyAV is not installed.
    """
    try:
        from dancecli.media import PartWriter
        from dancecli.media.files import room, written_aside
    except ImportError as error:
        raise MediaError(
            f"clips cannot be written without PyAV ({error}): pip install av"
        ) from error

    height, width = film.cameras[0].height, film.cameras[0].width
    truth: list[dict[str, Any]] = []
    with room(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as parts:
        rate, size, out = Fraction(film.fps), (width, height), folder / f"{key}.mp4"
        with PartWriter(out, rate, size, len(film), False, Path(parts)) as writer:
            for k, each in enumerate(film):
                writer.write(each.rgb, k)
                truth.append({**_points(each), "camera": asdict(film.cameras[k])})
                yield each
            writer.finish(None, {"comment": CREDIT})
    text = json.dumps({**about, "fps": film.fps, "credit": CREDIT, "frames": truth})
    with written_aside(folder / f"{key}.json") as path:
        path.write_text(text, "utf-8")


CREDIT = (
    "synthetic people made of CC0 assets; the motion was obtained from mocap.cs.cmu.edu, created "
    "with funding from NSF EIA-0196217"
)
"""What goes with everything rendered."""


def _points(frame: View) -> dict[str, Any]:
    names = "body", "left_hand", "right_hand", "face", "world"
    points = {name: getattr(frame.skeleton, name) for name in names}
    return {name: np.round(each.astype(float), 4).tolist() for name, each in points.items()}
