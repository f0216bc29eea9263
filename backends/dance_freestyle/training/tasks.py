"""What differs between training the five networks: P2B, B2F and FR here, and a table of all.

The parser's and the embedder's are in modules of their own.
"""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor, nn

from dance_freestyle import encoders
from dance_freestyle.appearance import PublishedEncoders
from dance_freestyle.b2f import B2F, Painted
from dance_freestyle.discriminators import (
    b2f_discriminator,
    fr_discriminator,
    p2b_discriminator,
)
from dance_freestyle.fr import FR
from dance_freestyle.p2b import P2B, one_hot
from dance_freestyle.presets import B2FPreset, FRPreset, P2BPreset
from dance_freestyle.training import batches, embedding, face_items, objectives, parsing, shown
from dance_freestyle.training.batches import signed, unsigned
from dance_freestyle.training.cuts import Cuts
from dance_freestyle.training.features import Features
from dance_freestyle.training.feeding import Show
from dance_freestyle.training.losses import FacePerceptual
from dance_freestyle.training.mapper import Mapper
from dance_freestyle.training.objectives import (
    B2FBatch,
    B2FNetworks,
    FRBatch,
    P2BBatch,
    Terms,
)
from dance_freestyle.training.painter import Painter
from dance_freestyle.training.shown import Row

Batch = dict[str, Tensor]

FACE_LAYERS = 5
"""Layers that equation 18 compares."""


class Task(Protocol):
    """One network in training.

    network, critics: what is trained. judges: losses that keep running means (equation 18).
    frozen: networks that help and do not learn, no part of a checkpoint. absent: terms of the
    preset that are left out, since no network is there to compute their features. item: what a
    position shows. fed_by: fingerprints of what made B2F's maps or FR's faces and, where the preset
    has no published encoder, of what the losses compare by; a resumed run must have the same.
    """

    role: str
    preset: Any
    network: nn.Module
    critics: nn.Module
    judges: nn.ModuleDict
    frozen: nn.ModuleList
    absent: tuple[str, ...]
    item: Show
    fed_by: dict[str, str]

    def ready(self, batch: Batch) -> Batch:
        """A batch of items as `forward` and the losses take it."""

    def forward(self, batch: Batch, network: Any = None) -> Any:
        """The output for a batch: of the network in training, or of another like it."""

    def generator_terms(self, batch: Batch, output: Any) -> Terms:
        """Weighted losses of the network."""

    def critic_loss(self, batch: Batch, output: Any) -> Tensor:
        """The discriminators' loss; `losses.none()` of a task that has none."""

    def rows(self, batch: Batch, output: Any) -> list[Row]:
        """Pictures to look at, by name, for each of the batch."""


class P2BTask:
    """Section 3.1."""

    role = "p2b"
    fed_by: ClassVar[dict[str, str]] = {}
    absent: tuple[str, ...] = ()

    def __init__(self, preset: P2BPreset) -> None:
        self.preset, self.network = preset, P2B(preset)
        self.critics = p2b_discriminator(preset)
        self.judges, self.frozen = nn.ModuleDict(), nn.ModuleList()
        self.item: Show = partial(batches.p2b_item, preset=preset)

    def ready(self, batch: Batch) -> Batch:
        """One-hot labels, pictures in [0, 1]."""
        p_star = one_hot(batch["p_star"], self.preset.labels)
        return {**batch, "p_star": p_star, "P_S": unsigned(batch["P_S"])}

    def forward(self, batch: Batch, network: Any = None) -> Tensor:
        """Logits (N, L, H, W), equation 3."""
        network = network or self.network
        logits: Tensor = network(batch["p_star"], batch["P_S"], batch.get("P_D"))
        return logits.float()

    def generator_terms(self, batch: Batch, output: Tensor) -> Terms:
        """Equation 9."""
        return objectives.p2b_generator(self.preset, self.critics, self._truth(batch), output)

    def critic_loss(self, batch: Batch, output: Tensor) -> Tensor:
        """Least squares."""
        truth = self._truth(batch)
        return objectives.p2b_discriminator_loss(self.preset, self.critics, truth, output)

    def rows(self, batch: Batch, output: Tensor) -> list[Row]:
        """See `shown.p2b_rows`."""
        return shown.p2b_rows(self._truth(batch), output)

    def _truth(self, batch: Batch) -> P2BBatch:
        return P2BBatch(batch["p_star"], batch["P_S"], batch.get("P_D"), batch["P_M"])


class B2FTask:
    """Section 3.2."""

    role = "b2f"

    def __init__(
        self, preset: B2FPreset, published: nn.Module | None = None,
        features: Features | None = None, mapper: Mapper | None = None, cuts: Cuts | None = None,
    ) -> None:  # fmt: skip
        """published: instead of the published encoders, where the preset asks for them.

        features: judge pictures and faces where the preset has no published encoders. mapper: makes
        a share of the body maps. cuts: where puppets are kept.
        Raises WeightsError when the preset wants published encoders that are not here.
        """
        self.preset, self.network = preset, B2F(preset)
        self.critics = b2f_discriminator(preset)
        self.judges, self.frozen = nn.ModuleDict(), nn.ModuleList()
        self.mapper, self.fed_by = mapper, {"maps": mapper.name if mapper else "true"}
        if mapper:
            self.frozen.append(mapper)
        self.item: Show = partial(
            batches.b2f_item, preset=preset, cuts=cuts, mapper=mapper.preset if mapper else None
        )
        self.published: Any = None
        weights = preset.loss
        if preset.encoders == "published":
            self.published = published or PublishedEncoders()
            self.frozen.append(self.published)
            self.judges["faces"] = FacePerceptual(self.published.face, FACE_LAYERS)
            self.judges["regions"] = FacePerceptual(self.published.part, FACE_LAYERS)
            self.absent: tuple[str, ...] = ()
        else:
            wanted = ("perceptual", "face", "region")
            self.absent = tuple(name for name in wanted if getattr(weights, name))
            self.fed_by["features"] = features.name if features else "none"
        self.pictures: Any = self.published.part if self.published else None
        if features and not self.published:
            self.pictures, self.absent = features.picture, ()
            self.frozen.append(features)
            self.judges["faces"] = FacePerceptual(features.face, FACE_LAYERS)
            self.judges["regions"] = FacePerceptual(features.picture, FACE_LAYERS)

    def ready(self, batch: Batch) -> Batch:
        """One-hot labels; the parts in [0, 1], pictures in [-1, 1]."""
        found = {name: signed(batch[name]) for name in ("x", "plate")}
        found["images"], found["present"] = unsigned(batch["images"]), batch["present"].float()
        if "texture" in batch:
            found["texture"] = batch["texture"].float()
        if "inside" in batch:
            found["inside"] = batch["inside"][:, None].float()
        labels = batch["P_B"]
        if self.mapper and batch["mapped"].any():
            made = self.mapper(batch, self.preset)
            labels = torch.where(batch["mapped"][:, None, None], made, labels)
        return {**batch, **found, "P_B": one_hot(labels, self.preset.labels)}

    def forward(self, batch: Batch, network: Any = None) -> Painted:
        """Equations 5 and 6."""
        network = network or self.network
        looks = self.published or network.appearance
        start = network.person(looks(batch["images"], batch["present"]))
        painted: Painted = network(batch["P_B"], start, batch.get("texture"))
        return painted

    def generator_terms(self, batch: Batch, output: Painted) -> Terms:
        """Equations 13 and 15 to 18."""
        judges = dict(self.judges.items())
        networks = B2FNetworks(
            self.critics, self.pictures, judges.get("faces"), judges.get("regions")  # type: ignore[arg-type]
        )  # fmt: skip
        return objectives.b2f_generator(self.preset, networks, self._truth(batch), output)

    def critic_loss(self, batch: Batch, output: Painted) -> Tensor:
        """Equation 14."""
        return objectives.b2f_discriminator_loss(
            self.preset, self.critics, self._truth(batch), output
        )

    def rows(self, batch: Batch, output: Painted) -> list[Row]:
        """See `shown.b2f_rows`."""
        return shown.b2f_rows(batch, output, self.preset)

    def _truth(self, batch: Batch) -> B2FBatch:
        return B2FBatch(
            batch["P_B"], batch["x"], batch["plate"], batch.get("faces"), batch.get("regions"),
            batch.get("inside"),
        )  # fmt: skip


class FRTask:
    """Section 3.3."""

    role = "fr"

    def __init__(
        self, preset: FRPreset, published: nn.Module | None = None, painter: Painter | None = None,
        features: Features | None = None, cuts: Cuts | None = None,
    ) -> None:  # fmt: skip
        """published: instead of the published encoder. painter: paints a share of the faces.

        features: what judges faces where the preset has no published encoder. cuts: as B2F's.

        Raises WeightsError when the preset asks for a published encoder that is not here.
        """
        self.preset, self.network = preset, FR(preset)
        self.critics = fr_discriminator(preset)
        self.judges, self.frozen = nn.ModuleDict(), nn.ModuleList()
        self.absent: tuple[str, ...] = ()
        self.painter, self.fed_by = painter, {"faces": painter.name if painter else "worn"}
        if painter:
            self.frozen.append(painter)
        canvas = painter.preset if painter else None
        self.item: Show = partial(face_items.fr_item, preset=preset, painter=canvas, cuts=cuts)
        self.published: Any = None
        if preset.encoders == "published":
            self.published = published or encoders.vggface2()
            self.frozen.append(self.published)
            self.judges["faces"] = FacePerceptual(self.published, FACE_LAYERS)
            return
        self.fed_by["features"] = features.name if features else "none"
        if features:
            self.frozen.append(features)
            self.judges["faces"] = FacePerceptual(features.face, FACE_LAYERS)
        elif preset.loss.perceptual:
            self.absent = ("perceptual",)

    def ready(self, batch: Batch) -> Batch:
        """Faces in [-1, 1], the embedding's in [0, 1]; the painter's share is painted."""
        c0 = batch["c0"]
        if self.painter and batch["painted"].any():
            c0 = c0.masked_scatter(
                batch["painted"][:, None, None, None], self.painter(batch, self.preset.size)
            )
        found = {"c0": signed(c0), "truth": signed(batch["truth"])}
        if "photo" in batch:
            found["photo"] = signed(batch["photo"])
            found["inside"] = unsigned(batch["inside"])[:, None]
        return {**found, "identity": unsigned(batch["identity"])}

    def forward(self, batch: Batch, network: Any = None) -> tuple[Tensor, Tensor]:
        """Equation 19: c (N, 3, S, S) in [-1, 1] and m^c (N, 1, S, S) in [0, 1]."""
        network = network or self.network
        face = self.published or network.face
        c, mask = network(batch["c0"], face.embed(batch["identity"]), batch.get("photo"))
        return c.float(), mask.float()  # to be mixed with c0

    def generator_terms(self, batch: Batch, output: tuple[Tensor, Tensor]) -> Terms:
        """FR's terms [15]."""
        judge: Any = self.judges["faces"] if self.judges else None
        return objectives.fr_generator(self.preset, self.critics, judge, self._truth(batch), output)

    def critic_loss(self, batch: Batch, output: tuple[Tensor, Tensor]) -> Tensor:
        """Least squares on c^m."""
        truth = self._truth(batch)
        return objectives.fr_discriminator_loss(self.preset, self.critics, truth, output)

    def rows(self, batch: Batch, output: tuple[Tensor, Tensor]) -> list[Row]:
        """See `shown.fr_rows`."""
        return shown.fr_rows(batch, output)

    def _truth(self, batch: Batch) -> FRBatch:
        return FRBatch(batch["c0"], batch["truth"], batch.get("inside"))


TASKS: dict[str, Any] = {
    "p2b": P2BTask, "b2f": B2FTask, "fr": FRTask,
    "parser": parsing.ParserTask, "embedder": embedding.EmbedderTask,
}  # fmt: skip


def build(role: str, preset: Any, seed: int, **helpers: Any) -> Task:
    """A task with networks initialised by the seed; helpers as its constructor takes them.

    Raises WeightsError when a published encoder is missing.
    """
    torch.manual_seed(seed)
    task: Task = TASKS[role](preset, **helpers)
    return task
