"""What else `dance reenact` is asked for: portraits, previews, who is there, plans, to end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import av
import numpy as np
import pytest
from commands import Run
from motion_puppet import bones, puppet, track_of
from PIL import Image
from test_reenact import SECOND, dance, frames_of

from dancecli.media import VideoStream, probe
from dancecli.motion import write_poses
from dancecli.provenance import write_sidecar


def test_a_portrait_dances_with_arms_that_are_made_up_and_a_face_does_not(
    demo_photo: Path, demo_video: Path, shared_cache: dict[str, str], tmp_path: Path
) -> None:
    with Image.open(demo_photo) as photo:
        photo.crop((240, 60, 530, 340)).resize((580, 560)).save(tmp_path / "portrait.png")
        photo.crop((240, 100, 530, 230)).save(tmp_path / "face.png")
    run = partial(dance, "reenact", cwd=tmp_path, env=shared_cache)
    done = run("portrait.png", demo_video, *SECOND, "-o", "p.mp4", "--size", "290x280")
    assert done.returncode == 0, done.stderr
    assert "head and shoulders only" in done.stderr
    frames = frames_of(tmp_path / "p.mp4").astype(int)
    assert (np.abs(frames[-1] - frames[0]).max(-1) > 40).mean() > 0.01
    refused = run("face.png", demo_video, *SECOND, "-o", "f.mp4")
    assert refused.returncode == 1 and "shoulders at least" in refused.stderr.splitlines()[-1]


def test_a_preview_is_small_and_keeps_the_duration(
    demo_photo: Path, demo_video: Path, shared_cache: dict[str, str], tmp_path: Path
) -> None:
    done = dance(
        "reenact", demo_photo, demo_video, "-o", "p.gif", "--preview", "--background", "white",
        cwd=tmp_path, env=shared_cache,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    info = probe(tmp_path / "p.gif")
    assert max(info.width, info.height) <= 480
    assert 8 <= info.frames <= 32
    assert info.duration == pytest.approx(6.0, abs=0.5)


def test_list_people_writes_a_numbered_picture(
    demo_photo: Path, demo_video: Path, tmp_path: Path
) -> None:
    done = dance(
        "reenact", demo_photo, demo_video, "--list-people", "-o", "people.png", "--json",
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "picture": "people.png", "photo_people": 1, "video_people": 1,
    }  # fmt: skip
    assert (tmp_path / "people.png").stat().st_size > 10_000


def test_people_are_listed_as_a_run_with_the_same_start_counts_them(
    demo_photo: Path, demo_video: Path, tmp_path: Path
) -> None:
    with av.open(str(tmp_path / "late.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        dancer = next(VideoStream(demo_video, start=1, max_side=320).frames()).rgb
        stream.width, stream.height, stream.pix_fmt = dancer.shape[1], dancer.shape[0], "yuv420p"
        for n in range(10):
            shown = dancer if n == 7 else np.full_like(dancer, 128)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shown, "rgb24")))
        container.mux(stream.encode())
    found = {}
    for start in ("0", "0.8"):
        done = dance("reenact", demo_photo, "late.mp4", "--list-people", "-o", f"{start}.png",
                     "--start", start, "--json", cwd=tmp_path)  # fmt: skip
        assert done.returncode == 0, done.stderr
        found[start] = json.loads(done.stdout)["video_people"]
    assert found == {"0": 1, "0.8": 0}


def test_a_dry_run_says_the_plan_and_writes_nothing(
    demo_photo: Path, demo_video: Path, tmp_path: Path
) -> None:
    done = dance(
        "reenact", demo_photo, demo_video, "-o", "x.webm", "--dry-run", "--json", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert plan["out"] == {
        "path": "x.webm", "width": 768, "height": 1024, "fps": "30", "frames": 180, "audio": True,
    }  # fmt: skip
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_looks_at_given_poses_as_a_run_does(
    run: Run, demo_photo: Path, demo_video: Path, tmp_path: Path
) -> None:
    poses = tmp_path / "poses.json"
    plan = ("reenact", demo_photo, demo_video, "-o", tmp_path / "o.mp4", "--dry-run", "--poses",
            poses, "--work-dir", tmp_path / "work")  # fmt: skip
    poses.write_text("{bad")
    ran = run(*plan)
    assert ran.code == 1 and "poses.json: is not JSON" in ran.err and not ran.out
    write_poses(poses, replace(track_of([puppet(bones(400))] * 30), size=(768, 1024)))
    ran = run(*plan)
    assert ran.code == 2 and "it has 30 frames, the video as asked for 180" in ran.err
    ran = run(*plan, "--end", "1", "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["poses_known"] == 30


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["--start", "nan"], 2, "'nan' is not a finite number"),
        (["--dry-run"], 2, "--list-people makes no dance that --dry-run could plan"),
        (["--pose", "openpose", "--licence", "commercial"], 1, "--licence commercial refuses"),
        (["--mask", "nope"], 2, "called 'nope'"),
    ],
)
def test_listing_people_looks_at_the_other_options(
    run: Run, demo_photo: Path, demo_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    options: list[str], code: int, says: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    ran = run("reenact", demo_photo, demo_video, "--list-people", *options)
    (line,) = ran.err.splitlines()
    assert ran.code == code and says in line
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("option", "name"), [("-o", "mine"), ("--save-foreground", "mine.mov")]
)  # fmt: skip
def test_a_sidecar_takes_no_other_file_s_place_unasked(
    run: Run, demo_photo: Path, demo_video: Path, tmp_path: Path, option: str, name: str
) -> None:
    beside = tmp_path / f"{name}.json"
    beside.write_text('{"frames": "mended by hand"}')
    plan = ["reenact", demo_photo, demo_video, "-o", tmp_path / "o.mp4", option, tmp_path / name,
            "--work-dir", tmp_path / "work", "--dry-run"]  # fmt: skip
    ran = run(*plan)
    assert ran.code == 1 and f"{beside} exists, and the sidecar would replace it" in ran.err
    assert run(*plan, "--force").code == 0
    beside.unlink()
    (tmp_path / name).write_bytes(b"gone later")
    write_sidecar(tmp_path / name, inputs={}, options={}, plugins=(), seed=0)
    (tmp_path / name).unlink()
    assert run(*plan).code == 0, "what an earlier output left behind may go"
    beside.unlink()
    beside.mkdir()
    ran = run(*plan, "--force")
    assert ran.code == 1 and f"{beside} is a folder" in ran.err


@pytest.mark.parametrize("name", ["sheet.jpg", "sheet.mp4", "sheet"])
def test_a_contact_sheet_is_a_png(
    demo_photo: Path, demo_video: Path, tmp_path: Path, name: str
) -> None:
    done = dance(
        "reenact", demo_photo, demo_video, "-o", "out.mp4", "--contact-sheet", name, "--dry-run",
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 2
    assert f"--contact-sheet {name}: a contact sheet is a .png" in done.stderr.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to a child")
def test_interrupting_keeps_the_work_and_exits_130(
    demo_photo: Path, demo_video: Path, tmp_path: Path
) -> None:
    command = [
        sys.executable, "-m", "dancecli", "reenact", str(demo_photo), str(demo_video),
        "-o", "out.mp4", "--work-dir", "work",
    ]  # fmt: skip
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        work = tmp_path / "work"
        while process.poll() is None and not any(work.glob("driver/*/journal.jsonl")):
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in said
    assert "Traceback" not in said
    assert not (tmp_path / "out.mp4").exists()
    assert any((tmp_path / "work").glob("driver/*/journal.jsonl"))
