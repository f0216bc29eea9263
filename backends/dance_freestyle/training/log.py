"""Where a run's losses and pictures go."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from dancecli.types import UInt8Array
from dancecli.workdir import write_aside


class Log:
    """Losses as lines of RUN/losses.jsonl, grids as RUN/pictures/step-NNNNNNNN.png.

    Both in TensorBoard too where it is installed.
    """

    def __init__(self, run: Path, step: int) -> None:
        """step: where training goes on; what an earlier run wrote of later steps is removed."""
        self.run, self.step = run, step

    def __enter__(self) -> Log:
        path = self.run / "losses.jsonl"
        kept = path.read_bytes().splitlines(keepends=True)[: self.step] if path.exists() else []
        write_aside(path, b"".join(kept))
        for picture in self.run.glob("pictures/step-*.png"):
            if picture.name > _name(self.step):
                picture.unlink()
        self.lines = path.open("a", encoding="utf-8")
        self.board: Any = None
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            return self
        board = str(self.run / "tensorboard")
        self.board = SummaryWriter(board, purge_step=self.step + 1)  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *_: object) -> None:
        self.lines.close()
        if self.board is not None:
            self.board.close()

    def write(self, step: int, losses: dict[str, float]) -> None:
        """One step's losses."""
        rounded = {name: float(f"{value:.6g}") for name, value in losses.items()}
        self.lines.write(json.dumps({"step": step, **rounded}) + "\n")
        self.lines.flush()
        if self.board is not None:
            for name, value in losses.items():
                self.board.add_scalar(name, value, step)

    def picture(self, step: int, grid: UInt8Array) -> None:
        """A grid (H, W, 3) as a step's picture."""
        path = self.run / "pictures" / _name(step)
        path.parent.mkdir(exist_ok=True)
        _, coded = cv2.imencode(".png", np.ascontiguousarray(grid[..., ::-1]))
        write_aside(path, coded.tobytes())
        if self.board is not None:
            self.board.add_image("pictures", grid, step, dataformats="HWC")


def _name(step: int) -> str:
    return f"step-{step:08d}.png"
