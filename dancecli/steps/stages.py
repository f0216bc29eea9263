"""The plugins of one run: named at once, imported when first used."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from dancecli import registry
from dancecli.device import resolve
from dancecli.job import Job
from dancecli.stages import (
    Backend,
    DensePoser,
    HumanParser,
    Inpainter,
    PersonMasker,
    PoseExtractor,
    Settings,
)


class Stages:
    """The plugins a job asks for.

    Names are looked up on construction, so a misspelt one fails before any work. Importing waits
    for the first use: poses read from the work directory need no pose extractor at all.
    """

    def __init__(self, job: Job) -> None:
        if job.device not in ("auto", "cpu"):
            resolve(job.device)  # refused now, not after the poses
        self.settings = Settings(job.device, job.weights, job.seed)
        self.infos = {group: registry.find(group, name) for group, name in job.plugins.items()}

    def identity(self, *groups: str) -> list[str]:
        """Name and version of some of the plugins, for cache keys."""
        return [self.infos[f"dance.{group}"].identity for group in groups]

    def describe(self) -> list[dict[str, Any]]:
        """Every plugin with version and licence, for the sidecar."""
        return [self._described(group) for group in self.infos]

    def _described(self, group: str) -> dict[str, Any]:
        info = self.infos[group]
        plugin = registry.load_class(info)
        return {**info.as_dict(), "licence": plugin.LICENCE, "commercial": plugin.COMMERCIAL}

    def refuse_missing(self) -> None:
        """Raises WeightsError now, not after minutes of poses, when the backend lacks weights."""
        assert self.backend

    def _load(self, group: str) -> Any:
        return registry.load(group, self.infos[group].name, self.settings)

    @cached_property
    def pose(self) -> PoseExtractor:
        """OP of equation 2."""
        plugin: PoseExtractor = self._load("dance.pose")
        return plugin

    @cached_property
    def mask(self) -> PersonMasker:
        """Silhouettes."""
        plugin: PersonMasker = self._load("dance.mask")
        return plugin

    @cached_property
    def dense(self) -> DensePoser:
        """DP of equation 2."""
        plugin: DensePoser = self._load("dance.dense")
        return plugin

    @cached_property
    def parser(self) -> HumanParser:
        """HP of equation 1."""
        plugin: HumanParser = self._load("dance.parser")
        return plugin

    @cached_property
    def inpaint(self) -> Inpainter:
        """What was behind the person."""
        plugin: Inpainter = self._load("dance.inpaint")
        return plugin

    @cached_property
    def backend(self) -> Backend:
        """P2B, B2F and FR, or what stands in for them."""
        plugin: Backend = self._load("dance.backend")
        return plugin
