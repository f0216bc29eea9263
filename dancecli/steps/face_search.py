"""Looking for a face near where the pose extractor saw a head, in one frame or in many."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dancecli.errors import CacheError
from dancecli.job import Job
from dancecli.keypoints import LEFT_EYE, MOUTH, NOSE, RIGHT_EYE
from dancecli.media import VideoStream
from dancecli.motion import Observation
from dancecli.motion.body import HEAD_JOINTS
from dancecli.overlap import prefetched
from dancecli.progress import Progress
from dancecli.stages import FaceAligner
from dancecli.steps.stages import Stages
from dancecli.types import SEEN, FloatArray, Frame, Skeleton
from dancecli.workdir import Entry

ALIGNED = [*RIGHT_EYE, *LEFT_EYE, NOSE, *MOUTH]

NEAR = 0.6
"""Sizes of a face that it may lie from where the head is; farther off it is another's."""

REMEMBERED = 1.0
"""Seconds after which a face is no longer looked for where it was."""

SAVE_EVERY = 16
"""Frames between writes to the journal: what a kill can cost."""


def face_shows(points: FloatArray) -> bool:
    """Whether eyes, nose and mouth of (70, 3) face points are all seen."""
    return bool((points[ALIGNED, 2] >= SEEN).all())


def own_face(skeleton: Skeleton | None) -> FloatArray | None:
    """The face (70, 3) that the pose extractor saw; None where it saw too little of one."""
    return skeleton.face if skeleton is not None and face_shows(skeleton.face) else None


def head_of(skeleton: Skeleton) -> FloatArray | None:
    """Nose, eyes and ears (n, 3), those that are seen; None where too few are for a hint."""
    head = skeleton.body[HEAD_JOINTS]
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


class Search:
    """Asks the face aligner about frames where the pose extractor saw no face, or about all.

    faces: one per frame, filled in by `run`. leading: the aligner's face goes before the pose
    extractor's. wanted: the frames to ask about: those whose person does not look away, and those
    without a person, be it that nothing but a face is in view.
    """

    def __init__(
        self, job: Job, video: VideoStream, observations: Sequence[Observation],
        faces: list[FloatArray | None], leading: bool = False,
    ) -> None:  # fmt: skip
        self.video, self.seen, self.faces, self.leading = video, observations, faces, leading
        nobody = all(seen.skeleton is None for seen in observations)
        self.anyone = nobody and job.person == "largest"
        self.memory = REMEMBERED * float(video.fps)
        self.wanted = [
            i for i, face in enumerate(faces) if (face is None or leading) and self._may_show(i)
        ]

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
            self._take(index, own_face(answer.skeleton))
        left = self.wanted[len(known) :]
        if not left:
            return
        aligner, asked, answers = stages.face_align, set(left), list[Observation]()
        with progress.stage("faces", len(self.wanted), len(known)) as step:
            for frame in prefetched(self.video.frames(left[0], left[-1] + 1)):
                if frame.index not in asked:
                    continue
                face = self._look(aligner, frame)
                self._take(frame.index, face)
                answers.append(_answer(face))
                step()
                if len(answers) == SAVE_EVERY or frame.index == left[-1]:
                    journal.append([answer.to_json() for answer in answers])
                    answers.clear()

    def _take(self, index: int, face: FloatArray | None) -> None:
        """Keep a face that was found; where none was, what is there stays."""
        if face is not None:
            self.faces[index] = face

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
