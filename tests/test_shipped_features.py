"""The feature networks of the shipped bundle on people whom they never saw."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from dance_freestyle import faces
from dance_freestyle.training.starting import found_features
from dance_mediapipe.pose import MediaPipePose

from dancecli.media import VideoStream, read_photo
from dancecli.stages import Settings
from dancecli.types import Frame


def test_the_embedder_tells_filmed_people_apart(demo_photo: Path, demo_video: Path) -> None:
    """Three moments of the demo's dancer are nearer to each other than to the demo's photo."""
    features, pose = found_features("compact"), MediaPipePose(Settings())

    def embedding(frame: Frame) -> np.ndarray:
        aligned = faces.align(pose.extract(frame)[0].face, features.embedder.preset.crop)
        assert aligned is not None
        rgb = torch.from_numpy(faces.cut(frame.rgb, aligned)).movedim(-1, 0)[None].float() / 255
        return features.face(rgb)[-1].flatten().numpy()

    video = VideoStream(demo_video)
    dancer = [embedding(next(iter(video.frames(at, at + 1)))) for at in (0, 40, 90)]
    other = embedding(read_photo(demo_photo))
    alike = [float(a @ b) for a, b in ((dancer[0], dancer[1]), (dancer[1], dancer[2]))]
    apart = [float(each @ other) for each in dancer]
    assert min(alike) > 0.4 > max(apart)
