"""How a command ends that failed or was stopped: what it says last, and its exit code."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from commands import Run


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["none.jpg"], 1, "photo none.jpg does not exist"),
        ([".", "--smooth", "-1"], 2, "--smooth"),
        ([".", "--background", "blurple"], 2, "neither a colour nor a file"),
    ],
)
@pytest.mark.parametrize("how", ["option", "variable"])
def test_debug_shows_where_and_ends_as_without_it(
    run: Run, demo_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    args: list[str], code: int, says: str, how: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    debug = ["--debug"] if how == "option" else []
    if how == "variable":
        monkeypatch.setenv("DANCE_DEBUG", "1")
    ran = run("reenact", *args, demo_video, "-o", "o.mp4", *debug)
    lines = ran.err.splitlines()
    assert ran.code == code
    assert lines[0].startswith("Traceback")
    assert lines[-1].startswith("dance: error:") and says in lines[-1]
    ran = run("reenact", *args, demo_video, "-o", "o.mp4", *debug, "--json")
    first, last = (json.loads(line) for line in ran.err.splitlines())
    assert first["level"] == "debug" and "Traceback" in first["text"]
    assert (ran.code, last["event"], last["exit_code"]) == (code, "error", code)
    assert says in last["text"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs named pipes")
@pytest.mark.parametrize("debug", [[], ["--debug"]])
@pytest.mark.parametrize(
    "args", [["batch", "PIPE.csv"], ["reenact", "p.jpg", "v.mp4", "--config", "PIPE.csv"]]
)
def test_an_interrupt_is_one_event_and_its_own_exit_code(
    tmp_path: Path, args: list[str], debug: list[str]
) -> None:
    """Stopped while it reads from a pipe that nobody writes to."""
    os.mkfifo(tmp_path / "PIPE.csv")
    process = subprocess.Popen(
        [sys.executable, "-m", "dancecli", *args, "--json", *debug],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with (tmp_path / "PIPE.csv").open("w"):  # once it is there to read
        process.send_signal(signal.SIGINT)
    # The pipe is closed again: a signal that comes just before it reads does not wake it.
    out, err = process.communicate(timeout=60)
    events = [json.loads(line) for line in err.splitlines()]
    assert process.returncode == 130 and not out
    assert events[-1]["event"] == "error" and events[-1]["exit_code"] == 130
    assert len(events) == 1 + len(debug)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell that closes stderr")
def test_without_a_stderr_a_failure_says_nothing_and_has_its_exit_code() -> None:
    command = f"exec {shlex.quote(sys.executable)} -m dancecli weights fetch none 2>&-"
    ran = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stdout) == (2, "")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
@pytest.mark.parametrize("closed", ["2>&-", "<&- 2>&-"])
def test_nothing_that_is_opened_takes_the_place_of_a_closed_stderr(
    closed: str, tmp_path: Path
) -> None:
    child = "import os, sys; sys.stdout.write(os.readlink('/proc/self/fd/2'))"
    code = (
        "import subprocess, sys; from dancecli.progress import log_to_stderr; log_to_stderr(False);"
        f"file = open('x', 'w'); print(file.fileno() != 2, sys.stderr.fileno(), flush=True);"
        f"subprocess.run([sys.executable, '-c', {child!r}], close_fds=False)"
    )
    command = f"exec {shlex.quote(sys.executable)} -c {shlex.quote(code)} {closed}"
    ran = subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, timeout=60, cwd=tmp_path
    )
    assert ran.stdout == "True 2\n/dev/null"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names are bytes on Linux")
@pytest.mark.parametrize(
    ("terminal", "name", "shown"),
    [("utf-8:strict", "caf\udce9", b"caf\xe9"), ("latin-1:replace", "\u65e5", b"?")],
)
def test_names_come_out_as_they_went_in_or_as_the_terminal_has_it(
    terminal: str, name: str, shown: bytes
) -> None:
    """Bytes that are no UTF-8 pass; letters that the terminal lacks are left to its own rule."""
    ran = subprocess.run(
        [sys.executable, "-m", "dancecli", "weights", "path"], capture_output=True, timeout=60,
        env={**os.environ, "PYTHONIOENCODING": terminal, "DANCE_CACHE": f"/{name}"},
    )  # fmt: skip
    assert (ran.returncode, ran.stdout) == (0, b"/" + shown + b"/weights\n"), ran.stderr
