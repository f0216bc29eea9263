"""VGGFace2 as a plugin: which part of the face is seen, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from dance_freestyle.encoders import VggFace2
from dance_vggface2.embed import VggFace2Embedder, middle

from dancecli import registry, testing
from dancecli.errors import PluginError, WeightsError
from dancecli.stages import FaceEmbedder, Settings

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def plugin() -> VggFace2Embedder:
    torch.manual_seed(0)
    return VggFace2Embedder(Settings(device="cpu"), VggFace2())


def test_a_face_becomes_2048_numbers_again_and_again(plugin: VggFace2Embedder) -> None:
    face = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    before = face.copy()
    found = plugin.embed(face)
    assert isinstance(plugin, FaceEmbedder) and plugin.size == 2048
    assert found.shape == (2048,) and found.dtype == np.float32 and np.isfinite(found).all()
    assert np.array_equal(found, plugin.embed(face)) and np.array_equal(face, before)
    assert not np.allclose(found, plugin.embed(face[..., ::-1]))


def test_the_middle_is_seen_and_the_rim_is_not(plugin: VggFace2Embedder) -> None:
    face = np.random.default_rng(1).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    rim = face.copy()
    rim[:16], rim[-16:], rim[:, :16], rim[:, -16:] = 0, 255, 0, 255
    assert np.array_equal(plugin.embed(face), plugin.embed(rim))
    assert np.array_equal(middle(face), face[16:240, 16:240])
    assert middle(np.zeros((100, 150, 3), np.uint8)).shape == (224, 224, 3)


@pytest.mark.parametrize(
    "face",
    [
        np.zeros((256, 256, 3), np.float32),
        np.zeros((256, 256), np.uint8),
        np.zeros((0, 256, 3), np.uint8),
    ],
)
def test_anything_else_is_refused(plugin: VggFace2Embedder, face: np.ndarray) -> None:
    with pytest.raises(PluginError, match="not uint8"):
        plugin.embed(face)


def test_without_its_file_it_says_what_to_get() -> None:
    with pytest.raises(WeightsError, match=r"resnet50_ft_weight\.pkl") as caught:
        registry.load("dance.face_embed", "vggface2", Settings(device="cpu"))
    assert "\n" not in str(caught.value)


def test_the_plugin_keeps_the_contract(
    plugin: VggFace2Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dance_vggface2.embed.vggface2", lambda: plugin._network)
    outcomes = list(testing.check("dance.face_embed", "vggface2"))
    assert [o for o in outcomes if not o.passed] == [] and len(outcomes) >= 8
