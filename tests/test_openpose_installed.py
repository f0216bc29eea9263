"""An installed OpenPose, stood in for by a program that answers as it does."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from dance_openpose import installed
from media_samples import assert_one_line
from openpose_records import figure, record

from dancecli import registry
from dancecli.errors import MediaError, PluginError
from dancecli.stages import PoseExtractor, Settings
from dancecli.types import Box, Frame

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the program is a script with a first line")

PROGRAM = """#!{python}
import json, pathlib, sys
given = dict(zip(sys.argv[1::1], sys.argv[2::1]))
{before}
out = pathlib.Path(given["--write_json"])
out.mkdir()
pathlib.Path(__file__).with_name("asked.json").write_text(json.dumps(sys.argv[1:]))
for picture in pathlib.Path(given["--image_dir"]).iterdir():
    (out / (picture.stem + "_keypoints.json")).write_text({answer!r})
"""


def program(folder: Path, before: str = "", answer: object = None) -> Path:
    """An executable in a tree like OpenPose's, with its folder of models above it."""
    path = folder / "openpose" / "build" / "openpose.bin"
    (folder / "openpose" / "models" / "pose").mkdir(parents=True)
    path.parent.mkdir()
    text = json.dumps({"people": [record(figure())]} if answer is None else answer)
    path.write_text(PROGRAM.format(python=sys.executable, before=before, answer=text))
    path.chmod(0o755)
    return path


def extractor(path: Path, monkeypatch: pytest.MonkeyPatch) -> PoseExtractor:
    monkeypatch.setenv("DANCE_OPENPOSE", str(path))
    found: PoseExtractor = registry.load("dance.pose", "openpose-bin", Settings())
    return found


FRAME = Frame(np.zeros((320, 200, 3), np.uint8))


def test_a_frame_goes_through_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = program(tmp_path)
    (person,) = extractor(path, monkeypatch).extract(FRAME)
    np.testing.assert_allclose(person.body[:, :2], figure().body[:, :2], atol=0.001)
    asked = json.loads((path.parent / "asked.json").read_text())
    models = Path(asked[asked.index("--model_folder") + 1])
    assert models == tmp_path / "openpose" / "models"
    assert {"--face", "--hand", "BODY_25"} <= set(asked)


def test_boxes_are_cut_out_and_answers_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All in one run; what is too small to look at is left out."""
    wide = Frame(np.zeros((640, 800, 3), np.uint8))
    boxes = [Box(500, 120, 700, 440), Box(0, 0, 3, 3), Box(100, 100, 300, 420)]
    people = extractor(program(tmp_path), monkeypatch).extract(wide, boxes)
    found = [person.body[:, :2] for person in people]
    corners = [(480, 88), (80, 68)]  # of the boxes, grown by a fifth
    assert len(found) == len(corners)
    for xy, corner in zip(found, corners, strict=True):
        np.testing.assert_allclose(xy, figure().body[:, :2] + corner, atol=0.001)


def test_its_error_is_told_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (
        "print('Error:\\nPrototxt file not found: models/pose.\\nPossible causes:\\n\\t1. Not "
        "downloading.', file=sys.stderr); sys.exit(255)"
    )
    with pytest.raises(PluginError) as caught:
        extractor(program(tmp_path, before), monkeypatch).extract(FRAME)
    assert_one_line(caught, "failed (255): Prototxt file not found: models/pose.")


def test_it_may_not_take_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "TIME_LIMIT", 0.2)
    pose = extractor(program(tmp_path, "import time; time.sleep(60)"), monkeypatch)
    with pytest.raises(PluginError) as caught:
        pose.extract(FRAME)
    assert_one_line(caught, "took more than 0.2 s", "openpose-json@FOLDER")


def test_poses_that_are_none_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pose = extractor(program(tmp_path, answer={"people": "none"}), monkeypatch)
    with pytest.raises(MediaError, match="no list 'people'"):
        pose.extract(FRAME)


def test_without_openpose_the_line_says_where_it_is_and_how_to_name_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("DANCE_OPENPOSE", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PluginError) as caught:
        registry.load("dance.pose", "openpose-bin", Settings())
    assert_one_line(caught, "install it: https://github.com/", "$DANCE_OPENPOSE")
    monkeypatch.setenv("DANCE_OPENPOSE", str(tmp_path / "absent"))
    with pytest.raises(PluginError, match="absent: no such file"):
        registry.load("dance.pose", "openpose-bin", Settings())


@pytest.mark.parametrize(
    ("output", "line"),
    [("Error: one\nmore", "one"), ("a\n\n  last \n", "last"), ("", "it says nothing")],
)
def test_the_telling_line_is_found(output: str, line: str) -> None:
    assert installed.told(output) == line
