"""What a training begins with: a task with fresh weights or those of another run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from dance_freestyle.bundles import find_bundle, read_bundle
from dance_freestyle.checkpoint import load_network
from dance_freestyle.training.checkpoints import checkpoints
from dance_freestyle.training.cuts import Cuts
from dance_freestyle.training.features import Features
from dance_freestyle.training.mapper import Mapper
from dance_freestyle.training.painter import Painter
from dance_freestyle.training.tasks import Task, build
from dancecli.errors import UsageError


def found_network(where: str, role: str) -> nn.Module:
    """The network of a role in a .safetensors file, a run's folder, or a bundle by folder or name.

    Of a run it is the newest averaged one. Raises WeightsError naming the bundles that are here,
    or saying what is wrong with the file.
    """
    path = Path(where)
    if path.is_file():
        return load_network(path, role)
    if kept := checkpoints(path):
        return kept[-1].network(role)
    if (path / f"{role}.safetensors").is_file() and not (path / "bundle.toml").exists():
        return load_network(path / f"{role}.safetensors", role)
    return read_bundle(find_bundle(where)).load(role)


def found_features(where: str) -> Features:
    """The parser and the embedder of a bundle. Raises WeightsError when it lacks one."""
    bundle = read_bundle(find_bundle(where))
    parser: Any = bundle.load("parser")
    return Features(parser, bundle.load("embedder"), where)


def initialised(
    role: str, preset: Any, seed: int, start: nn.Module | None = None, painter: Any = None,
    features: Features | None = None, mapper: Any = None, cuts: Path | None = None,
) -> Task:  # fmt: skip
    """A task whose network begins with the weights of `start`, if one is given.

    painter: for FR, the B2F that paints a share of its faces. mapper: for B2F, the P2B that makes a
    share of its maps. features, and cuts, the folder where puppets are kept: for B2F and FR.
    Raises UsageError when `start` has another layout or `features` have nothing to judge,
    WeightsError for a missing encoder.
    """
    if features is not None and preset.encoders == "published":
        raise UsageError(
            f"--features: this {role} compares pictures by the published encoders; "
            f"leave it out, or add --set {role}.encoders=small"
        )
    helpers: dict[str, Any] = {} if painter is None else {"painter": Painter(painter)}
    if features is not None:
        helpers["features"] = features
    if mapper is not None:
        helpers["mapper"] = Mapper(mapper)
    if role in ("b2f", "fr") and cuts is not None:
        helpers["cuts"] = Cuts(cuts)
    task = build(role, preset, seed, **helpers)
    if start is not None:
        try:
            task.network.load_state_dict(start.state_dict())
        except RuntimeError as error:
            raise UsageError(
                f"--init: that {role} is of another preset ({str(error).splitlines()[-1].strip()})"
            ) from error
    return task
