"""What the command says and returns when something is wrong, and how it behaves in general."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from commands import Ran, Run
from made_datasets import make_atr
from PIL import Image


def write_video(path: Path, frames: int, size: tuple[int, int] = (160, 120)) -> Path:
    """A video of drifting stripes: nobody in it."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for n in range(frames):
            row = ((np.arange(size[0]) + 4 * n) % 64 * 4).astype(np.uint8)
            rgb = np.broadcast_to(row[None, :, None], (size[1], size[0], 3)).copy()
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, "rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def stripes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("video") / "stripes.mp4", 12)


@pytest.fixture(scope="module")
def empty_picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photo") / "sky.png"
    shade = np.linspace(90, 200, 400).astype(np.uint8)
    Image.fromarray(np.repeat(np.repeat(shade[:, None, None], 300, 1), 3, 2)).save(path)
    return path


def one_error_line(ran: Ran) -> str:
    """The last line of stderr, after checking that the error is one line without a traceback."""
    lines = [line for line in ran.err.splitlines() if line.startswith("dance: error:")]
    assert len(lines) == 1, ran.err
    assert "Traceback" not in ran.err
    assert ran.err.rstrip().endswith(lines[0])
    return lines[0]


def test_help_answers_without_heavy_imports() -> None:
    code = (
        "import sys\nfrom dancecli.cli.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'torch', 'cv2', 'mediapipe', 'moviepy', 'av', 'numpy', 'scipy', 'PIL'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "reenact" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "command", ["reenact", "batch", "live", "composite", "plugins", "doctor", "cache"]
)
def test_every_command_has_help_with_examples(run: Run, command: str) -> None:
    ran = run(command, "--help")
    assert ran.code == 0
    assert f"dance {command}" in ran.out.split("Examples:")[1]


def test_version(run: Run) -> None:
    ran = run("--version")
    assert ran.code == 0
    assert ran.out.startswith("dance, version ")


def test_a_misspelt_command_names_the_nearest(run: Run) -> None:
    ran = run("reenactt")
    assert ran.code == 2
    assert "did you mean 'reenact'?" in one_error_line(ran)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script(run: Run, shell: str) -> None:
    ran = run("completion", shell)
    assert ran.code == 0
    assert "_DANCE_COMPLETE" in ran.out


def test_missing_photo(run: Run, demo_video: Path, tmp_path: Path) -> None:
    ran = run("reenact", tmp_path / "none.jpg", demo_video, "-o", tmp_path / "o.mp4")
    assert ran.code == 1
    assert "none.jpg" in one_error_line(ran)


def test_missing_video(run: Run, demo_photo: Path, tmp_path: Path) -> None:
    ran = run("reenact", demo_photo, tmp_path / "none.mp4", "-o", tmp_path / "o.mp4")
    assert ran.code == 1
    assert "none.mp4" in one_error_line(ran)


def test_a_folder_as_photo(run: Run, demo_video: Path, tmp_path: Path) -> None:
    ran = run("reenact", tmp_path, demo_video, "-o", tmp_path / "o.mp4")
    assert ran.code == 1
    assert "folder" in one_error_line(ran)


def test_a_text_as_photo(run: Run, demo_video: Path, tmp_path: Path) -> None:
    (tmp_path / "p.jpg").write_text("this is no picture")
    ran = run("reenact", tmp_path / "p.jpg", demo_video, "-o", tmp_path / "o.mp4")
    assert ran.code == 1
    assert "p.jpg" in one_error_line(ran)


def test_a_truncated_photo(run: Run, demo_photo: Path, demo_video: Path, tmp_path: Path) -> None:
    (tmp_path / "p.jpg").write_bytes(demo_photo.read_bytes()[:20_000])
    ran = run("reenact", tmp_path / "p.jpg", demo_video, "-o", tmp_path / "o.mp4")
    assert ran.code == 1
    assert "p.jpg" in one_error_line(ran)


def test_a_text_as_video(run: Run, demo_photo: Path, tmp_path: Path) -> None:
    (tmp_path / "v.mp4").write_text("this is no video")
    ran = run("reenact", demo_photo, tmp_path / "v.mp4", "-o", tmp_path / "o.mp4")
    assert ran.code == 1
    assert "v.mp4" in one_error_line(ran)


def test_a_photo_without_a_person(
    run: Run, empty_picture: Path, demo_video: Path, tmp_path: Path
) -> None:
    ran = run("reenact", empty_picture, demo_video, "-o", tmp_path / "o.mp4")
    assert ran.code == 1
    assert "no person found" in one_error_line(ran)
    assert not (tmp_path / "o.mp4").exists()


def test_a_video_without_a_person(
    run: Run, demo_photo: Path, stripes: Path, tmp_path: Path
) -> None:
    ran = run("reenact", demo_photo, stripes, "-o", tmp_path / "o.mp4")
    assert ran.code == 1
    assert "12 frames" in one_error_line(ran)


def test_a_face_is_not_enough(run: Run, demo_photo: Path, demo_video: Path, tmp_path: Path) -> None:
    with Image.open(demo_photo) as photo:
        photo.crop((300, 90, 440, 240)).resize((560, 600)).save(tmp_path / "face.png")
    ran = run("reenact", tmp_path / "face.png", demo_video, "-o", tmp_path / "o.mp4")
    assert ran.code == 1
    assert "face.png" in one_error_line(ran)


def test_an_existing_output_is_refused_and_left_alone(
    run: Run, demo_photo: Path, demo_video: Path, tmp_path: Path
) -> None:
    (tmp_path / "o.mp4").write_bytes(b"mine")
    ran = run("reenact", demo_photo, demo_video, "-o", tmp_path / "o.mp4")
    assert ran.code == 1
    assert "--force" in one_error_line(ran)
    assert (tmp_path / "o.mp4").read_bytes() == b"mine"


def test_a_missing_output_folder(
    run: Run, demo_photo: Path, demo_video: Path, tmp_path: Path
) -> None:
    ran = run("reenact", demo_photo, demo_video, "-o", tmp_path / "no" / "o.mp4")
    assert ran.code == 1
    assert "does not exist" in one_error_line(ran)


def test_an_unknown_extension_names_the_valid_ones(
    run: Run, demo_photo: Path, demo_video: Path, tmp_path: Path
) -> None:
    ran = run("reenact", demo_photo, demo_video, "-o", tmp_path / "o.xyz")
    assert ran.code == 2
    assert ".mp4, .mov, .webm, .gif" in one_error_line(ran)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--backend", "posewrap"], "did you mean 'posewarp'"),
        (["--background", "nowhere.jpg"], "no such file"),
        (["--background", "blurple"], "neither a colour nor a file"),
        (["--size", "huge"], "WxH"),
        (["--place", "1,2"], "X,Y,HEIGHT"),
        (["--person", "nobody"], "--list-people"),
        (["--start", "3", "--end", "2"], "--end"),
        (["--smooth", "-1"], "--smooth"),
        (["--save-foreground", "fg.mp4"], "needs alpha; use .mov, .webm or .gif (a folder of PNG"),
        (["--no-such-option"], "--no-such-option"),
        (["--end", "inf"], "--end"),
        (["--shadow", "nan"], "--shadow"),
        (["--person", "²"], "--list-people"),
        (["--contact-sheet", "s.png", "--save-foreground", "./o.mov"], "written twice"),
    ],
)
@pytest.mark.parametrize("dry", [["--dry-run"], []])
def test_a_wrong_option_is_a_usage_error_before_any_work(
    run: Run, demo_photo: Path, demo_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    options: list[str], dry: list[str], says: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    ran = run("reenact", demo_photo, demo_video, "-o", "o.mov", "--preview", *dry, *options)
    assert ran.code == 2
    assert says in one_error_line(ran)
    assert "frames/s" not in ran.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["-o", "bg.mp4", "--background", "bg.mp4", "-f"], "is an input"),
        (["-o", "o.mov", "--save-foreground", "bg.mp4", "--background", "bg.mp4"], "alpha"),
        (["-o", "o.mov", "--save-foreground", "o.mov"], "written twice"),
        (["-o", "o.mp4", "--poses", "nowhere/p.json"], "nowhere"),
        (["-o", "."], "no name"),
        (["-o", "踊" * 80 + ".mp4"], "too long"),
    ],
)
def test_outputs_that_cannot_be_or_would_destroy_an_input_are_refused(
    run: Run, demo_photo: Path, demo_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    options: list[str], says: str,
) -> None:  # fmt: skip
    work = tmp_path / "here"
    work.mkdir()
    monkeypatch.chdir(work)
    if "bg.mp4" in options:
        write_video(work / "bg.mp4", 3)
    before = {path: path.read_bytes() for path in work.iterdir()}
    ran = run("reenact", demo_photo, demo_video, *options)
    assert ran.code in (1, 2)
    assert says in one_error_line(ran)
    assert {path: path.read_bytes() for path in work.iterdir()} == before


def test_a_config_may_hold_the_tables_of_several_commands(
    run: Run, demo_photo: Path, demo_video: Path, tmp_path: Path
) -> None:
    config = tmp_path / "dance.toml"
    config.write_text('[live]\nmirror = true\n[reenact]\nsize = "64x64"\n')
    inputs = (demo_photo, demo_video, "-o", tmp_path / "o.mp4", "--dry-run", "--json")
    ran = run("reenact", *inputs, "--config", config)
    assert json.loads(ran.out)["out"]["width"] == 64
    config.write_text('background = "white"\n[live]\nmirror = true\n')
    ran = run("reenact", *inputs, "--config", config)
    assert json.loads(ran.out)["background"] == "white"
    config.write_text("reenact = 3\n")
    ran = run("reenact", *inputs[:-1], "--config", config)
    assert ran.code == 2 and "[reenact]" in one_error_line(ran)


def test_a_start_past_the_end(run: Run, demo_photo: Path, demo_video: Path, tmp_path: Path) -> None:
    ran = run("reenact", demo_photo, demo_video, "-o", tmp_path / "o.mp4", "--start", "99")
    assert ran.code == 2
    assert "99" in one_error_line(ran)


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_a_device_that_is_not_here_is_refused_naming_those_that_are(
    run: Run, demo_photo: Path, demo_video: Path, tmp_path: Path, device: str
) -> None:
    from dancecli.device import available

    if any(name.startswith(device) for name in available()):
        pytest.skip(f"this machine has {device}")
    out = tmp_path / "o.mp4"
    ran = run("reenact", demo_photo, demo_video, "-o", out, "--dry-run", "--device", device)
    assert ran.code == 2
    assert "cpu" in one_error_line(ran)


def test_config_sets_defaults_and_the_command_line_wins(
    run: Run, demo_photo: Path, demo_video: Path, tmp_path: Path
) -> None:
    (tmp_path / "dance.toml").write_text('background = "white"\nno-audio = true\nsize = "64x64"\n')
    inputs = (demo_photo, demo_video, "-o", tmp_path / "o.mp4", "--dry-run", "--json")
    ran = run("reenact", *inputs, "--config", tmp_path / "dance.toml", "--size", "80x90")
    assert ran.code == 0, ran.err
    plan = json.loads(ran.out)
    assert plan["background"] == "white"
    assert plan["out"]["audio"] is False
    assert (plan["out"]["width"], plan["out"]["height"]) == (80, 90)


@pytest.mark.parametrize(
    ("text", "says"),
    [("backgroud = 'white'", "did you mean 'background'"), ("= 3", "not TOML"), (None, "No such")],
)
def test_a_wrong_config_is_a_usage_error(
    run: Run, demo_photo: Path, demo_video: Path, tmp_path: Path, text: str | None, says: str
) -> None:
    path = tmp_path / "dance.toml"
    if text is not None:
        path.write_text(text)
    ran = run("reenact", demo_photo, demo_video, "--config", path, "--dry-run")
    assert ran.code == 2
    assert says in one_error_line(ran)


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on file size")
def test_a_full_disk_is_one_line_and_leaves_nothing_half_written(
    demo_photo: Path, demo_video: Path, tmp_path: Path
) -> None:
    # A limit on the size of files stands for a disk without room.
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))\n"
        "from dancecli.cli.main import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "reenact", str(demo_photo), str(demo_video), "-o", "o.mp4",
         "--start", "1", "--end", "1.5"],
        capture_output=True, text=True, cwd=tmp_path, timeout=300,
    )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "error:" in done.stderr.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on file size")
def test_no_room_is_told_with_its_reason(stripes: Path, tmp_path: Path) -> None:
    """A quota and a limit on files are no bugs either."""
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "from dancecli.cli.main import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "evaluate", "--study", f"A={stripes}",
         "--study", f"B={stripes}", "-o", "study"],
        capture_output=True, text=True, cwd=tmp_path, timeout=300,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("dance: error: no room to write study/study.html: File too large")
    assert "raise the limit" in done.stderr and done.stderr.count("\n") == 1
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "dancecli", "weights", "path"], stdout=full,
            stderr=subprocess.PIPE, text=True, cwd=tmp_path, timeout=300,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("dance: error: no room to write: No space left on device; free")
    assert done.stderr.count("\n") == 1


def test_cache_clean_frees_what_runs_left(run: Run, own_cache: Path) -> None:
    from dancecli.workdir import WorkDir

    WorkDir().entry("driver", {"k": 1}).journal().append([1, 2, 3])
    assert "1 entries" in run("cache", "list").out
    assert run("cache", "clean", "--older-than", "1").out.startswith("removed 0 entries")
    assert run("cache", "clean").out.startswith("removed 1 entries")
    assert json.loads(run("cache", "list", "--json").out)["entries"] == []


def test_doctor_finds_this_installation_healthy(run: Run) -> None:
    ran = run("doctor", "--json")
    findings = {f["topic"]: f for f in json.loads(ran.out)}
    assert findings["mediapipe"]["ok"]
    assert findings["video encoders"]["ok"]
    assert ran.code == 0, ran.err


def test_a_config_s_loose_options_hold_for_all_commands_and_tables_win(
    run: Run, demo_photo: Path, demo_video: Path, tmp_path: Path
) -> None:
    config = tmp_path / "dance.toml"
    config.write_text(
        'background = "white"\nsize = "64x64"\n[reenact]\nsize = "80x90"\n[video]\nframes = 3\n'
    )
    inputs = (demo_photo, demo_video, "-o", tmp_path / "o.mp4", "--dry-run", "--config", config)
    plan = json.loads(run("reenact", *inputs, "--json").out)
    assert (plan["background"], plan["out"]["width"]) == ("white", 80)
    for wrong in ('backgroud = "white"\n[reenact]\n', "[reenct]\n"):
        config.write_text(wrong)
        ran = run("reenact", *inputs)
        assert ran.code == 2 and "no option is called" in one_error_line(ran)


def test_a_config_s_table_of_a_group_holds_for_the_commands_in_it(run: Run, tmp_path: Path) -> None:
    make_atr(tmp_path)
    config = tmp_path / "dance.toml"
    config.write_text(
        "[prepare-data]\ncheck = true\nas-json = false\n[atr]\nas-json = true\n[mhp]\npeople = 1\n"
    )
    ran = run("prepare-data", "atr", tmp_path, "--config", config)
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["people"] > 0
    config.write_text("prepare-data = 3\n")
    ran = run("prepare-data", "atr", tmp_path, "--config", config)
    assert ran.code == 2 and "[prepare-data]" in one_error_line(ran)


def test_messages_are_json_lines_where_asked_for(
    demo_photo: Path, demo_video: Path, tmp_path: Path
) -> None:
    (tmp_path / "poses.json").write_text("{}")  # what ends the run, soon after the warning

    def said(*options: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-m", "dancecli", "reenact", str(demo_photo), str(demo_video),
             "-o", "o.mp4", "--backend", "posewarp", "--parser", "heuristic", "--weights", "w",
             "--poses", "poses.json", *options],
            capture_output=True, text=True, cwd=tmp_path, timeout=300,
        )  # fmt: skip
        assert done.returncode == 1, done.stderr
        return done.stderr.splitlines()

    warning, error = (json.loads(line) for line in said("--json"))
    assert (warning["event"], error["event"]) == ("message", "error")
    assert warning["level"] == "warning" and "--weights w is not used" in warning["text"]
    assert f"dance: {warning['text']}" in said()


def test_warnings_of_libraries_are_json_lines_too() -> None:
    code = (
        "import warnings; from dancecli.progress import log_to_stderr\n"
        "log_to_stderr(as_json=True); warnings.warn('of old age')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    (event,) = (json.loads(line) for line in done.stderr.splitlines())
    assert event["event"] == "message" and "of old age" in event["text"]


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("none.jpg",), 1, "photo none.jpg does not exist"),
        ((".", "--smooth", "-1"), 2, "--smooth"),
        ((".", "--no-such-option"), 2, "--no-such-option"),
    ],
)
def test_the_error_is_a_json_line_where_asked_for(
    run: Run, demo_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    args: tuple[str, ...], code: int, says: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    ran = run("reenact", *args, demo_video, "-o", "o.mp4", "--json")
    (last,) = (json.loads(line) for line in ran.err.splitlines())
    assert ran.code == code and says in last.pop("text")
    assert last == {"event": "error", "exit_code": code}


def test_a_config_may_ask_for_json(run: Run, demo_video: Path, tmp_path: Path) -> None:
    (tmp_path / "dance.toml").write_text("as-json = true\n")
    ran = run("reenact", "none.jpg", demo_video, "-o", "o.mp4", "--config", tmp_path / "dance.toml")
    assert json.loads(ran.err)["event"] == "error"
