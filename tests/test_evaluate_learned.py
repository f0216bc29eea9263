"""LPIPS and FID: layouts of the published networks, arithmetic by hand, missing files said."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from dance_metrics.inception import Inception
from dance_metrics.learned import PublishedMetrics, frechet, open_lpips
from dance_metrics.lpips import WIDTHS, Lpips, Trunk, squeezenet, vgg16
from torch import nn

from dancecli.errors import WeightsError
from dancecli.evaluate.eyes import Eyes
from dancecli.evaluate.results import Results, read_summary
from dancecli.evaluate.running import Evaluation
from dancecli.media import VideoStream
from dancecli.progress import Progress
from dancecli.types import FloatArray, Frame, UInt8Array
from dancecli.weights.fetching import fetch, remove_file


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_layouts_of_the_published_networks() -> None:
    assert count(Inception()) == 21_785_568
    assert count(vgg16()) == 14_714_688
    assert count(squeezenet()) == 722_496
    assert {"features.0.weight", "features.28.bias"} <= set(vgg16().state_dict())
    assert "features.12.expand3x3.weight" in squeezenet().state_dict()
    assert "Mixed_6e.branch7x7dbl_5.bn.running_var" in Inception().state_dict()


@pytest.mark.parametrize("kind", ["vgg", "squeeze"])
def test_taps_have_the_widths_of_the_heads(kind: str) -> None:
    trunk = {"vgg": vgg16, "squeeze": squeezenet}[kind]()
    taps = trunk(torch.rand(1, 3, 64, 64))
    assert tuple(tap.shape[1] for tap in taps) == WIDTHS[kind]


def test_inception_gives_2048_numbers_for_any_size() -> None:
    network = Inception().eval()
    with torch.no_grad():
        assert network(torch.rand(2, 3, 128, 80)).shape == (2, 2048)


def test_lpips_by_hand() -> None:
    """One 1x1 layer that passes red and green on; pictures of one pixel."""
    layer = nn.Conv2d(3, 2, 1, bias=False)
    layer.weight.data = torch.tensor([[1.0, 0, 0], [0, 1.0, 0]]).view(2, 3, 1, 1)
    network = Lpips(Trunk([layer], (0,)), [torch.tensor([2.0, 0.5])])
    shift, scale = np.array([-0.030, -0.088]), np.array([0.458, 0.448])
    one, two = np.array([1.0, 0.5]), np.array([0.25, 1.0])
    units = [((2 * rgb - 1) - shift) / scale for rgb in (one, two)]
    units = [each / np.linalg.norm(each) for each in units]
    expected = float(((units[0] - units[1]) ** 2 * [2.0, 0.5]).sum())
    pictures = [torch.tensor([*rgb, 0.0]).float().view(1, 3, 1, 1) for rgb in (one, two)]
    with torch.no_grad():
        assert float(network(*pictures)) == pytest.approx(expected, rel=1e-5)
        assert float(network(pictures[0], pictures[0])) == 0


def test_lpips_grows_with_distortion() -> None:
    torch.manual_seed(0)
    network = Lpips(squeezenet(), [torch.rand(width) for width in WIDTHS["squeeze"]]).eval()
    real = torch.rand(1, 3, 64, 64)
    noise = torch.randn_like(real)
    with torch.no_grad():
        slightly, badly = (
            float(network(real, (real + amount * noise).clamp(0, 1))) for amount in (0.02, 0.3)
        )
    assert 0 < slightly < badly


def test_frechet_of_two_gaussians_against_the_closed_form() -> None:
    from scipy.linalg import sqrtm

    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(5, 5))
    one = rng.normal(size=(400, 5))
    two = rng.normal(size=(300, 5)) @ mixing + 0.5
    s1, s2 = np.cov(one, rowvar=False), np.cov(two, rowvar=False)
    expected = ((one.mean(0) - two.mean(0)) ** 2).sum() + np.trace(
        s1 + s2 - 2 * np.real(sqrtm(s1 @ s2))
    )
    assert frechet(one, two) == pytest.approx(expected, rel=1e-6)
    assert frechet(one, one) == pytest.approx(0, abs=1e-9)
    assert frechet(one, one + np.eye(5)[0] * 3) == pytest.approx(9)


class Colours:
    """Mean colours in the place of Inception's features, whose weights are not here."""

    def __init__(self) -> None:
        self.missing: dict[str, str] = {}
        self.seen: list[FloatArray] = []

    def pair(self, real: UInt8Array, fake: UInt8Array) -> dict[str, float]:
        return {}

    def features(self, crop: UInt8Array) -> FloatArray:
        self.seen.append(crop.mean((0, 1), dtype=np.float32))
        return self.seen[-1]

    def distance(self, real: FloatArray, fake: FloatArray) -> float:
        return frechet(real, fake)


def first_frames(video: Path) -> list[Frame]:
    return list(VideoStream(video, max_side=480).frames(0, 3))


def test_fid_is_of_all_frames_of_all_clips_together(tmp_path: Path, demo_video: Path) -> None:
    """Each clip's fake is the other's real one: wrong in each, and as a whole the same frames."""
    light, dark = (
        [replace(f, rgb=(f.rgb * share).astype(np.uint8)) for f in first_frames(demo_video)]
        for share in (1.0, 0.7)
    )
    colours = Colours()
    eyes = Eyes(
        {"pose": "mediapipe", "mask": "mediapipe", "parser": "heuristic", "dense": "template"}
    )
    ask = Evaluation(tmp_path, eyes, colours, Progress("quiet"), Results({}, []))
    for name, real, made in (("one", light, dark), ("two", dark, light)):
        ask.walk(name, ((a, {"fake": b}) for a, b in zip(real, made, strict=True)), 3, Fraction(5))
    ask.results.groups = {"simple": ["one"], "challenging": ["two"]}
    results = ask.finish()
    truth, fake = np.array(colours.seen[0::2]), np.array(colours.seen[1::2])
    stored = read_summary(tmp_path / "metrics.json")["fake"]["fid"]
    assert stored == pytest.approx(frechet(truth, fake), abs=1e-6)
    one, two = (results.mean("fake", "fid", group) for group in results.groups)
    assert one == pytest.approx(frechet(truth[:3], fake[:3]))
    assert stored < 0.05 * min(one, two)


def test_missing_weights_are_said_and_nothing_is_made_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DANCE_CACHE", str(tmp_path))
    metrics = PublishedMetrics("cpu")
    assert set(metrics.missing) == {"lpips_vgg", "lpips_squeeze", "fid"}
    assert "vgg16-397923af.pth" in metrics.missing["lpips_vgg"]
    picture = np.zeros((64, 64, 3), np.uint8)
    assert metrics.pair(picture, picture) == {}
    assert metrics.features(picture) is None


def test_weights_of_another_network_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DANCE_CACHE", str(tmp_path))
    (tmp_path / "weights").mkdir()
    file = tmp_path / "weights" / "vgg16-397923af.pth"
    torch.save(vgg16().state_dict(), file)
    fetch("vgg16", Progress("quiet"), trust=True)  # no hash of it is published
    with pytest.raises(WeightsError, match=r"lpips-v0\.1-vgg\.pth"):
        open_lpips("vgg", vgg16())
    torch.save(squeezenet().state_dict(), tmp_path / "another.pth")
    remove_file("vgg16")
    fetch("vgg16", Progress("quiet"), tmp_path / "another.pth", trust=True)
    with pytest.raises(WeightsError, match="another network"):
        open_lpips("vgg", vgg16())
