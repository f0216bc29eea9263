"""The learned metrics of `dance evaluate`, as far as their published weights are at hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from dance_freestyle.weight_files import check_state, published, with_counters
from torch import Tensor, nn

from dance_metrics.inception import Inception
from dance_metrics.lpips import WIDTHS, Lpips, Trunk, squeezenet, vgg16
from dancecli.errors import WeightsError
from dancecli.types import FloatArray, UInt8Array


class PublishedMetrics:
    """LPIPS (VGG, SqueezeNet) and FID. See `dancecli.evaluate.compare.Learned`."""

    def __init__(self, device: str) -> None:
        self.device, self.missing = device, dict[str, str]()
        self.lpips = {
            name: network
            for name, build in (
                ("lpips_vgg", lambda: open_lpips("vgg", vgg16())),
                ("lpips_squeeze", lambda: open_lpips("squeeze", squeezenet())),
            )
            if (network := self._opened(name, build)) is not None
        }
        self.inception = self._opened("fid", open_inception)

    def _opened(self, metric: str, build: Callable[[], nn.Module]) -> nn.Module | None:
        try:
            return build().to(self.device)
        except WeightsError as error:
            self.missing[metric] = str(error)
            return None

    @torch.no_grad()
    def pair(self, real: UInt8Array, fake: UInt8Array) -> dict[str, float]:
        """LPIPS of two pictures."""
        one, two = self._tensor(real), self._tensor(fake)
        return {name: float(network(one, two)) for name, network in self.lpips.items()}

    @torch.no_grad()
    def features(self, crop: UInt8Array) -> FloatArray | None:
        """Float32 (2048,)."""
        if self.inception is None:
            return None
        found: FloatArray = self.inception(self._tensor(crop))[0].cpu().numpy()
        return found

    def distance(self, real: FloatArray, fake: FloatArray) -> float:
        """FID."""
        return frechet(real, fake)

    def _tensor(self, rgb: UInt8Array) -> Tensor:
        return torch.from_numpy(rgb).to(self.device).movedim(-1, 0).float()[None] / 255


def frechet(one: Any, two: Any) -> float:
    """|m1 - m2|² + Tr(S1 + S2 - 2 (S1 S2)^½) of two sets of features (N, F), N > 1 (Heusel 2017).

    With fewer pictures than features the covariances are rank-deficient: compare such figures
    with each other only.
    """
    one, two = np.asarray(one, np.float64), np.asarray(two, np.float64)
    apart = float(((one.mean(0) - two.mean(0)) ** 2).sum())
    centred = [(each - each.mean(0)) / np.sqrt(len(each) - 1) for each in (one, two)]
    # Tr (S1 S2)^½ is the sum of singular values of A B^T, where S1 = A^T A and S2 = B^T B; the R of
    # A = Q R has the same, and is no larger than F x F.
    small = [np.linalg.qr(e, mode="r") if len(e) > e.shape[1] else e for e in centred]
    shared = float(np.linalg.svd(small[0] @ small[1].T, compute_uv=False).sum())
    spreads = sum(float((each**2).sum()) for each in centred)
    return max(0.0, apart + spreads - 2 * shared)


def open_lpips(kind: str, trunk: Trunk) -> Lpips:
    """With published weights. Raises WeightsError when a file is missing or of another layout."""
    path, state = published({"vgg": "vgg16", "squeeze": "squeezenet1_1"}[kind])
    _load(path, trunk, {k: v for k, v in state.items() if k.startswith("features.")})
    path, heads = published(f"lpips_{kind}")
    names = [f"lin{i}.model.1.weight" for i in range(len(WIDTHS[kind]))]
    expected = {
        name: torch.zeros(1, width, 1, 1) for name, width in zip(names, WIDTHS[kind], strict=True)
    }
    check_state(path, expected, heads)
    return Lpips(trunk, [heads[name].float().flatten() for name in names]).eval()


def open_inception() -> Inception:
    """With published weights. Raises WeightsError when the file is missing or another network's."""
    path, state = published("fid_inception")
    network = Inception()
    _load(path, network, {k: v for k, v in state.items() if not k.startswith("fc.")})
    return network


def _load(path: Any, network: nn.Module, state: dict[str, Tensor]) -> None:
    expected = network.state_dict()
    whole = with_counters(state, expected)
    check_state(path, expected, whole)
    network.load_state_dict(whole)
    network.eval().requires_grad_(False)
