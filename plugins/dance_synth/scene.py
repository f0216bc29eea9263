"""Who is seen where, by which camera and in what light: scenes drawn at random, frame by frame.

    actor + motion ─► Moving; Moving + company + backdrop ─► Take; Take at a time ─► View

All that is random follows from (seed, number of the person): every part has a stream of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path as FilePath
from typing import Any

import numpy as np

from dance_synth.actor import Actor, actor, moody
from dance_synth.assets import Assets
from dance_synth.backdrop import Backdrop, panorama, photo, plain
from dance_synth.camera import axes
from dance_synth.effects import Effects, effects
from dance_synth.motion import clips, motion, perform, rig_of, standing_pose
from dance_synth.parts import Camera, Posed, Rendered
from dance_synth.props import Prop, prop
from dance_synth.render import Cast, cast, render
from dance_synth.room import room
from dance_synth.shots import Shot, shot
from dancecli.data.people import View
from dancecli.types import DenseMap, FloatArray

FPS = 30
"""Frames per second of everything that moves."""

PLACES = {"panorama": 0.5, "room": 0.32, "plain": 0.18}
"""Shares of the kinds of backdrops; with photos of one's own, these are half of all."""

TOGETHER = ("mixed", "shared", "changed")
"""Whether the frames of a person have one place, light and camera, or each its own."""


@dataclass(frozen=True)
class Setting:
    """What the user chose.

    size: (height, width) of pictures. together: of `TOGETHER`. others: share of scenes with other
    people. things: share with furniture. backgrounds: photos of one's own. shot: kind of all shots,
    None at random; of heads each picture has an expression of its own.
    """

    size: tuple[int, int] = (512, 320)
    together: str = "mixed"
    others: float = 0.25
    things: float = 0.3
    backgrounds: tuple[FilePath, ...] = ()
    shot: str | None = None


def stream(seed: int, number: int, *purpose: int) -> np.random.Generator:
    """Random numbers of one purpose of one person; streams do not depend on each other."""
    return np.random.default_rng([seed, number, *purpose])


@dataclass(frozen=True, eq=False)
class Moving:
    """Somebody and what they do.

    at: seconds -> their pose, where they stand. seconds: for how long, before they stand still.
    """

    actor: Actor
    at: Callable[[float], Posed]
    seconds: float


@dataclass(frozen=True, eq=False)
class Take:
    """A place and who is in it, the subject first, ready for any number of frames."""

    people: tuple[Moving, ...]
    stage: Cast
    backdrop: Backdrop
    effects: Effects

    def picture(self, seconds: float, camera: Camera, rng: np.random.Generator | None) -> Rendered:
        """What a camera sees at a time; rng: of its noise."""
        poses = [each.at(seconds) for each in self.people]
        return render(self.stage, poses, camera, self.backdrop, self.effects, rng)

    def played_by(self, someone: Moving) -> Take:
        """The same place with somebody else in it, alone."""
        return replace(self, people=(someone,), stage=cast([someone.actor.human]))


def take(
    assets: Assets, setting: Setting, people: Sequence[Moving], rng: np.random.Generator,
    aim: Shot, camera: Camera,
) -> Take:  # fmt: skip
    """A place for people, with things in it, exposed for the subject."""
    backdrop = place(assets, setting, rng)
    stage = cast([each.actor.human for each in people], _furniture(setting, rng, aim))
    return Take(tuple(people), stage, backdrop, _exposed(backdrop, camera, effects(rng)))


def place(assets: Assets, setting: Setting, rng: np.random.Generator) -> Backdrop:
    """A backdrop of a random kind. Raises MediaError for a photo that cannot be read."""
    if setting.backgrounds and rng.random() < 0.5:
        return photo(setting.backgrounds[rng.integers(len(setting.backgrounds))], rng)
    kind = rng.choice(list(PLACES), p=list(PLACES.values()))
    if kind == "panorama":
        return panorama(assets, rng)
    return room(rng) if kind == "room" else plain(rng)


def _exposed(backdrop: Backdrop, camera: Camera, habits: Effects) -> Effects:
    """Half way to where a camera would set its exposure for a face turned to it."""
    forward = axes(camera)[2]
    sides = np.float32([-forward, -forward + (0, 0.8, 0)])
    sides /= np.linalg.norm(sides, axis=1, keepdims=True)
    level = float(backdrop.light.full(sides).mean())
    gain = float(np.clip((BRIGHT / max(level, 1e-3)) ** 0.6, 0.5, 2.5))
    r, g, b = habits.gain
    return replace(habits, gain=(r * gain, g * gain, b * gain))


BRIGHT = 0.5
"""Light on a person (irradiance/pi) that a camera aims at."""


def moving(
    actor: Actor, assets: Assets, rng: np.random.Generator, seconds: float, yaw: float | None = None
) -> Moving:
    """Somebody who dances a clip of the pack, for so long if the clip is.

    yaw: where they look at first, radians from +z; at random without it.
    """
    names = clips(assets)
    source = motion(assets, names[rng.integers(len(names))])
    played = perform(rig_of(assets), source, rng, min(seconds, source.seconds), yaw)
    return Moving(actor, lambda t: actor.pose(played.at(t, actor.leg)), played.seconds)


def posing(
    actor: Actor, assets: Assets, rng: np.random.Generator, yaw: float | None = None
) -> Moving:
    """Somebody in another everyday stance every second; yaw as `moving`."""
    salt = int(rng.integers(2**31))

    def at(seconds: float) -> Posed:
        return actor.pose(standing_pose(assets, stream(salt, int(seconds)), yaw))

    return Moving(actor, at, float("inf"))


def beside(someone: Moving, x: float, z: float) -> Moving:
    """The same, moved by metres along the world's axes."""
    step = np.array([x, 0, z], np.float32)

    def at(seconds: float) -> Posed:
        pose = someone.at(seconds)
        return replace(pose, vertices=pose.vertices + step, points=pose.points + step)

    return Moving(someone.actor, at, someone.seconds)


def company(
    assets: Assets, setting: Setting, seed: int, number: int, rng: np.random.Generator, aim: Shot
) -> list[Moving]:
    """Other people, by chance: beside, behind, now and then before the subject.

    They are the people of the next numbers, so that whoever makes people in order makes each once.
    """
    count = int(rng.choice([1, 2], p=[0.75, 0.25])) if rng.random() < setting.others else 0
    others = []
    for k in range(count):
        someone = moving(actor(assets, seed, number + 1 + k), assets, rng, 1.0)
        others.append(beside(someone, *_spot(rng, aim)))
    return others


def _spot(rng: np.random.Generator, aim: Shot) -> tuple[float, float]:
    """x and z of something that is not inside the subject; close shots have it behind them."""
    side = 1.0 if rng.random() < 0.5 else -1.0
    if aim.kind not in WIDE:
        return side * float(rng.uniform(0.4, 1.5)), -float(rng.uniform(0.7, 2.5))
    if rng.random() < 0.2:
        return side * float(rng.uniform(0.2, 0.8)), float(rng.uniform(0.6, 1.1))
    return side * float(rng.uniform(0.6, 1.5)), -float(rng.uniform(0.0, 2.2))


WIDE = ("full", "far")


def _furniture(setting: Setting, rng: np.random.Generator, aim: Shot) -> list[Prop]:
    if rng.random() >= setting.things:
        return []
    return [prop(rng, *_spot(rng, aim)) for _ in range(int(rng.integers(1, 4)))]


def views(
    assets: Assets, setting: Setting, seed: int, number: int, frames: int, gap: int
) -> Iterator[tuple[View, dict[str, Any]]]:
    """The frames of one person in order, each with what `meta.json` is to say of it.

    gap: most frames between the first and the last. Raises MediaError, WeightsError.
    """
    rng = stream(seed, number, 1)
    subject = actor(assets, seed, number)
    if setting.shot == "head":
        yield from _heads(assets, setting, seed, number, frames)
        return
    if rng.random() < DANCING:
        length = max(float(rng.uniform(0.3, 1)) * min(gap / FPS, 6.0), frames / FPS)
        hero = moving(subject, assets, rng, length)
        numbers = np.sort(rng.choice(int(length * FPS) + 1, frames, replace=False))
        seconds = numbers / FPS
    else:
        hero = posing(subject, assets, rng)
        numbers = np.arange(frames)
        seconds = numbers.astype(float)
    shared = setting.together == "shared" or (setting.together == "mixed" and rng.random() < 0.5)
    made: tuple[Take, Camera, str] | None = None
    for k in range(frames):
        if made is None or not shared:
            span = seconds if shared else seconds[k : k + 1]
            made = _taken(assets, setting, seed, number, k, hero, span)
        on, camera, about = made
        picture = on.picture(float(seconds[k]), camera, stream(seed, number, 3, k))
        yield view(picture, int(numbers[k])), {"shot": about, "camera": asdict(camera)}


def _heads(
    assets: Assets, setting: Setting, seed: int, number: int, frames: int
) -> Iterator[tuple[View, dict[str, Any]]]:
    """Pictures of one person's head, each in another mood, as `views`."""
    rng = stream(seed, number, 1)
    shared = setting.together == "shared" or (setting.together == "mixed" and rng.random() < 0.5)
    for k in range(frames):
        someone = moody(assets, seed, number, k)
        hero = posing(someone, assets, rng, float(rng.normal(0, TURNED)))
        at = 0 if shared else k
        on, camera, about = _taken(assets, setting, seed, number, at, hero, np.zeros(1))
        picture = on.picture(0.0, camera, stream(seed, number, 3, k))
        looks = someone.about["shape"]["details"]
        yield view(picture, k), {"shot": about, "camera": asdict(camera), "details": looks}


TURNED = 0.4
"""Radians (standard deviation) that somebody is turned aside in a picture of their head."""


DANCING = 0.8
"""Share of people who dance; the others stand, walk, sit."""


def _taken(
    assets: Assets, setting: Setting, seed: int, number: int, k: int, hero: Moving,
    seconds: FloatArray,
) -> tuple[Take, Camera, str]:  # fmt: skip
    """A place with company and a camera that shows the subject at all those times."""
    rng = stream(seed, number, 2, k)
    aim = shot(rng, setting.shot)
    camera = aim.camera([hero.at(float(t)) for t in seconds], *setting.size)
    people = [hero, *company(assets, setting, seed, number, rng, aim)]
    return take(assets, setting, people, rng, aim, camera), camera, aim.kind


def view(rendered: Rendered, number: int) -> View:
    """A rendered picture as a data set's view of a person."""
    return View(
        rendered.rgb, number, rendered.labels, rendered.mask, rendered.people, rendered.skeleton,
        DenseMap(rendered.iuv), rendered.plate,
    )  # fmt: skip
