"""Checkpoints rebuild their networks; files that are not checkpoints are refused in one line."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from dance_freestyle import encoders, overrides, weight_files
from dance_freestyle.b2f import B2F
from dance_freestyle.bundles import bundle_with, find_bundle, read_bundle
from dance_freestyle.checkpoint import FORMAT, load_network, save_bundle, save_network
from dance_freestyle.fr import FR
from dance_freestyle.networks import open_networks
from dance_freestyle.p2b import P2B
from dance_freestyle.parser import Parser
from freestyle_tiny import TINY, TINY_PAPER, b2f_inputs, p2b_inputs
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load, save
from torch import Tensor, nn

from dancecli import weights
from dancecli.errors import WeightsError

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


BUILD: dict[str, Callable[[], nn.Module]] = {
    "p2b": lambda: P2B(TINY.p2b),
    "b2f": lambda: B2F(TINY_PAPER.b2f),
    "fr": lambda: FR(TINY.fr),
}


@pytest.mark.parametrize("role", BUILD)
def test_a_file_rebuilds_its_network(role: str, tmp_path: Path) -> None:
    network = BUILD[role]()
    save_network(tmp_path / "net.safetensors", role, network)
    found = load_network(tmp_path / "net.safetensors", role)
    assert found.preset == network.preset and not found.training
    before, after = network.state_dict(), found.state_dict()
    assert list(before) == list(after)
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert all(not x.is_meta for x in (*found.parameters(), *found.buffers()))


def test_a_rebuilt_network_computes_the_same_and_can_be_trained(tmp_path: Path) -> None:
    network = B2F(TINY_PAPER.b2f)
    network(*b2f_inputs(2, network))
    save_network(tmp_path / "net.safetensors", "b2f", network)
    found: Any = load_network(tmp_path / "net.safetensors")
    given_inputs = b2f_inputs(2, network.eval())
    assert torch.equal(network(*given_inputs).z, found(*given_inputs).z)
    found.train()(*given_inputs).z.mean().backward()
    assert found.fc.weight.requires_grad


def test_halved_files_are_half_as_large_and_nearly_the_same(tmp_path: Path) -> None:
    network = P2B(TINY.p2b).eval()
    save_network(tmp_path / "full.safetensors", "p2b", network)
    save_network(tmp_path / "half.safetensors", "p2b", network, half=True)
    sizes = [(tmp_path / f"{name}.safetensors").stat().st_size for name in ("full", "half")]
    assert sizes[1] < 0.7 * sizes[0]
    found = load_network(tmp_path / "half.safetensors")
    assert {x.dtype for x in found.parameters()} == {torch.float32}
    inputs = p2b_inputs(1, TINY.p2b)
    torch.testing.assert_close(found(*inputs), network(*inputs), atol=1e-2, rtol=1e-2)


def test_writing_leaves_no_partial_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        save_network(tmp_path / "nowhere" / "net.safetensors", "fr", FR(TINY.fr))
    save_network(tmp_path / "net.safetensors", "fr", FR(TINY.fr))
    assert [path.name for path in tmp_path.iterdir()] == ["net.safetensors"]


def forged(
    path: Path,
    about: dict[str, str] | None = None,
    preset: dict[str, Any] | None = None,
    state: Callable[[dict[str, Tensor]], dict[str, Tensor]] = lambda state: state,
) -> Path:
    """A checkpoint of FR with something changed."""
    network = FR(TINY.fr)
    described = {
        "format": FORMAT,
        "role": "fr",
        "preset": json.dumps({**overrides.as_json(network.preset), **(preset or {})}),
        **(about or {}),
    }
    path.write_bytes(save(state(dict(network.state_dict())), described))
    return path


def without(key: str) -> Callable[[dict[str, Tensor]], dict[str, Tensor]]:
    return lambda state: {name: x for name, x in state.items() if name != key}


def with_(key: str, value: Tensor) -> Callable[[dict[str, Tensor]], dict[str, Tensor]]:
    return lambda state: {**state, key: value}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"about": {"format": "other"}}, "format 'other'"),
        ({"about": {"role": "p2b"}}, "'size' is missing|p2b"),
        ({"about": {"role": "__import__"}}, "holds '__import__'"),
        ({"about": {"preset": "{"}}, "preset is refused"),
        ({"about": {"preset": "[" * 100_000}}, "preset is refused"),
        ({"about": {"preset": "1" * 2_000_000}}, "characters long"),
        ({"preset": {"latnet": 3}}, "latnet"),
        ({"preset": {"latent": 10**9}}, "latent"),
        ({"preset": {"decoder": [8] * 1000}}, "decoder"),
        ({"preset": {"embedding": 9}}, "who.weight' is 4x8 real numbers, the network needs 4x9"),
        ({"state": without("decoder.who.weight")}, "'decoder.who.weight' is missing"),
        ({"state": with_("evil", torch.zeros(1))}, "1 tensors that the network lacks"),
        (
            {"state": with_("decoder.who.bias", torch.zeros(7))},
            "'decoder.who.bias' is 7 real numbers",
        ),
        ({"state": with_("decoder.who.bias", torch.zeros(4).long())}, "4 whole numbers"),
        ({"state": with_("decoder.who.bias", torch.zeros(4).double())}, "stored as F64"),
        ({"state": with_("decoder.who.bias", torch.full((4,), float("nan")))}, "NaN"),
    ],
)
def test_forged_checkpoints_are_refused(change: dict[str, Any], said: str, tmp_path: Path) -> None:
    path = forged(tmp_path / "net.safetensors", **change)
    with pytest.raises(WeightsError, match=said) as caught:
        load_network(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_a_checkpoint_of_another_role_is_refused(tmp_path: Path) -> None:
    path = forged(tmp_path / "net.safetensors")
    with pytest.raises(WeightsError, match="holds 'fr', wanted p2b"):
        load_network(path, "p2b")


class Bomb:
    def __reduce__(self) -> Any:
        return (Path.touch, (Path("exploded"),))


@pytest.mark.parametrize("content", [b"", b"\x00" * 64, pickle.dumps(Bomb()), b"\xff" * 4096])
def test_other_files_are_refused(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.safetensors").write_bytes(content)
    with pytest.raises(WeightsError, match="not a readable safetensors file"):
        load_network(tmp_path / "net.safetensors")
    assert not (tmp_path / "exploded").exists()
    with pytest.raises(WeightsError):
        load_network(tmp_path / "absent.safetensors")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return forged(tmp_path_factory.mktemp("whole") / "net.safetensors")


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_damaged_files_load_whole_or_raise(whole: Path, data: st.DataObject) -> None:
    content = bytearray(whole.read_bytes())
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    else:
        # Mostly in the header, where names, shapes and the preset stand.
        place = data.draw(st.integers(0, 6000))
        content[place] ^= data.draw(st.integers(1, 255))
    damaged = whole.with_name("damaged.safetensors")
    damaged.write_bytes(content)
    try:
        network = load_network(damaged)
    except WeightsError:
        return
    expected = load(whole.read_bytes())
    assert {k: v.shape for k, v in network.state_dict().items()} == {
        k: v.shape for k, v in expected.items()
    }


# Bundles


def test_a_bundle_holds_its_networks(tmp_path: Path) -> None:
    networks = {role: build() for role, build in BUILD.items()}
    save_bundle(tmp_path / "mine", 'a "name"', networks, "MIT", commercial=True)
    bundle = read_bundle(find_bundle(str(tmp_path / "mine")))
    assert (bundle.name, bundle.licence, bundle.commercial) == ('a "name"', "MIT", True)
    assert set(bundle.files) == {"p2b", "b2f", "fr"}
    found = bundle.load("fr")
    assert torch.equal(found.decoder.who.weight, networks["fr"].decoder.who.weight)  # type: ignore[arg-type]


def test_a_bundle_whose_networks_see_other_shapes_is_refused(tmp_path: Path) -> None:
    square = P2B(replace(TINY.p2b, size=(64, 64)))
    save_bundle(tmp_path, "odd", {"p2b": square, "b2f": BUILD["b2f"]()}, "MIT")
    said = "P2B does not fit its B2F: size 64x64 is of another shape than canvas 64x40"
    with pytest.raises(WeightsError, match=said):
        open_networks(read_bundle(tmp_path), "cpu")


def test_a_bundle_without_fr_says_so(tmp_path: Path) -> None:
    save_bundle(tmp_path, "small", {"p2b": BUILD["p2b"]()}, "MIT")
    bundle = read_bundle(tmp_path)
    assert bundle.commercial is None
    with pytest.raises(WeightsError, match="has no fr, only p2b"):
        bundle.load("fr")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("schema = 2", "schema 2"),
        ("schema = 1", r"no table \[networks\]"),
        ("schema = [", "cannot be read"),
        ('schema = 1\n[networks]\np3b = "a.safetensors"', "unknown network 'p3b'"),
        ('schema = 1\n[networks]\np2b = "../a.safetensors"', "in the same folder"),
        ('schema = 1\n[networks]\np2b = "/etc/a.safetensors"', "in the same folder"),
        ('schema = 1\n[networks]\np2b = "a.pth"', "in the same folder"),
        ("schema = 1\n[networks]\np2b = 3", "in the same folder"),
    ],
)
def test_forged_bundles_are_refused(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "bundle.toml").write_text(text)
    with pytest.raises(WeightsError, match=said):
        read_bundle(tmp_path)


def test_an_unknown_bundle_lists_those_that_are_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DANCE_CACHE", str(tmp_path))
    save_bundle(tmp_path / "weights" / "mine", "mine", {"p2b": BUILD["p2b"]()}, "MIT")
    assert find_bundle("mine") == tmp_path / "weights" / "mine"
    with pytest.raises(WeightsError, match=r"called 'yours'.*here are: .*mine"):
        find_bundle("yours")


# Published encoders


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder where `locate` finds files whatever their hashes, that can be anything here."""
    (tmp_path / "weights").mkdir()
    files = {"vgg19": "vgg19.pth", "vggface2": "resnet50_ft_weight.pkl"}
    monkeypatch.setattr(weights, "locate", lambda name: tmp_path / "weights" / files[name])
    return tmp_path / "weights"


def test_vgg19_loads_a_state_dict_in_torchvisions_layout(home: Path) -> None:
    state = encoders.Vgg19().state_dict()
    torch.save({**state, "classifier.0.weight": torch.zeros(2, 2)}, home / "vgg19.pth")
    network = encoders.vgg19()
    assert torch.equal(network.features[0].weight, state["features.0.weight"])
    assert not any(p.requires_grad for p in network.parameters()) and not network.training


def test_a_pickled_vgg19_is_not_run(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    torch.save({"features.0.weight": Bomb()}, home / "vgg19.pth")
    with pytest.raises(WeightsError, match="read safely"):
        encoders.vgg19()
    assert not (home / "exploded").exists()


def test_a_vgg19_of_another_shape_is_refused(home: Path) -> None:
    torch.save({"features.0.weight": torch.zeros(64, 3, 5, 5)}, home / "vgg19.pth")
    with pytest.raises(WeightsError, match="64x3x5x5 real numbers, the network needs 64x3x3x3"):
        encoders.vgg19()


def numpy_pickle(path: Path, content: object) -> None:
    # The published file is of protocol 2, where bytes are spelt as latin-1 text.
    path.write_bytes(pickle.dumps(content, protocol=2))


def test_vggface2_loads_a_pickle_of_arrays(home: Path) -> None:
    state = {k: v.numpy() for k, v in encoders.VggFace2().state_dict().items()}
    state = {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
    numpy_pickle(home / "resnet50_ft_weight.pkl", {**state, "fc.weight": np.zeros((2, 2))})
    network = encoders.vggface2()
    found = network.layer4[2].conv3.weight.numpy()
    np.testing.assert_array_equal(found, state["layer4.2.conv3.weight"])


@pytest.mark.parametrize(
    "content",
    [Bomb(), {"conv1.weight": Bomb()}, {"conv1.weight": np.array([Bomb()], object)}, [1], {"a": 1}],
)
def test_other_pickles_are_not_run(
    content: object, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(home)
    numpy_pickle(home / "resnet50_ft_weight.pkl", content)
    with pytest.raises(WeightsError):
        weight_files.published("vggface2")
    assert not (home / "exploded").exists()


def test_a_damaged_parser_that_was_asked_for_is_not_replaced_in_silence(tmp_path: Path) -> None:
    save_bundle(tmp_path / "mine", "mine", {"parser": Parser(TINY.parser)}, "MIT")
    assert bundle_with("parser", str(tmp_path / "mine")).folder == tmp_path / "mine"
    assert "parser" in bundle_with("parser", "none of that name").files  # the shipped one
    file = tmp_path / "mine" / "parser.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(WeightsError, match="damaged"):
        bundle_with("parser", str(tmp_path / "mine"))
