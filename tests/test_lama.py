"""LaMa: what the TorchScript network is given, and that only the hole changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from dance_lama.inpaint import LONGEST, LamaInpainter, open_network, padded
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from dancecli import testing
from dancecli.errors import PluginError, WeightsError
from dancecli.stages import Settings
from dancecli.types import Frame

torch.set_num_threads(1)


class Mean(nn.Module):
    """Has the published network's signature; paints the mean of what is known."""

    def forward(self, image: Tensor, mask: Tensor) -> Tensor:
        known = 1 - mask
        mean = (image * known).sum((2, 3), keepdim=True) / known.sum((2, 3), keepdim=True).clamp(1)
        return image * known + mean * mask


class Watched:
    """Mean, and what it was given."""

    def __init__(self) -> None:
        self.seen: list[tuple[Tensor, Tensor]] = []

    def __call__(self, image: Tensor, mask: Tensor) -> Tensor:
        self.seen.append((image, mask))
        out: Tensor = Mean()(image, mask)
        return out


def inpaint(rgb: np.ndarray, hole: np.ndarray, network: object = None) -> np.ndarray:
    plugin = LamaInpainter(Settings(device="cpu"), network or Mean())  # type: ignore[arg-type]
    return plugin.inpaint(Frame(rgb), hole).rgb


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 70), st.integers(1, 70), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_any_hole_is_taken_and_the_rest_is_left_alone(
    height: int, width: int, share: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    rgb = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    hole = (rng.random((height, width)) < share).astype(np.uint8) * 255
    before = rgb.copy()
    out = inpaint(rgb, hole)
    assert out.shape == rgb.shape and out.dtype == np.uint8
    assert np.array_equal(out[hole == 0], rgb[hole == 0]) and np.array_equal(rgb, before)


def test_the_network_is_given_what_it_was_trained_on() -> None:
    """Float pictures in [0, 1], RGB, a hole of 0 and 1, sides that divide by 8."""
    rgb = np.zeros((101, 203, 3), np.uint8)
    rgb[..., 0] = 255
    hole = np.zeros((101, 203), np.uint8)
    hole[40:60, 100:120] = 255
    network = Watched()
    out = inpaint(rgb, hole, network)
    ((image, mask),) = network.seen
    assert image.dtype == mask.dtype == torch.float32
    assert image.shape[:2] == (1, 3) and mask.shape == (1, 1, *image.shape[2:])
    assert image.shape[2] % 8 == 0 and image.shape[3] % 8 == 0
    assert image[0, :, 0, 0].tolist() == [1, 0, 0] and set(mask.unique().tolist()) == {0, 1}
    assert mask.sum() == 400 and np.array_equal(out, rgb)


def test_padding_mirrors_and_is_enough_for_the_networks_own_borders() -> None:
    plane = np.arange(5 * 37).reshape(5, 37)
    out = padded(plane)
    assert out.shape == (32, 40)
    assert np.array_equal(out[:5, :37], plane) and np.array_equal(out[:5, 37:], plane[:, :33:-1])


def test_far_away_parts_of_the_frame_are_not_looked_at() -> None:
    hole = np.zeros((400, 2000), np.uint8)
    hole[180:220, 500:540] = 1
    network = Watched()
    inpaint(np.zeros((400, 2000, 3), np.uint8), hole, network)
    assert network.seen[0][0].shape == (1, 3, 120, 120)


def test_large_holes_are_painted_at_a_limited_size_and_no_outline_remains() -> None:
    rgb = np.full((1500, 2600, 3), 90, np.uint8)
    hole = np.zeros((1500, 2600), np.uint8)
    hole[301:1203, 500:2003] = 255
    rgb[hole > 0] = 255  # the person, whose colour must not bleed in
    network = Watched()
    out = inpaint(rgb, hole, network)
    assert max(network.seen[0][0].shape) <= LONGEST
    assert np.abs(out.astype(int) - 90).max() <= 1


def test_nothing_to_fill_asks_nobody() -> None:
    network = Watched()
    rgb = np.zeros((40, 50, 3), np.uint8)
    assert np.array_equal(inpaint(rgb, np.zeros((40, 50), np.uint8), network), rgb)
    assert network.seen == []


def test_a_hole_of_another_size_is_refused() -> None:
    with pytest.raises(PluginError, match=r"hole is 50x40 but the frame is 60x40"):
        inpaint(np.zeros((40, 60, 3), np.uint8), np.zeros((40, 50), np.uint8))


def test_a_torchscript_file_is_run_and_the_plugin_keeps_the_contract(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "big-lama.pt"
    torch.jit.script(Mean()).save(str(path))
    monkeypatch.setattr("dancecli.weights.locate", lambda _name: path)
    outcomes = list(testing.check("dance.inpaint", "lama"))
    assert [o for o in outcomes if not o.passed] == [] and len(outcomes) >= 4


def test_a_file_that_is_no_network_is_said_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "big-lama.pt"
    path.write_bytes(b"no network")
    with pytest.raises(WeightsError, match="not a TorchScript network") as caught:
        open_network(path, "cpu")
    assert "\n" not in str(caught.value)
