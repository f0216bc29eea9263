"""70 face points from the face mesh, and MediaPipe as face aligner."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

import numpy as np

from dance_mediapipe import graphs
from dance_mediapipe.body import faces_away
from dance_mediapipe.detector import faces_in, parts
from dance_mediapipe.mapping import FACE_FROM_MESH, LEFT_EAR, NOSE, RIGHT_EAR
from dance_mediapipe.people import Person
from dance_mediapipe.regions import Region
from dancecli.stages import Settings
from dancecli.types import Box, FloatArray, Frame, UInt8Array

CROP_SIDE = 256
"""Pixels of a head's crop; the mesh model takes 192 and the detector 128."""

MAX_NOSE_ERROR = 0.4
"""Distance between the pose's nose and the mesh's, in head sizes, beyond which it is not theirs."""

HEAD_SCALE = 2.2
"""Side of a head's crop over that of its face."""

MESH_NOSE = 1


def start_face(picture: UInt8Array, person: Person) -> Region | None:
    """Sends the person's head to the face graph; None where the head is turned away or unseen.

    picture: RGB (H, W, 3). Raises PluginError as `graphs.graph`.
    """
    if person.confidence[NOSE] < 0.3 or faces_away(person.world):
        return None
    region = head_region(person)
    graphs.graph("face").send(region.cut(picture, CROP_SIDE))
    return region


def finish_face(person: Person, region: Region | None, shape: tuple[int, ...]) -> FloatArray:
    """Float32 (70, 3), frame pixels; zeros where there is no face or another's."""
    face = None if region is None else _collect(region, shape)
    if region is None or face is None:
        return np.zeros((70, 3), np.float32)
    points, nose = face
    if np.linalg.norm(nose - person.marks[NOSE]) > MAX_NOSE_ERROR * head_size(person):
        return np.zeros((70, 3), np.float32)
    return points


def head_size(person: Person) -> float:
    """About the width of the head in pixels, whichever way it is turned."""
    marks = person.marks
    ears = marks[LEFT_EAR] - marks[RIGHT_EAR]
    profile = marks[NOSE] - (marks[LEFT_EAR] + marks[RIGHT_EAR]) / 2
    eyes_to_mouth = (marks[2] + marks[5] - marks[9] - marks[10]) / 2
    spans = (ears, 1.2 * profile, 2.0 * eyes_to_mouth)
    return max(*(float(np.linalg.norm(s)) for s in spans), 0.03 * person.region.size)


def head_region(person: Person) -> Region:
    """The crop for the face graph, upright in the head's own sense."""
    marks = person.marks
    up = (marks[2] + marks[5] - marks[9] - marks[10]) / 2
    x, y = marks[:11].mean(0)
    angle = float(np.arctan2(up[0], -up[1]))
    return Region(float(x), float(y), 3.0 * head_size(person), angle)


def _collect(region: Region, shape: tuple[int, ...]) -> tuple[FloatArray, FloatArray] | None:
    """The 70 points and the tip of the nose of the face in a region that was sent before."""
    found = graphs.graph("face").collect()
    if "landmarks" not in found or "detections" not in found:
        return None
    mesh = region.to_frame(graphs.points(found["landmarks"])[:, :2])
    xy = mesh[FACE_FROM_MESH]
    inside = (xy >= 0).all(1) & (xy <= (shape[1], shape[0])).all(1)
    score = float(graphs.detections(found["detections"])[0].score[0])
    points = np.column_stack([xy, min(score, 1.0) * np.where(inside, 1.0, 0.15)])
    return points.astype(np.float32), mesh[MESH_NOSE]


class MediaPipeFaceAligner:
    """Face points of `dance.face_align` from MediaPipe's face detector and face mesh."""

    INTERFACE_VERSION = 1
    LICENCE = "MediaPipe 0.10, code and models: Apache-2.0, Google"
    COMMERCIAL = True

    def __init__(self, settings: Settings) -> None:
        """Settings are not needed: it runs on the CPU and loads its models on first use."""

    def landmarks(self, frame: Frame, hint: FloatArray | None = None) -> FloatArray | None:
        """Float32 (70, 3) points of the face nearest `hint`, or of the largest; None if none."""
        hinted = [Region.around(box, HEAD_SCALE) for box in _hinted(hint)]
        for region in chain(hinted, _faces(frame.rgb, hint)):
            graphs.graph("face").send(region.cut(frame.rgb, CROP_SIDE))
            face = _collect(region, frame.rgb.shape)
            if face is not None:
                return face[0]
        return None


def _hinted(hint: FloatArray | None) -> list[Box]:
    """The box of the hint's points, if they make one."""
    if hint is None or int((hint[:, 2] > 0).sum()) < 3:
        return []
    points = hint[hint[:, 2] > 0, :2]
    (left, top), (right, bottom) = points.min(0), points.max(0)
    return [Box(float(left), float(top), float(right), float(bottom))]


def _faces(picture: UInt8Array, hint: FloatArray | None) -> Iterator[Region]:
    """Heads of the faces that the detector sees, nearest to the hint first, else largest."""
    boxes = parts(picture.shape[1], picture.shape[0])
    faces = [face for part in boxes for face in faces_in(picture, part)]
    if hint is not None and (hint[:, 2] > 0).any():
        x, y = hint[hint[:, 2] > 0, :2].mean(0)
        faces.sort(key=lambda f: float(np.hypot(f.x - x, f.y - y)))
    else:
        faces.sort(key=lambda f: -f.size)
    yield from (replace(face, size=HEAD_SCALE * face.size) for face in faces)
