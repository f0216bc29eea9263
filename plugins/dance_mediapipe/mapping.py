"""MediaPipe's landmark numbers -> OpenPose's: the only place that knows both.

MediaPipe pose: https://ai.google.dev/edge/mediapipe/solutions/vision/pose_landmarker (33 points).
Face mesh: 468 points and, with attention, 5 of each iris. Hands have OpenPose's order already.
"""

from __future__ import annotations

import numpy as np

NOSE, LEFT_EAR, RIGHT_EAR = 0, 7, 8
LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_ELBOW, RIGHT_ELBOW = 11, 12, 13, 14
LEFT_WRIST, RIGHT_WRIST, LEFT_HIP, RIGHT_HIP = 15, 16, 23, 24
LEFT_KNEE, RIGHT_KNEE, LEFT_ANKLE, RIGHT_ANKLE = 25, 26, 27, 28
LEFT_HEEL, RIGHT_HEEL, LEFT_TOE, RIGHT_TOE = 29, 30, 31, 32

BODY_FROM_POSE: dict[str, tuple[int, ...]] = {
    "nose": (NOSE,),
    "neck": (LEFT_SHOULDER, RIGHT_SHOULDER),
    "right_shoulder": (RIGHT_SHOULDER,),
    "right_elbow": (RIGHT_ELBOW,),
    "right_wrist": (RIGHT_WRIST,),
    "left_shoulder": (LEFT_SHOULDER,),
    "left_elbow": (LEFT_ELBOW,),
    "left_wrist": (LEFT_WRIST,),
    "mid_hip": (LEFT_HIP, RIGHT_HIP),
    "right_hip": (RIGHT_HIP,),
    "right_knee": (RIGHT_KNEE,),
    "right_ankle": (RIGHT_ANKLE,),
    "left_hip": (LEFT_HIP,),
    "left_knee": (LEFT_KNEE,),
    "left_ankle": (LEFT_ANKLE,),
    "right_eye": (5,),
    "left_eye": (2,),
    "right_ear": (RIGHT_EAR,),
    "left_ear": (LEFT_EAR,),
    "left_big_toe": (LEFT_TOE,),
    "left_small_toe": (LEFT_TOE,),
    "left_heel": (LEFT_HEEL,),
    "right_big_toe": (RIGHT_TOE,),
    "right_small_toe": (RIGHT_TOE,),
    "right_heel": (RIGHT_HEEL,),
}
"""BODY_25 joint -> pose landmarks whose mean it is. MediaPipe has one toe: `body.small_toes`
moves the small one aside."""

POSE_MIRROR = np.array(
    [
        0, 4, 5, 6, 1, 2, 3, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15, 18, 17, 20, 19, 22, 21,
        24, 23, 26, 25, 28, 27, 30, 29, 32, 31,
    ]
)  # fmt: skip
"""Pose landmark -> its partner on the other side of the body."""

PALM = {"left": (LEFT_WRIST, 19, 17), "right": (RIGHT_WRIST, 20, 18)}
"""Side -> wrist, index and little finger among the pose landmarks."""

_JAW = (127, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 356)
_BROWS = (70, 63, 105, 66, 107, 336, 296, 334, 293, 300)
_NOSE = (168, 197, 5, 4, 75, 97, 2, 326, 305)
_EYES = (33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380)
_LIPS = (61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181)
_INNER_LIPS = (78, 82, 13, 312, 308, 317, 14, 87)
_PUPILS = (468, 473)

FACE_FROM_MESH = np.array(_JAW + _BROWS + _NOSE + _EYES + _LIPS + _INNER_LIPS + _PUPILS)
"""OpenPose face point 0-69 -> mesh vertex. 0-16 jaw from the person's right to the left, 17-26
brows, 27-35 nose, 36-47 eyes, 48-59 outer lips, 60-67 inner lips, 68 right and 69 left pupil."""
