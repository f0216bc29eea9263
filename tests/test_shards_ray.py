"""Preparing on a Ray cluster of two nodes, one of which is killed."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import shard_jobs
from shard_jobs import DrawnJob, tree

from dancecli.data import scale
from dancecli.data.people import Skipped
from dancecli.data.samples import Sample
from dancecli.errors import PluginError, UsageError
from dancecli.progress import Progress

STORE = 80 << 20
"""Bytes of shared memory per node."""


@dataclass(frozen=True)
class PlacedJob(DrawnJob):
    """Each unit leaves a mark with its node; on the doomed node it then waits for the end."""

    driver: str = ""

    def samples(self, unit: str) -> Iterator[Sample | Skipped]:
        import ray

        node = ray.get_runtime_context().get_node_id()
        assert self.marks is not None
        (self.marks / f"{node}.{unit}.{time.monotonic_ns()}").touch()
        if node != self.driver:
            time.sleep(120)
        yield from DrawnJob(self.count).samples(unit)


def test_a_node_that_is_killed_loses_nothing_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), *sys.path]))
    (marks := tmp_path / "marks").mkdir()
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": STORE}
    )
    try:
        doomed = cluster.add_node(num_cpus=1, object_store_memory=STORE)
        cluster.wait_for_nodes()
        head = cluster.head_node.node_id
        killer = threading.Thread(target=kill_once_busy, args=(cluster, doomed, marks, head))
        killer.start()
        lines = StringIO()
        job = PlacedJob(marks=marks, driver=head)
        summary = scale.run(
            job, tmp_path / "set", ray=cluster.address, each=3, progress=Progress("lines", lines)
        )
        killer.join()
    finally:
        ray.shutdown()
        cluster.shutdown()
    begun = [path.name.split(".") for path in marks.iterdir()]
    assert {node for node, *_ in begun} == {head, doomed.node_id}
    assert "a worker died" in lines.getvalue() and summary.samples == 8
    scale.run(DrawnJob(), tmp_path / "expected", each=3)
    assert tree(tmp_path / "set") == tree(tmp_path / "expected")


def kill_once_busy(cluster: Any, doomed: Any, marks: Path, head: str) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if any(not path.name.startswith(head) for path in marks.iterdir()):
            break
        time.sleep(0.05)
    cluster.remove_node(doomed, allow_graceful=False)


def test_a_local_cluster_gives_the_same_bytes_and_reports_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = pytest.importorskip("ray")
    ray.cloudpickle.register_pickle_by_value(shard_jobs)
    with pytest.raises(PluginError, match="unit-007: ZeroDivisionError"):
        scale.run(DrawnJob(broken="unit-007"), tmp_path / "set", ray="local", workers=2, each=3)
    assert not ray.is_initialized()
    scale.run(DrawnJob(), tmp_path / "set", ray="local", workers=2, each=3, resume=True)
    scale.run(DrawnJob(), tmp_path / "expected", each=3)
    assert tree(tmp_path / "set") == tree(tmp_path / "expected")


def test_without_ray_the_install_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match=r"pip install 'dancecli\[ray\]'"):
        scale.run(DrawnJob(), tmp_path, ray="local")


def test_an_address_where_nobody_answers_is_named(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    with pytest.raises(UsageError, match="no cluster answers there"):
        scale.run(DrawnJob(), tmp_path, ray="127.0.0.1:1")
