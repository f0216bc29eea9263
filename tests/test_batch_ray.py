"""A batch on a Ray cluster of two nodes, one of which is killed while both are busy."""

from __future__ import annotations

import json
import os
import select
import sys
import threading
import time
from collections import Counter
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from batch_media import FRAMES, Files, events, make_media, write_rows

from dancecli.cli.main import main
from dancecli.media import probe
from dancecli.workdir import Journal

STORE = 80 << 20
"""Bytes of shared memory per node."""

JOBS = 3

PATIENCE = 300.0
"""Seconds that a busy machine may take to start workers, and to notice that they are dead."""


class Gate:
    """Holds back every answer of a server until both nodes ask and one of them is dead."""

    def __init__(self) -> None:
        self.waiting, self.broken, self.open = 0, threading.Event(), threading.Event()

    def hold(self, request: Any) -> bool:
        """Whether to answer: not to somebody who is gone."""
        self.waiting += 1
        while not self.open.is_set():
            if select.select([request.connection], [], [], 0.05)[0]:
                self.broken.set()
                return False
        return True

    def kill(self, cluster: Any, node: Any) -> None:
        end = time.monotonic() + PATIENCE
        while self.waiting < 2 and time.monotonic() < end:
            time.sleep(0.05)
        cluster.remove_node(node, allow_graceful=False)
        self.broken.wait(PATIENCE)
        self.open.set()


def test_a_node_that_is_killed_loses_no_job_and_doubles_none(
    demo_photo: Path, demo_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    (tmp_path / "media").mkdir()
    media, gate = make_media(tmp_path / "media", demo_photo, demo_video), Gate()
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Files)
    server.folder, server.hold = media, gate.hold
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    table = write_rows(tmp_path / "jobs.csv", *(
        {"photo": f"{address}/{n}/{'ab'[n % 2]}.png", "video": media / "v.mp4",
         "output": f"local://{tmp_path}/out/{n}.mp4"} for n in range(JOBS)
    ))  # fmt: skip
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": STORE}
    )
    try:
        doomed = cluster.add_node(num_cpus=1, object_store_memory=STORE)
        cluster.wait_for_nodes()
        killer = threading.Thread(target=gate.kill, args=(cluster, doomed), daemon=True)
        killer.start()
        args = ["batch", table, "--ray", cluster.address, "--background", "white", "--no-audio",
                "--size", "48x64", "--work-dir", tmp_path / "work", "--json"]  # fmt: skip
        (tmp_path / "out").mkdir()
        with pytest.raises(SystemExit) as caught:
            main([str(arg) for arg in args])
        killer.join()
    finally:
        gate.open.set()
        ray.shutdown()
        cluster.shutdown()
        server.shutdown()
        server.server_close()
    out, err = capfd.readouterr()
    assert caught.value.code == 0, err
    summary = json.loads(out.splitlines()[-1])
    assert (summary["done"], summary["failed"]) == (JOBS, 0)
    assert "a worker died" in err
    ends = Counter(event["row"] for event in events(err) if event["status"] == "done")
    assert ends == dict.fromkeys(range(2, JOBS + 2), 1)
    records = Journal(tmp_path / "jobs.csv.state").read()[1:]
    assert Counter(r["row"] for r in records if r["status"] == "done") == ends
    made = tmp_path / "out"
    assert {path.name for path in made.iterdir()} == {
        name for n in range(JOBS) for name in (f"{n}.mp4", f"{n}.mp4.json")
    }
    assert all(probe(path).frames == FRAMES for path in made.glob("*.mp4"))
    (poses,) = (tmp_path / "work").glob("driver/*/journal.jsonl")
    assert len(poses.read_text().splitlines()) == FRAMES
