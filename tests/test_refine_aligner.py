"""`dance refine-face --face-align NAME`: an aligner that was chosen is the one that is used."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import Run
from dance_freestyle.checkpoint import save_bundle
from dance_freestyle.fr import FR
from dance_freestyle.presets import COMPACT
from installed_plugins import install, visible
from test_refine_face import pictures_in, write_video

from dancecli.media import VideoStream

PLUGINS = '''
from dance_mediapipe.face import MediaPipeFaceAligner


class Beside(MediaPipeFaceAligner):
    """Sees every face somewhat farther right."""

    def landmarks(self, frame, hint=None):
        face = super().landmarks(frame, hint)
        if face is not None:
            face[:, 0] += 8
        return face


class Blind(MediaPipeFaceAligner):
    """Sees no face."""

    def landmarks(self, frame, hint=None):
        return None
'''


@pytest.fixture
def refined(
    run: Run, demo_photo: Path, demo_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> partial[np.ndarray]:
    """The frames of a few seconds refined with an aligner, by an FR that changes every face."""
    site = tmp_path / "site"
    entries = {"beside": "choosy_aligners:Beside", "blind": "choosy_aligners:Blind"}
    install(site, "choosy-aligners", {"dance.face_align": entries})
    (site / "choosy_aligners.py").write_text(PLUGINS)
    visible(monkeypatch, site)
    torch.manual_seed(0)
    save_bundle(tmp_path / "fr", "fr", {"fr": FR(COMPACT.fr)}, "MIT", True)
    frames = VideoStream(demo_video).frames(0, 4)
    dancing = [np.ascontiguousarray(frame.rgb[120:520, 40:328]) for frame in frames]
    clip = write_video(tmp_path / "clip.mp4", dancing)

    def call(*options: str) -> np.ndarray:
        out = tmp_path / "-".join(("out", *options))
        ran = run(
            "refine-face", clip, "--photo", demo_photo, "-o", out, "--device", "cpu",
            "--weights", tmp_path / "fr", "--work-dir", tmp_path / "work", *options,
        )  # fmt: skip
        assert ran.code == 0, ran.err
        return pictures_in(out)

    return partial(call)


def test_an_aligner_that_was_chosen_says_where_the_face_is(refined: partial[np.ndarray]) -> None:
    usual, beside = refined(), refined("--face-align", "beside")
    assert (usual != beside).any((1, 2, 3)).all()
    assert np.array_equal(beside, refined("--face-align", "beside", "--no-audio"))  # from before


def test_where_it_sees_no_face_the_pose_extractor_s_stands_in(
    refined: partial[np.ndarray],
) -> None:
    assert np.array_equal(refined(), refined("--face-align", "blind"))
