"""Live: a file as the camera, frames dropped rather than late, motion without a look ahead."""

from __future__ import annotations

import itertools
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import cv2
import numpy as np
import pytest
from batch_media import FRAMES, make_media
from commands import Run
from dance_mediapipe.mask import MediaPipeMasker
from dance_mediapipe.pose import MediaPipePose
from hypothesis import given, settings
from hypothesis import strategies as st
from motion_puppet import bending, bones, puppet, swing, xy

from dancecli.composite import LiveCanvas
from dancecli.errors import MediaError
from dancecli.job import Job
from dancecli.live.camera import begun, frames_of
from dancecli.live.newest import Newest
from dancecli.live.running import Session
from dancecli.live.screens import Pipe
from dancecli.live.stage import LiveStage
from dancecli.media import VideoStream, read_photo
from dancecli.motion import LiveMotion
from dancecli.progress import Progress
from dancecli.stages import Settings
from dancecli.steps.framing import FEET, ends_above_ground, lowest_row
from dancecli.types import JOINT, SEEN, Frame, LabelMap, Skeleton, Target
from dancecli.workdir import WorkDir

PHOTO = (800, 700)
RATE = 25.0


def dance(*args: object, cwd: Path, **env: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "dancecli", "live", *map(str, args)],
        capture_output=True, cwd=cwd, timeout=600, env={**os.environ, **env},
    )  # fmt: skip


def test_a_photo_dances_as_a_file_played_at_its_own_rate(
    demo_photo: Path, demo_video: Path, tmp_path: Path
) -> None:
    make_media(tmp_path, demo_photo, demo_video)
    ran = dance("a.png", "--camera", "v.mp4", "--to", "rawvideo", "--size", "48x64",
                "--background", "#00ff00", "--json", cwd=tmp_path)  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    *events, summary = (json.loads(line) for line in ran.stderr.splitlines() if line[:1] == b"{")
    assert events[0] == {"event": "size", "width": 48, "height": 64}
    assert summary["frames"] == FRAMES
    assert summary["shown"] + summary["dropped"] + summary["unseen"] == FRAMES
    assert summary["shown"] >= 1
    assert summary["seconds"] >= (FRAMES - 1) / 10
    assert 0 < summary["latency_ms"]["p50"] <= summary["latency_ms"]["p95"]
    frames = np.frombuffer(ran.stdout, np.uint8).reshape(-1, 64, 48, 3).astype(int)
    assert len(frames) == 1 + summary["shown"]  # the first is the photo's own pose
    green = (frames[..., 1] > 200) & (frames[..., 0] < 80)
    shares = 1 - green.mean((1, 2))
    assert (shares > 0.02).all() and (shares < 0.6).all()
    assert (np.abs(frames[-1] - frames[0]).max(-1) > 40).mean() > 0.01


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("--to", "rawvideo", "--camera", "no.mp4"), 1, "no.mp4 does not exist"),
        (("--to", "rawvideo", "--camera", "0", "-o", "old"), 1, "--force"),
        (("--to", "rawvideo", "--camera", "0", "--size", "driving"), 2, "--size driving"),
        (("--to", "rawvideo", "--camera", "0", "--background", "driving"), 2, "dance reenact"),
        (("--camera", "0"), 2, "--to rawvideo"),
        (("--to", "window", "--camera", "0", "-o", "new"), 2, "-o new: only raw video goes to a"),
    ],
)
def test_what_cannot_be_shown_is_refused_before_the_camera_opens(
    demo_photo: Path, tmp_path: Path, args: tuple[str, ...], code: int, says: str
) -> None:
    if "--to" not in args and not sys.platform.startswith("linux"):
        pytest.skip("there is a display")
    (tmp_path / "old").write_bytes(b"mine")
    ran = dance(demo_photo, *args, cwd=tmp_path, DISPLAY="", WAYLAND_DISPLAY="")
    assert ran.returncode == code, ran.stderr
    assert says in ran.stderr.decode().splitlines()[-1]
    assert (ran.stdout, (tmp_path / "old").read_bytes()) == (b"", b"mine")


@pytest.mark.parametrize("camera", ["97", "tcp://127.0.0.1:1"])
def test_a_camera_that_is_not_there_is_named(camera: str) -> None:
    with pytest.raises(MediaError, match=camera):
        next(frames_of(camera))


def test_a_stream_is_watched_by_its_address(
    demo_photo: Path, demo_video: Path, tmp_path: Path
) -> None:
    make_media(tmp_path, demo_photo, demo_video)
    with av.open(str(tmp_path / "v.mp4")) as file, av.open(str(tmp_path / "v.ts"), "w") as stream:
        track = stream.add_stream_from_template(file.streams.video[0])
        for packet in file.demux(video=0):
            if packet.size:
                packet.stream = track
                stream.mux(packet)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with server.accept()[0] as reader:
                reader.sendall((tmp_path / "v.ts").read_bytes())

        threading.Thread(target=serve, daemon=True).start()
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        frames = list(frames_of(address))
    assert len(frames) == FRAMES
    times = [frame.time for frame in frames]
    assert times == sorted(times) and frames[0].rgb.std() > 10


@pytest.mark.parametrize("damage", ["noise", "half", "nothing"])
def test_a_damaged_picture_of_a_camera_is_skipped(
    demo_photo: Path, demo_video: Path, tmp_path: Path, damage: str
) -> None:
    shots = []
    for frame in itertools.islice(VideoStream(demo_video, max_side=160).frames(), 12):
        shots.append(cv2.imencode(".jpg", frame.rgb)[1].tobytes())
    noise = np.random.default_rng(3).integers(0, 256, 400, dtype=np.uint8).tobytes()
    shots[6] = {"noise": noise, "half": shots[6][:30], "nothing": b""}[damage]
    head = "--shot\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n"
    stream = (
        b"".join(head.format(len(shot)).encode() + shot + b"\r\n" for shot in shots)
        + b"--shot--\r\n"
    )

    class Camera(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=shot")
            self.end_headers()
            self.wfile.write(stream)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Camera) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        seen = []
        with suppress(MediaError):  # the connection ends
            for frame in frames_of(f"http://127.0.0.1:{server.server_port}/cam"):
                seen.append(frame)
    assert len(seen) >= 10


def test_a_file_s_frames_come_when_their_time_has_come(demo_video: Path) -> None:
    frames, began = frames_of(str(demo_video)), time.monotonic()
    for _ in range(10):
        frame = next(frames)
        assert time.monotonic() - began >= frame.time - 0.05
    assert frame.time == pytest.approx(0.3)
    assert max(frame.width, frame.height) <= 640


@given(st.lists(st.booleans(), max_size=40))
def test_the_newest_wins_and_nothing_is_lost_uncounted(taken: list[bool]) -> None:
    queue, got = Newest[int](), list[int]()
    items = iter(queue)
    for number, take in enumerate(taken):
        assert queue.put(number)
        if take:
            got.append(next(items))
            assert got[-1] == number
    queue.close()
    got += list(items)
    assert len(got) + queue.dropped == len(taken)
    assert not taken or got[-1] == len(taken) - 1
    assert not queue.put(99)


def test_an_error_of_the_camera_reaches_who_waits() -> None:
    def camera() -> Iterator[int]:
        yield 1
        raise MediaError("unplugged")

    queue = Newest[int]()
    queue.filled_by(camera()).join(10)
    items = iter(queue)
    assert next(items) == 1
    with pytest.raises(MediaError, match="unplugged"):
        next(items)


def target() -> Skeleton:
    return puppet(bones(500), foot=(400, 650))


def danced(clip: list[Skeleton | None], smooth: float = 1.0) -> list[Skeleton | None]:
    motion = LiveMotion(target(), PHOTO, smooth=smooth)
    return [motion.step(skeleton, n / RATE) for n, skeleton in enumerate(clip)]


def points(skeletons: list[Skeleton | None]) -> np.ndarray:
    return np.stack([s.points() for s in skeletons if s is not None])


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000), st.floats(200, 800))
def test_bones_point_as_the_dancer_s_and_have_the_target_s_size(seed: int, height: float) -> None:
    clip = [puppet(bones(height), angles) for angles in swing(40, seed)]
    out = danced(list(clip), smooth=0)
    for name in ("elbow", "knee"):
        ends = {"elbow": "shoulder", "knee": "hip"}[name]
        mine, theirs = (
            xy(skeletons, f"left_{name}") - xy(skeletons, f"left_{ends}")
            for skeletons in (tuple(out), tuple(clip))
        )
        lengths = np.linalg.norm(mine, axis=1), np.linalg.norm(theirs, axis=1)
        cos = (mine * theirs).sum(1) / lengths[0] / lengths[1]
        assert np.degrees(np.arccos(np.clip(cos, -1, 1))).max() < 3
        assert np.median(lengths[0] / lengths[1]) == pytest.approx(500 / height, rel=0.05)


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 59))
def test_no_frame_depends_on_a_later_one(seed: int, cut: int) -> None:
    clip: list[Skeleton | None] = [puppet(bones(300), angles) for angles in swing(60, seed)]
    other: list[Skeleton | None] = [*clip[:cut], *[puppet(bones(300))] * (60 - cut)]
    assert np.array_equal(points(danced(clip))[:cut], points(danced(other))[:cut])


def test_the_head_stays_in_a_photo_too_narrow_for_the_dance() -> None:
    motion = LiveMotion(puppet(bones(500), foot=(130, 900)), (220, 1000))
    made = [motion.step(skeleton, n / RATE) for n, skeleton in enumerate(bending(100))]
    heads = np.stack([s.body[[0, 15, 16, 17, 18], 0] for s in made if s is not None])
    assert heads.min() >= 0 and heads.max() <= 220


def test_a_head_that_rises_out_of_a_photo_without_feet_is_lowered() -> None:
    """The dancer begins in a squat; the photo is cut off at the waist."""
    whole = puppet(bones(500), foot=(400, 690))
    body = whole.body.copy()
    body[body[:, 1] > 560, 2] = 0
    live = LiveMotion(replace(whole, body=body), PHOTO)
    noses = []
    for t in range(200):
        low = 120 * max(0.0, 1 - max(0, t - 60) / 40)
        dancer = puppet(bones(300), foot=(400, 900 + low))
        danced = live.step(dancer, t / RATE)
        assert danced is not None
        noses.append(float(danced.joint("nose")[1]))
    assert min(noses[150:]) > 0 and np.abs(np.diff(noses[60:])).max() < 40


def test_a_head_lowered_for_a_jump_comes_up_again() -> None:
    whole = puppet(bones(500), foot=(400, 620))
    body = whole.body.copy()
    body[body[:, 1] > 500, 2] = 0
    live, noses = LiveMotion(replace(whole, body=body), PHOTO), []
    for t in range(400):
        up = 100 * np.sin(np.pi * (t - 80) / 12) if 80 <= t < 92 else 0.0
        danced = live.step(puppet(bones(300), foot=(400, 900 - up)), t / RATE)
        assert danced is not None
        noses.append(float(danced.joint("nose")[1]))
    assert max(noses[92:110]) > noses[70] + 5
    assert abs(noses[-1] - noses[70]) < 3


def test_who_stands_still_stands_where_the_target_stood() -> None:
    noise = np.random.default_rng(0)
    clip: list[Skeleton | None] = []
    for _ in range(80):
        skeleton = puppet(bones(300), foot=(700, 800))
        skeleton.body[:, :2] += noise.normal(0, 0.6, (25, 2)).astype(np.float32)
        clip.append(skeleton)
    out = points(danced(clip))
    wanted = target().points()
    seen = wanted[:, 2] >= SEEN
    away = np.linalg.norm(out[-40:, seen, :2] - wanted[None, seen, :2], axis=-1)
    assert np.median(away) < 0.02 * 500
    raw = np.stack([s.body[:, :2] for s in clip if s])[-40:] * 500 / 300
    assert out[-40:, :25, :2].std(0).mean() < 0.8 * raw.std(0).mean()


def test_who_comes_nearer_grows_and_who_is_lost_is_held() -> None:
    def at(share: float) -> Skeleton:
        size = 300 * (1 + share)
        world = np.zeros((25, 3), np.float32)
        flat = puppet(bones(1.7), foot=(0, 0)).body
        world[:, :2] = flat[:, :2]
        skeleton = puppet(bones(size), foot=(500, 800 + 100 * share))
        return Skeleton(skeleton.body, world=world)

    clip: list[Skeleton | None] = [None, *[at(0)] * 40, *[at(0.5)] * 60, None, None]
    out = danced(clip)
    assert out[0] is None
    assert out[-1] is out[-3]
    tall = [np.ptp(s.points()[:25, 1]) for s in out if s is not None]
    assert tall[39] == pytest.approx(500, rel=0.1)
    assert 1.3 < tall[-1] / tall[39] < 1.6


@pytest.mark.parametrize(("tall", "out"), [(500, (320, 180)), (700, (384, 216)), (160, (320, 180))])
def test_a_live_close_up_is_painted_as_finely_as_the_output(
    tall: float, out: tuple[int, int]
) -> None:
    canvas = LiveCanvas(tall, (512, 320), out, scalable=True)
    feet = out[1] - 10 if tall < out[1] else out[1] + tall / 2
    clip = [puppet(bones(tall), angles, foot=(out[0] / 2, feet)) for angles in swing(40, 1)]
    assert max(canvas.step(skeleton).scale for skeleton in clip) <= 1.3


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.floats(100, 400))
def test_a_live_canvas_holds_every_pose_and_moves_no_faster_than_it_must(
    seed: int, height: float
) -> None:
    canvas = LiveCanvas(height, (512, 320), (640, 480))
    clip = [puppet(bones(height), angles, foot=(320, 400)) for angles in swing(40, seed)]
    made = [canvas.step(skeleton) for skeleton in clip]
    for skeleton, each in zip(clip, made, strict=True):
        inside = each.from_frame(skeleton).body[:, :2]
        assert (inside > -1).all() and (inside < [321, 513]).all()
        assert (each.width, each.height) == (320, 512)
    shrinking = [b.scale / a.scale for a, b in pairwise(made)]
    assert min(shrinking) > 0.8


@pytest.fixture(scope="module")
def portrait(demo_photo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's person down to the chest, 516x344."""
    path = tmp_path_factory.mktemp("portrait") / "portrait.png"
    cv2.imwrite(str(path), read_photo(demo_photo).rgb[12:356, 124:640, ::-1])
    return path


def at_rest(portrait: Path, folder: Path, **options: str) -> np.ndarray:
    job = Job(portrait, folder / "none.mp4", folder / "none.mov", **options)
    return LiveStage(job, WorkDir(folder / "work")).at_rest()


def test_at_rest_a_portrait_is_as_it_was_photographed(portrait: Path, tmp_path: Path) -> None:
    rest = at_rest(portrait, tmp_path, size="516x344").astype(int)
    off = np.abs(rest - read_photo(portrait).rgb).mean(-1)
    assert off[:335].mean() < 5
    assert off[250:335, 200:300].mean() < 25


def test_on_another_ground_a_portrait_is_cut_off_where_it_was(
    portrait: Path, tmp_path: Path
) -> None:
    rest = at_rest(portrait, tmp_path, size="320x240", background="#00ff00").astype(int)
    person = np.abs(rest - (0, 255, 0)).sum(-1) > 120
    columns = np.flatnonzero(person[180:236].all(0))
    assert len(columns) > 60  # from the chest down to the lower edge, nothing shines through
    assert abs(np.flatnonzero(person.any(0)).mean() - 160) < 25
    assert 0.2 < person.mean() < 0.7


def test_on_another_ground_all_that_a_photo_shows_is_seen(demo_photo: Path) -> None:
    """Feet hidden by a gown: no foot is seen, yet the silhouette goes down to the ground."""
    frame = read_photo(demo_photo)
    pose, mask = MediaPipePose(Settings()), MediaPipeMasker(Settings())
    skeleton = pose.extract(frame)[0]
    body = skeleton.body.copy()
    body[[row for name, row in JOINT.items() if name in FEET], 2] = 0
    hidden = replace(skeleton, body=body)
    nothing = LabelMap(np.zeros((frame.height, frame.width), np.uint8))
    whole = Target(frame, mask.mask(frame, skeleton), nothing, hidden)
    assert not ends_above_ground(whole)
    cut = replace(whole.mask, alpha=whole.mask.alpha * (np.arange(frame.height) < 600)[:, None])
    assert (
        ends_above_ground(replace(whole, mask=cut)) and lowest_row(replace(whole, mask=cut)) <= 600
    )


@pytest.mark.parametrize(
    ("out", "says"),
    [
        ("none/x.rgb", "does not exist: create it"),
        (".", "is a folder"),
        ("v.mp4", "v.mp4 is an input: writing it would destroy it; rename FILE"),
        ("a.jpg", "a.jpg is an input"),
        ("link.rgb", "link.rgb is an input"),
    ],
)
def test_raw_video_goes_over_nothing_that_is_read(
    run: Run, demo_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    out: str, says: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    for name in ("a.jpg", "b.jpg"):
        Path(name).write_bytes(b"mine")
    Path("v.mp4").write_bytes(demo_video.read_bytes())
    Path("link.rgb").symlink_to("b.jpg")
    ran = run("live", "a.jpg", "--camera", "v.mp4", "--background", "b.jpg",
              "--to", "rawvideo", "-o", out, "--force")  # fmt: skip
    assert ran.code == 1 and says in ran.err and len(ran.err.splitlines()) == 1
    assert Path("v.mp4").read_bytes() == demo_video.read_bytes()
    assert Path("a.jpg").read_bytes() == Path("b.jpg").read_bytes() == b"mine"


def test_where_no_camera_opens_nothing_is_written(tmp_path: Path) -> None:
    def gone() -> Iterator[Frame]:
        raise MediaError("unplugged")
        yield

    out, still = tmp_path / "x.rgb", np.zeros((4, 4, 3), np.uint8)
    stage: Any = SimpleNamespace(
        stages=SimpleNamespace(pose=SimpleNamespace(extract=lambda _: [])),
        target=SimpleNamespace(frame=None), motion=lambda: None, at_rest=lambda: still,
    )  # fmt: skip
    session = Session(stage, "largest", Progress("quiet"))
    with pytest.raises(MediaError, match="unplugged"):
        session.run(gone(), [Pipe(lambda: out.open("wb"))])
    assert not out.exists()


def test_no_frame_is_lost_by_asking_whether_there_is_one() -> None:
    frames = [Frame(np.full((2, 2, 3), n, np.uint8), n) for n in range(3)]
    assert [frame.index for frame in begun(iter(frames))] == [0, 1, 2]
    assert not list(begun(iter([])))


def test_what_is_no_time_is_no_end(run: Run) -> None:
    ran = run("live", "a.jpg", "--camera", "0", "--seconds", "nan")
    assert ran.code == 2 and "is not a finite number" in ran.err


@pytest.mark.skipif(sys.platform == "win32", reason="descriptors are closed by the shell")
def test_raw_video_to_a_closed_stdout_is_refused(demo_photo: Path, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "dancecli", "live", str(demo_photo), "--camera", "0", "--to"]
    ran = subprocess.run(
        ["sh", "-c", '"$@" >&-', "sh", *words, "rawvideo"], capture_output=True, cwd=tmp_path,
        timeout=300, check=False,
    )  # fmt: skip
    assert ran.returncode == 2
    assert b"raw video goes to stdout, which is closed" in ran.stderr.splitlines()[-1]


def test_of_a_camera_that_is_not_there_stderr_holds_json_alone(
    demo_photo: Path, shared_cache: dict[str, str], tmp_path: Path
) -> None:
    ran = dance(demo_photo, "--camera", "97", "--to", "rawvideo", "-o", "x.rgb", "--backend",
                "posewarp", "--json", cwd=tmp_path, **shared_cache)  # fmt: skip
    events = [json.loads(line) for line in ran.stderr.splitlines()]
    assert ran.returncode == 1 and "camera 97 cannot be opened" in events[-1]["text"]
