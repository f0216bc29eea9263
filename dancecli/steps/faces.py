"""Where one person's face is in a photo, and in every frame of a video, steady over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from dancecli.errors import NoPersonError
from dancecli.job import Job
from dancecli.keypoints import LEFT_EYE, MOUTH, RIGHT_EYE
from dancecli.media import VideoStream
from dancecli.motion import Observation
from dancecli.motion.camera import Affine, apply, inverse, to_scene
from dancecli.motion.gaps import fill_short, runs
from dancecli.motion.outliers import spikes
from dancecli.motion.smoothing import median, one_euro
from dancecli.motion.track import FILLED, split
from dancecli.progress import Progress
from dancecli.steps.driver import driver_key, observe
from dancecli.steps.face_search import (
    ALIGNED,
    Search,
    aligned_near,
    head_of,
    own_face,
)
from dancecli.steps.photo import pick
from dancecli.steps.stages import Stages
from dancecli.types import SEEN, BoolArray, FloatArray, Frame, Skeleton
from dancecli.workdir import WorkDir

SHORT = 0.1
"""Seconds that a face may be missed and still be taken as there."""

FADE = 0.1
"""Seconds over which a face that comes into sight is given its full strength, and loses it."""

STANDING = 25.0
"""Standing height in distances from eyes to mouth: the filter counts in body heights."""

RESIZED, AROUND = 1.6, 0.5
"""Factor by which a face may differ in size from its median over this many seconds either way;
what differs more is something else that was taken for it."""

COVERING = 4
"""Points of a hand within the face's hull that make it covered."""


@dataclass(frozen=True, eq=False)
class FaceTrack:
    """One face through a clip.

    points: float32 (T, 70, 3), video pixels, confidence 0 where not seen. strength: float32 (T,),
    how much of a change to the face to show: 0 where no face is.
    """

    points: FloatArray
    strength: FloatArray

    def scaled(self, x: float, y: float) -> FaceTrack:
        """The track in pixels of a copy of the video of another size."""
        return replace(self, points=self.points * np.array([x, y, 1], np.float32))


def face_in_photo(job: Job, frame: Frame, stages: Stages) -> Skeleton:
    """The skeleton of the photo's person, face points and all; a face alone will do.

    Raises NoPersonError when the person asked for is not there or their face is not seen.
    """
    people = stages.pose.extract(frame)
    person = Skeleton(np.zeros((25, 3), np.float32))
    if people or job.photo_person != "largest":
        person = pick(people, job.photo_person, job.photo)
    own = own_face(person)
    if own is not None and not leads(stages):
        return person
    hint = head_of(person) if people else None
    if hint is None and own is not None:
        hint = own[own[:, 2] >= SEEN]
    face = aligned_near(stages.face_align, frame, hint)
    if face is None and own is not None:
        return person
    if face is None:
        raise NoPersonError(
            f"{job.photo.name}: no face is seen; use a photo that shows eyes, nose and mouth"
        )
    return replace(person, face=face)


def leads(stages: Stages) -> bool:
    """Whether the face aligner goes before the pose extractor: where one was chosen."""
    return stages.chosen("dance.face_align")


def follow_face(
    job: Job, video: VideoStream, stages: Stages, work: WorkDir, progress: Progress
) -> FaceTrack:
    """The face of the person whom job.person names, found in every frame and smoothed.

    What the pose extractor did not see is looked for by the face aligner; one that was chosen
    looks into every frame, and the pose extractor's points stand in where it sees nothing. Raises
    NoPersonError when no frame shows the face.
    """
    observations = observe(job, video, stages, work, progress)
    faces = [own_face(seen.skeleton) for seen in observations]
    search = Search(job, video, observations, faces, leads(stages))
    if search.wanted:
        key = {**driver_key(job, video, stages), "aligner": stages.identity("face_align")}
        if search.leading:
            key["frames"] = "all"
        entry = work.entry("faces", key)
        with entry.locked():
            search.run(entry, stages, progress)
    for index, seen in enumerate(observations):
        if seen.skeleton is not None and _covered(faces[index], seen.skeleton):
            faces[index] = None
    track = steady(faces, observations, video.fps, job.smooth)
    if not track.strength.any():
        raise NoPersonError(
            f"{job.video.name}: the face of person '{job.person}' is not seen in any of its "
            f"{len(faces)} frames; --person chooses another"
        )
    return track


def _covered(face: FloatArray | None, skeleton: Skeleton) -> bool:
    """Whether a hand is in front of the face; a face must not be painted over it."""
    import cv2

    if face is None:
        return False
    outline = cv2.convexHull(np.ascontiguousarray(face[:68, :2]))
    hands = np.concatenate([skeleton.left_hand, skeleton.right_hand])
    near = [
        cv2.pointPolygonTest(outline, (float(x), float(y)), False) >= 0
        for x, y, confidence in hands
        if confidence >= SEEN
    ]
    return sum(near) >= COVERING


def steady(
    faces: Sequence[FloatArray | None], seen: Sequence[Observation], fps: Fraction, smooth: float
) -> FaceTrack:
    """Faces (70, 3), one or none per frame, made steady as poses are (`motion.track`).

    Each scene by itself: single frames that jump away are dropped, gaps up to SHORT filled, the
    points smoothed where the camera's motion is taken out.
    """
    nothing = np.zeros((70, 3), np.float32)
    points = np.stack([nothing if face is None else face for face in faces]).astype(np.float64)
    cuts = [index for index, each in enumerate(seen) if each.cut and index > 0]
    camera = to_scene([each.camera for each in seen], cuts)
    strength = np.zeros(len(points), np.float32)
    for scene in split(len(points), cuts):
        _mend(points[scene], camera[scene], float(fps), smooth)
        shown = (points[scene][:, ALIGNED, 2] >= SEEN).all(1)
        strength[scene] = _faded(shown, max(1, round(FADE * float(fps))))
    return FaceTrack(points.astype(np.float32), strength)


def _mend(points: NDArray[np.float64], camera: Affine, fps: float, smooth: float) -> None:
    """Drop spikes, fill short gaps and smooth the points (T, 70, 3) of one scene, in place."""
    known = points[..., 2] >= SEEN
    shown = known[:, ALIGNED].all(1)
    shown[shown] = _of_its_size(points[shown], 2 * round(AROUND * fps) + 1)
    known &= shown[:, None]
    if not shown.any():
        points[..., 2] = 0
        return
    height = STANDING * float(np.median([_eyes_to_mouth(face) for face in points[shown]]))
    places = apply(camera, points[..., :2]) / max(height, 1.0)
    known &= ~spikes(places, known, fps)
    places, filled = fill_short(places, known, max(1, round(SHORT * fps)))
    valid = known | filled
    places = one_euro(places, valid, fps, smooth) * max(height, 1.0)
    points[..., :2] = apply(np.stack([inverse(each) for each in camera]), places)
    points[..., 2] = np.where(filled, FILLED, np.where(known, points[..., 2], 0.0))


def _of_its_size(faces: NDArray[np.float64], window: int) -> BoolArray:
    """(T,): whether each face (T, 70, 3) is about as large as those before and after it."""
    sizes = np.ptp(faces[:, :68, :2], axis=1).max(1)
    usual = median(sizes, window)
    return np.asarray(np.maximum(sizes / usual, usual / np.maximum(sizes, 1e-6)) <= RESIZED)


def _eyes_to_mouth(face: NDArray[np.float64]) -> float:
    eyes = face[[*RIGHT_EYE, *LEFT_EYE], :2].mean(0)
    return float(np.linalg.norm(eyes - face[list(MOUTH), :2].mean(0)))


def _faded(shown: BoolArray, fade: int) -> FloatArray:
    """(T,): 1 where a face is shown, rising and falling over `fade` frames inside each stretch.

    A stretch that begins or ends with the scene does so at full strength.
    """
    strength = np.zeros(len(shown), np.float32)
    for start, end in runs(shown):
        rise = np.arange(1, end - start + 1) / (fade + 1)
        ends = [np.ones(end - start)]
        ends += [rise] if start > 0 else []
        ends += [rise[::-1]] if end < len(shown) else []
        strength[start:end] = np.min(ends, axis=0)
    return strength
