"""How a training run goes, beside what is trained."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from dancecli.errors import UsageError


@dataclass(frozen=True)
class Settings:
    """How a run goes.

    steps: to reach in all. batch: samples per step, over all processes. parts: pieces that each
    process computes its share in (gradient accumulation), to save memory. average: decay of the
    generator's EMA. every: steps between checkpoints. pictures: steps between pictures, 0 for none.
    bf16: compute in bfloat16 where torch deems it safe. freeze_norms: batch norms keep their
    running statistics and normalise by them. workers: processes that prepare samples ahead.
    """

    steps: int
    batch: int
    parts: int = 1
    seed: int = 0
    device: str = "cpu"
    bf16: bool = False
    freeze_norms: bool = False
    average: float = 0.999
    every: int = 1000
    pictures: int = 0
    workers: int = 0

    def share(self, world: int = 1) -> int:
        """Samples that one of `world` processes computes at a time.

        Raises UsageError where the batch does not divide.
        """
        pieces = self.parts * world
        if self.batch % pieces:
            raise UsageError(
                f"a batch of {self.batch} cannot be computed in {self.parts} parts by each of "
                f"{world} process(es): it does not divide by {pieces}"
            )
        return self.batch // pieces

    def repeated(self) -> dict[str, Any]:
        """What a resumed run must have as it was begun."""
        return {name: value for name, value in asdict(self).items() if name in REPEATED}


REPEATED = ("batch", "parts", "seed", "bf16", "freeze_norms", "average")
