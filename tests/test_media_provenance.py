"""What is said of an output: in the file itself and in the sidecar beside it."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dancecli.errors import MediaError
from dancecli.media import sha256_of
from dancecli.provenance import container_tags, sidecar, sidecar_path, version, write_sidecar

PLUGINS = [
    {"group": "dance.pose", "name": "mediapipe", "version": "1", "licence": "Apache-2.0"},
    {"group": "dance.mask", "name": "mediapipe", "version": "1", "licence": "Apache-2.0"},
    {"group": "dance.backend", "name": "posewarp", "version": "1", "licence": "MIT"},
]


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, dict[str, Path]]:
    for name in ("out.mp4", "photo.jpg", "dance.mp4"):
        (tmp_path / name).write_bytes(name.encode() * 1000)
    return tmp_path / "out.mp4", {
        "photo": tmp_path / "photo.jpg",
        "video": tmp_path / "dance.mp4",
    }


def test_sidecar(made: tuple[Path, dict[str, Path]], tmp_path: Path) -> None:
    out, inputs = made
    options: dict[str, Any] = {
        "background": tmp_path / "bg.jpg", "weights": str(tmp_path / "w.safetensors"),
        "place": (0.5, 0.9, 0.7), "size": "photo", "audio": True, "seed": None,
        "windows": r"C:\Users\me\bg.png",
    }  # fmt: skip
    path = write_sidecar(
        out, inputs=inputs, options=options, plugins=PLUGINS, seed=7, poses={"held": 3}
    )
    assert path == sidecar_path(out) == tmp_path / "out.mp4.json"
    text = path.read_text(encoding="utf-8")
    record = json.loads(text)
    assert record["synthetic media"] is True and record["seed"] == 7
    assert record["output"]["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert record["inputs"]["video"] == {"file": "dance.mp4", "sha256": sha256_of(inputs["video"])}
    assert record["licences"] == ["Apache-2.0", "MIT"] and record["plugins"] == PLUGINS
    assert record["options"]["background"] == "bg.jpg" and record["poses"] == {"held": 3}
    assert record["options"]["windows"] == "bg.png" and record["options"]["size"] == "photo"
    assert record["made with"]["version"] == version() and "numpy" in record["versions"]
    assert datetime.fromisoformat(record["made at"]).utcoffset() == timedelta(0)
    assert str(tmp_path) not in text and "Users" not in text
    assert list(record) == sorted(record)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text() | st.builds(Path, st.just("/a/b.c")),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_any_options_become_json_without_folders(options: Any) -> None:
    here = Path(__file__)
    record = sidecar(here, inputs={}, options={"x": options}, plugins=[], seed=0)
    assert json.loads(json.dumps(record)) == record
    assert "/a/" not in json.dumps(record)


def test_folder_of_pictures_has_one_hash(tmp_path: Path) -> None:
    out = tmp_path / "frames"
    out.mkdir()
    (out / "000001.png").write_bytes(b"1")
    before = sha256_of(out)
    (out / "000002.png").write_bytes(b"2")
    assert sha256_of(out) != before
    assert write_sidecar(out, inputs={}, options={}, plugins=[], seed=0).name == "frames.json"


def test_sidecar_that_cannot_be_written_leaves_nothing(
    made: tuple[Path, dict[str, Path]], tmp_path: Path
) -> None:
    out, inputs = made
    (tmp_path / "out.mp4.json").mkdir()
    (tmp_path / "out.mp4.json" / "other").touch()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(MediaError):
        write_sidecar(out, inputs=inputs, options={}, plugins=[], seed=0)
    assert sorted(tmp_path.iterdir()) == before


def test_tags_say_what_it_is() -> None:
    tags = container_tags()
    assert "synthetic" in tags["comment"] and version() in tags["comment"]
    assert all(isinstance(value, str) and "\n" not in value for value in tags.values())


def test_a_name_that_is_no_utf_8_is_written_as_json_has_it(tmp_path: Path) -> None:
    out = tmp_path / os.fsdecode(b"caf\xe9 \xc3\xbc.mp4")
    try:
        out.write_bytes(b"x")
    except OSError:
        pytest.skip("no such name can be given here")
    text = write_sidecar(out, inputs={}, options={}, plugins=[], seed=0).read_text("utf-8")
    assert json.loads(text)["output"]["file"] == out.name and "\u00fc" in text
