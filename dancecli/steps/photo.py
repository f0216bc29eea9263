"""Who is in the photo: equation 1, with pose and mask, once per photo."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dancecli.errors import DanceError, NoPersonError
from dancecli.job import PHOTO_SIDE, Job
from dancecli.media import read_photo, sha256_of
from dancecli.motion import left_to_right
from dancecli.motion.placing import is_upright
from dancecli.motion.track import skeleton_of
from dancecli.steps.stages import Stages
from dancecli.steps.turning import AGREED, AGREED_METRES, SAME_POSE, TURNS, steadied
from dancecli.types import (
    FloatArray,
    Frame,
    LabelMap,
    PersonMask,
    Skeleton,
    Target,
    UInt8Array,
)
from dancecli.workdir import Entry, WorkDir

logger = logging.getLogger(__name__)

_HEAD = "nose", "left_eye", "right_eye", "left_ear", "right_ear"

NEXT = 0.5
"""Height of the next largest person over the largest's from which on they may stand in for them: a
passer-by does not."""

SURE, OUTLINED = 0.5, 0.5
"""Confidence of joints that are surely seen, and the share of them that must lie in a mask of their
person: of 119 made people the least was 0.79, and 0.36 of those whose mask was of nothing."""

ONE_PERSON = 0.5
"""Share of somebody's mask that lies on the dancer's from which on they are one person."""


def understand(job: Job, stages: Stages, work: WorkDir) -> Target:
    """The photo with its person's skeleton, mask and labels, scaled to PHOTO_SIDE at most.

    Raises MediaError for an unreadable photo, NoPersonError when nobody usable is in it.
    """
    frame = fitted(read_photo(job.photo), PHOTO_SIDE)
    entry = work.entry("photo", photo_key(job, stages))
    with entry.locked():
        return _stored(entry, frame) or _looked_at(entry, frame, job, stages)


def bystanders(job: Job, target: Target, stages: Stages, work: WorkDir) -> FloatArray | None:
    """Alpha (H, W) of everybody else in the photo that `understand` looked at; None if nobody.

    Who mostly covers the person is the person, found twice. Somebody without a mask is left out.
    """
    stored = work.entry("photo", photo_key(job, stages)).load("target") or {}
    together = np.zeros_like(target.mask.alpha)
    for points in stored.get("others", ()):
        try:
            alpha = stages.mask.mask(target.frame, skeleton_of(points, None)).alpha
        except DanceError as error:
            logger.warning("somebody else in %s was not masked: %s", job.photo.name, error)
            continue
        if np.minimum(alpha, target.mask.alpha).sum() < ONE_PERSON * alpha.sum():
            together = np.maximum(together, alpha)
    return together if together.any() else None


def photo_key(job: Job, stages: Stages) -> dict[str, object]:
    """Everything the target depends on."""
    return {
        "photo": sha256_of(job.photo),
        "person": job.photo_person,
        "plugins": stages.identity("pose", "mask", "parser"),
        "side": PHOTO_SIDE,
        "looks": [TURNS, SAME_POSE, AGREED, AGREED_METRES, OUTLINED, NEXT],
    }


def fitted(frame: Frame, side: int) -> Frame:
    """The frame, scaled down where its longest side is over `side` pixels."""
    import cv2

    scale = side / max(frame.height, frame.width)
    if scale >= 1:
        return frame
    size = (max(1, round(frame.width * scale)), max(1, round(frame.height * scale)))
    return replace(frame, rgb=cv2.resize(frame.rgb, size, interpolation=cv2.INTER_AREA))


def _looked_at(entry: Entry, frame: Frame, job: Job, stages: Stages) -> Target:
    people = stages.pose.extract(frame)
    chosen = pick(people, job.photo_person, job.photo)
    if not _usable(chosen):
        check_usable(chosen, job.photo)
    found, skeleton, alpha = _cut_out(frame, chosen, people, job, stages)
    check_usable(found, job.photo)
    say_if_not_upright(skeleton, job.photo)
    labels = stages.parser.parse(frame, skeleton, _mask(alpha)).labels
    others = [person.points() for person in people if person is not found]
    stored: dict[str, Any] = {"alpha": alpha, "labels": labels, **_skeleton_arrays(skeleton)}
    stored["others"] = np.array(others, np.float32).reshape(-1, 137, 3)
    entry.save("target", stored)
    return Target(frame, _mask(alpha), LabelMap(labels), skeleton)


def _cut_out(
    frame: Frame, chosen: Skeleton, people: list[Skeleton], job: Job, stages: Stages
) -> tuple[Skeleton, Skeleton, UInt8Array]:
    """Who of the photo it is to be, as found and steadied, and their mask, 0-255.

    Where the largest cannot be cut out it is the next one who can, unless somebody asked for them.
    """
    first, failed = None, None
    for found in (chosen, *_instead(chosen, people, job)):
        try:
            skeleton = steadied(frame, found, stages.pose)
            alpha = np.rint(stages.mask.mask(frame, skeleton).alpha * 255).astype(np.uint8)
        except DanceError as error:
            if found is chosen and not isinstance(error, NoPersonError):
                raise
            failed = failed or error
            continue
        if outlined(skeleton, alpha):
            if found is not chosen:
                logger.warning(
                    "%s: the largest person cannot be cut out, so it is the next one; "
                    "--photo-person chooses", job.photo.name,
                )  # fmt: skip
            return found, skeleton, alpha
        first = (found, skeleton, alpha) if found is chosen else first
    if first is None:
        raise failed or AssertionError
    logger.warning(
        "%s: what could be cut out of the person is little of them: expect a torn one, or use a "
        "photo that shows them whole", job.photo.name,
    )  # fmt: skip
    return first


def _instead(chosen: Skeleton, people: list[Skeleton], job: Job) -> list[Skeleton]:
    """Who may stand in for the largest; nobody for somebody whom --photo-person names."""
    if job.photo_person != "largest":
        return []
    least = NEXT * _tall(chosen)
    return [p for p in people if p is not chosen and _usable(p) and _tall(p) > least]


def _tall(skeleton: Skeleton) -> float:
    """Pixels from the highest to the lowest seen point; 0 where fewer than two are seen."""
    box = skeleton.box()
    return box.height if box else 0.0


def outlined(skeleton: Skeleton, alpha: UInt8Array) -> bool:
    """Whether a mask, 0-255 (H, W), has most of the joints that are surely in the picture."""
    height, width = alpha.shape
    joints = skeleton.body[skeleton.body[:, 2] >= SURE, :2].astype(int)
    inside = (joints >= 0).all(1) & (joints < (width, height)).all(1)
    x, y = joints[inside].T
    return not inside.any() or bool((alpha[y, x] > 127).mean() >= OUTLINED)


def _mask(alpha: UInt8Array) -> PersonMask:
    # Eight bits whether stored or fresh, so that a resumed run sees the same numbers.
    return PersonMask(alpha.astype(np.float32) / np.float32(255))


def _skeleton_arrays(skeleton: Skeleton) -> dict[str, FloatArray]:
    world = skeleton.world if skeleton.world is not None else np.zeros((0, 3), np.float32)
    return {
        "body": skeleton.body, "left_hand": skeleton.left_hand,
        "right_hand": skeleton.right_hand, "face": skeleton.face, "world": world,
    }  # fmt: skip


def _stored(entry: Entry, frame: Frame) -> Target | None:
    arrays = entry.load("target")
    if arrays is None or "others" not in arrays:
        return None
    world = arrays["world"] if len(arrays["world"]) else None
    points = {name: arrays[name] for name in ("body", "left_hand", "right_hand", "face")}
    return Target(
        frame, _mask(arrays["alpha"]), LabelMap(arrays["labels"]), Skeleton(**points, world=world)
    )


def pick(people: list[Skeleton], who: str, where: Path) -> Skeleton:
    """One of the people found: "largest" (they come that way), "left", "right" or a number.

    Raises NoPersonError when nobody, or fewer than asked for, was found.
    """
    if not people:
        raise NoPersonError(
            f"{where.name}: no person found; use a picture that shows one person, head to feet if "
            "possible, shoulders at least, not too small"
        )
    if who == "largest":
        return people[0]
    ordered = left_to_right(people)
    number = {"left": 1, "right": len(ordered)}.get(who) or int(who)
    if number > len(ordered):
        raise NoPersonError(
            f"{where.name}: person {number} asked for, {len(ordered)} found; "
            "dance reenact --list-people writes a numbered picture"
        )
    return ordered[number - 1]


def _usable(skeleton: Skeleton) -> bool:
    shoulders = [skeleton.seen(f"{side}_shoulder") for side in ("left", "right")]
    return all(shoulders) or (any(shoulders) and _more_than_shoulders(skeleton))


def _more_than_shoulders(skeleton: Skeleton) -> bool:
    below = ("left_elbow", "right_elbow", "left_hip", "right_hip")
    return sum(skeleton.seen(joint) for joint in below) >= 2


def check_usable(skeleton: Skeleton, where: Path) -> None:
    """Raises NoPersonError when there is too little of a body to move: a face, a hand.

    Says so where arms are to be made up, and where there is no head.
    """
    if not _usable(skeleton):
        raise NoPersonError(
            f"{where.name}: only a head or a small part of a person is visible; "
            "use a photo that shows both shoulders at least, better all down to the hips"
        )
    if not _more_than_shoulders(skeleton):
        logger.warning(
            "%s shows head and shoulders only: arms are made up; a photo down to the hips looks "
            "better", where.name,
        )  # fmt: skip
    if not any(skeleton.seen(joint) for joint in _HEAD):
        logger.warning(
            "%s does not show the head: the dancer will have none; choose a photo with it",
            where.name,
        )


def say_if_not_upright(skeleton: Skeleton, where: Path) -> None:
    """Warns where the dancer would come out of a photo that lies or is upside down."""
    if not is_upright(skeleton):
        logger.warning(
            "the person in %s is not upright (lies, or stands on the head): turn the photo, or "
            "choose another", where.name,
        )  # fmt: skip
