"""Checkpoints: files that rebuild their networks, hostile until checked.

A network is one safetensors file whose metadata carries its role and its preset as JSON; a bundle
is a folder of them (`dance_freestyle.bundles`). Nothing is unpickled. Names, shapes and types are
compared with the network that the preset describes before any tensor is read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from dance_freestyle import overrides
from dance_freestyle.b2f import B2F
from dance_freestyle.bundles import LARGEST_TEXT
from dance_freestyle.embedder import Embedder
from dance_freestyle.fr import FR
from dance_freestyle.fr_fields import FRPreset
from dance_freestyle.p2b import P2B
from dance_freestyle.parser import Parser
from dance_freestyle.preset_fields import (
    B2FPreset,
    EmbedderPreset,
    P2BPreset,
    ParserPreset,
)
from dance_freestyle.weight_files import check_layout, check_state
from dancecli.errors import UsageError, WeightsError
from dancecli.media.files import sha256_of
from dancecli.workdir import write_aside

FORMAT = "dance-freestyle-1"
"""Written into every file; raised when the meaning of presets or tensors changes."""

LARGEST_FILE = 4 << 30
"""Bytes of a network's file."""

_REAL = {"F32", "F16", "BF16"}
_WHOLE = {"I64"}


@dataclass(frozen=True)
class Role:
    """One of the five networks: the kind of its preset and how it is built."""

    preset: type
    build: Callable[[Any], nn.Module]


ROLES = {
    "p2b": Role(P2BPreset, P2B),
    "b2f": Role(B2FPreset, B2F),
    "fr": Role(FRPreset, FR),
    "parser": Role(ParserPreset, Parser),
    "embedder": Role(EmbedderPreset, Embedder),
}


def save_network(path: Path, role: str, network: nn.Module, half: bool = False) -> None:
    """Write a network and its preset, whole or not at all.

    half: store real numbers in 16 bits, for files that are shipped.
    """
    about = {
        "format": FORMAT,
        "role": role,
        "preset": json.dumps(overrides.as_json(network.preset)),
    }
    state = {key: _stored(value, half) for key, value in network.state_dict().items()}
    write_aside(path, save(state, about))


def _stored(value: Tensor, half: bool) -> Tensor:
    value = value.detach().cpu().contiguous()
    return value.half() if half and value.is_floating_point() else value


def load_network(path: Path, role: str | None = None) -> nn.Module:
    """The network of a file, on the CPU, in single precision and evaluation mode.

    role: one of `ROLES` when only that one will do.
    Raises WeightsError for whatever is not a whole, matching checkpoint.
    """
    with _opened(path) as file:
        return _rebuilt(path, file, role)


def read_preset(path: Path, role: str) -> Any:
    """The preset of a role's file; its tensors stay unread.

    Raises WeightsError for a file that does not describe such a network.
    """
    with _opened(path) as file:
        return _described(path, file.metadata() or {}, role)[1]


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise WeightsError(f"{path}: {size} bytes, more than any checkpoint has")
        with safe_open(path, framework="pt", device="cpu") as file:
            yield file
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{path}: not a readable safetensors file ({error})") from error


def _rebuilt(path: Path, file: Any, role: str | None) -> nn.Module:
    found, preset = _described(path, file.metadata() or {}, role)
    with torch.device("meta"):
        try:
            network = ROLES[found].build(preset)
        except (RuntimeError, ValueError, OverflowError) as error:
            raise WeightsError(f"{path}: its preset cannot be built ({error})") from error
    expected = network.state_dict()
    _check_header(path, file, expected)
    state = {key: _read(file.get_tensor(key)) for key in expected}
    check_state(path, expected, state)
    network.load_state_dict(state, assign=True)
    return network.eval()


def _described(path: Path, about: Mapping[str, str], role: str | None) -> tuple[str, Any]:
    """The role and the checked preset that the metadata gives."""
    if about.get("format") != FORMAT:
        raise WeightsError(
            f"{path}: format {about.get('format', 'none')!r:.60}, this dance reads {FORMAT!r}"
        )
    found, text = about.get("role", ""), about.get("preset", "")
    if found not in ROLES or role not in (None, found):
        raise WeightsError(f"{path}: holds {found!r:.40}, wanted {role or ' or '.join(ROLES)}")
    if len(text) > LARGEST_TEXT:
        raise WeightsError(f"{path}: its preset is {len(text)} characters long")
    try:
        return found, overrides.from_json(ROLES[found].preset, json.loads(text), found)
    except (UsageError, ValueError, RecursionError) as error:
        raise WeightsError(f"{path}: its preset is refused: {error}") from error


def _check_header(path: Path, file: Any, expected: Mapping[str, Tensor]) -> None:
    layout = {}
    for key in file.keys():  # noqa: SIM118 - safe_open is not a mapping
        piece = file.get_slice(key)
        kind = piece.get_dtype()
        if kind not in _REAL | _WHOLE:
            raise WeightsError(f"{path}: '{key[:80]}' is stored as {kind}, which no network uses")
        layout[key] = (tuple(piece.get_shape()), kind in _REAL)
    wanted = {key: (tuple(x.shape), x.is_floating_point()) for key, x in expected.items()}
    check_layout(path, wanted, layout)


def _read(value: Tensor) -> Tensor:
    """In single precision, where torch allocates: at a file's places, kernels round otherwise."""
    return value.to(torch.float32 if value.is_floating_point() else value.dtype, copy=True)


def save_bundle(
    folder: Path,
    name: str,
    networks: Mapping[str, nn.Module],
    licence: str,
    commercial: bool | None = None,
    half: bool = False,
) -> None:
    """Write networks by role as a bundle; `bundle.toml` comes last."""
    folder.mkdir(parents=True, exist_ok=True)
    for role, network in networks.items():
        save_network(folder / f"{role}.safetensors", role, network, half)
    lines = ["schema = 1", f"name = {_quoted(name)}", f"licence = {_quoted(licence)}"]
    if commercial is not None:
        lines.append(f"commercial = {json.dumps(commercial)}")
    lines += ["", "[networks]"] + [f'{role} = "{role}.safetensors"' for role in networks]
    lines += ["", "[sha256]"]
    lines += [f'{role} = "{sha256_of(folder / f"{role}.safetensors")}"' for role in networks]
    write_aside(folder / "bundle.toml", ("\n".join(lines) + "\n").encode())


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
