"""Where one person's face is in a photo, and in every frame of a video, steady over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from dancecli.errors import CacheError, NoPersonError
from dancecli.job import Job
from dancecli.media import VideoStream
from dancecli.motion import Observation
from dancecli.motion.camera import Affine, apply, inverse, to_scene
from dancecli.motion.gaps import fill_short, runs
from dancecli.motion.outliers import spikes
from dancecli.motion.smoothing import one_euro
from dancecli.motion.track import FILLED, split
from dancecli.overlap import prefetched
from dancecli.progress import Progress
from dancecli.stages import FaceAligner
from dancecli.steps.driver import driver_key, observe
from dancecli.steps.photo import pick
from dancecli.steps.stages import Stages
from dancecli.types import JOINT, SEEN, BoolArray, FloatArray, Frame, Skeleton
from dancecli.workdir import Entry, WorkDir

RIGHT_EYE, LEFT_EYE, NOSE, MOUTH = range(36, 42), range(42, 48), 30, (48, 54)
"""Of OpenPose's face points, those behind the five that faces are aligned by."""

ALIGNED = [*RIGHT_EYE, *LEFT_EYE, NOSE, *MOUTH]

HEAD = [JOINT[name] for name in ("nose", "right_eye", "left_eye", "right_ear", "left_ear")]

NEAR = 0.6
"""Sizes of a face that it may lie from where the head is; farther off it is another's."""

REMEMBERED = 1.0
"""Seconds after which a face is no longer looked for where it was."""

SHORT = 0.1
"""Seconds that a face may be missed and still be taken as there."""

FADE = 0.1
"""Seconds over which a face that comes into sight is given its full strength, and loses it."""

STANDING = 25.0
"""Standing height in distances from eyes to mouth: the filter counts in body heights."""

RESIZED, AROUND = 1.6, 0.5
"""Factor by which a face may differ in size from its median over this many seconds either way;
what differs more is something else that was taken for it."""

SAVE_EVERY = 16
"""Frames between writes to the journal: what a kill can cost."""

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


def face_shows(points: FloatArray) -> bool:
    """Whether eyes, nose and mouth of (70, 3) face points are all seen."""
    return bool((points[ALIGNED, 2] >= SEEN).all())


def face_in_photo(job: Job, frame: Frame, stages: Stages) -> Skeleton:
    """The skeleton of the photo's person, face points and all; a face alone will do.

    Raises NoPersonError when the person asked for is not there or their face is not seen.
    """
    people = stages.pose.extract(frame)
    person = Skeleton(np.zeros((25, 3), np.float32))
    if people or job.photo_person != "largest":
        person = pick(people, job.photo_person, job.photo)
    if face_shows(person.face):
        return person
    face = aligned_near(stages.face_align, frame, head_of(person) if people else None)
    if face is None:
        raise NoPersonError(
            f"{job.photo.name}: no face is seen; use a photo that shows eyes, nose and mouth"
        )
    return replace(person, face=face)


def head_of(skeleton: Skeleton) -> FloatArray | None:
    """Nose, eyes and ears (n, 3), those that are seen; None where too few are for a hint."""
    head = skeleton.body[HEAD]
    head = head[head[:, 2] >= SEEN]
    return head if len(head) >= 3 else None


def aligned_near(aligner: FaceAligner, frame: Frame, hint: FloatArray | None) -> FloatArray | None:
    """The face (70, 3) at the hint (n, 3), or any without a hint; None where it is not seen."""
    face = aligner.landmarks(frame, hint)
    if face is None or not face_shows(face):
        return None
    if hint is not None:
        size = float(np.ptp(face[:68, :2], axis=0).max())
        away = face[ALIGNED, :2].mean(0) - hint[:, :2].mean(0)
        if float(np.linalg.norm(away)) > NEAR * size:
            return None
    return face


def follow_face(
    job: Job, video: VideoStream, stages: Stages, work: WorkDir, progress: Progress
) -> FaceTrack:
    """The face of the person whom job.person names, found in every frame and smoothed.

    What the pose extractor did not see is looked for by the face aligner. Raises NoPersonError
    when no frame shows the face.
    """
    observations = observe(job, video, stages, work, progress)
    faces = [_own(seen.skeleton) for seen in observations]
    search = _Search(job, video, observations, faces)
    if search.wanted:
        key = {**driver_key(job, video, stages), "aligner": stages.identity("face_align")}
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


def _own(skeleton: Skeleton | None) -> FloatArray | None:
    return skeleton.face if skeleton is not None and face_shows(skeleton.face) else None


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


class _Search:
    """Asks the face aligner about frames where the pose extractor saw no face.

    faces: one per frame, filled in by `run`. wanted: the frames to ask about: those whose person
    does not look away, and those without a person, be it that nothing but a face is in view.
    """

    def __init__(
        self, job: Job, video: VideoStream, observations: Sequence[Observation],
        faces: list[FloatArray | None],
    ) -> None:  # fmt: skip
        self.video, self.seen, self.faces = video, observations, faces
        nobody = all(seen.skeleton is None for seen in observations)
        self.anyone = nobody and job.person == "largest"
        self.memory = REMEMBERED * float(video.fps)
        self.wanted = [i for i, face in enumerate(faces) if face is None and self._may_show(i)]

    def _may_show(self, index: int) -> bool:
        skeleton = self.seen[index].skeleton
        return skeleton is None or skeleton.seen("nose")

    def run(self, entry: Entry, stages: Stages, progress: Progress) -> None:
        """Look into every wanted frame; those of an earlier, stopped run are not asked again."""
        journal = entry.journal()
        try:
            known = [Observation.from_json(record) for record in journal.read()]
        except CacheError:
            journal.path.unlink()
            known = []
        for index, answer in zip(self.wanted, known, strict=False):
            self.faces[index] = _own(answer.skeleton)
        left = self.wanted[len(known) :]
        if not left:
            return
        aligner, asked, answers = stages.face_align, set(left), list[Observation]()
        with progress.stage("faces", len(self.wanted), len(known)) as step:
            for frame in prefetched(self.video.frames(left[0], left[-1] + 1)):
                if frame.index not in asked:
                    continue
                self.faces[frame.index] = face = self._look(aligner, frame)
                answers.append(_answer(face))
                step()
                if len(answers) == SAVE_EVERY or frame.index == left[-1]:
                    journal.append([answer.to_json() for answer in answers])
                    answers.clear()

    def _look(self, aligner: FaceAligner, frame: Frame) -> FloatArray | None:
        hint = self._hint(frame.index)
        if hint is None and not self.anyone:
            return None
        return aligned_near(aligner, frame, hint)

    def _hint(self, index: int) -> FloatArray | None:
        """The head of this frame's skeleton, or the face where it was a little earlier."""
        skeleton = self.seen[index].skeleton
        if skeleton is not None:
            return head_of(skeleton)
        for earlier in range(index, max(-1, index - round(self.memory)), -1):
            face = self.faces[earlier]
            if face is not None:
                return face
            if self.seen[earlier].cut:
                return None
        return None


def _answer(face: FloatArray | None) -> Observation:
    """A face as a record of the journal, exact to the bit."""
    if face is None:
        return Observation()
    return Observation(Skeleton(np.zeros((25, 3), np.float32), face=face))


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
    from scipy.ndimage import median_filter

    sizes = np.ptp(faces[:, :68, :2], axis=1).max(1)
    usual = median_filter(sizes, window, mode="nearest")
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
