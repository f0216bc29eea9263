"""What a chosen plugin lacks is said before any work, whichever command it was chosen for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from batch_media import write_rows
from commands import Run


@pytest.fixture(scope="module")
def table(demo_photo: Path, demo_video: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("table")
    return write_rows(
        folder / "jobs.csv", {"photo": demo_photo, "video": demo_video, "output": "o.mp4"}
    )


@pytest.mark.parametrize(
    ("options", "module", "says"),
    [
        (["--inpaint", "lama"], None, "dance weights fetch lama"),
        (["--pose", "rtmpose"], "rtmlib", "'rtmpose' needs rtmlib"),
        (["--parser", "schp-lip"], None, "dance weights fetch schp_lip"),
        (["--weights", "nope"], None, "no trained weights called 'nope'"),
    ],
)
@pytest.mark.parametrize(
    "command",
    [
        ["reenact", "PHOTO", "VIDEO", "-o", "o.mp4"],
        ["reenact", "PHOTO", "VIDEO", "-o", "o.mp4", "--dry-run"],
        ["batch", "TABLE", "--dry-run"],
    ],
)
def test_what_a_chosen_plugin_lacks_is_said_before_any_work(
    run: Run, demo_photo: Path, demo_video: Path, table: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, command: list[str], options: list[str], module: str | None,
    says: str,
) -> None:  # fmt: skip
    if module:
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setenv("DANCE_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.chdir(tmp_path)
    named = {"PHOTO": demo_photo, "VIDEO": demo_video, "TABLE": table}
    ran = run(*(named.get(word, word) for word in command), *options, "--work-dir", "work")
    assert ran.code == (2 if command[0] == "batch" else 1)
    assert says in ran.err and "frames/s" not in ran.err
    assert not list(tmp_path.rglob("*.jsonl")) and not list(tmp_path.glob("o.mp4*"))


@pytest.mark.parametrize(
    ("option", "module"),
    [(["--face-align", "fan"], "face_alignment"), (["--pose", "rtmpose"], "rtmlib")],
)
def test_what_refining_lacks_is_said_before_any_work(
    run: Run, demo_photo: Path, demo_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    option: list[str], module: str,
) -> None:  # fmt: skip
    monkeypatch.setitem(sys.modules, module, None)
    ran = run("refine-face", demo_video, "--photo", demo_photo, "-o", tmp_path / "o.mp4",
              "--work-dir", tmp_path / "work", *option)  # fmt: skip
    assert ran.code == 1
    assert f"'{option[1]}' needs {module}" in ran.err and "frames/s" not in ran.err
    assert not list(tmp_path.rglob("*.jsonl"))


def test_a_group_that_nothing_asks_for_is_not_built(
    run: Run, demo_photo: Path, demo_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Surface coordinates are for backends that read them."""
    monkeypatch.setenv("DANCE_WEIGHTS", str(tmp_path / "weights"))
    ran = run("reenact", demo_photo, demo_video, "-o", tmp_path / "o.mp4", "--dry-run",
              "--backend", "posewarp", "--dense", "densepose")  # fmt: skip
    assert ran.code == 0, ran.err
