"""Plugins by name, each imported when it is first used."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from dancecli import registry
from dancecli.stages import (
    Backend,
    DensePoser,
    FaceAligner,
    HumanParser,
    Inpainter,
    PersonMasker,
    PoseExtractor,
    Settings,
)


class Plugins:
    """One plugin per group. Nothing is loaded before it is asked for.

    Each property raises UsageError for an unknown name, PluginError for a plugin that does not
    load, and what the plugin itself raises when it is built.
    """

    def __init__(self, settings: Settings, names: Mapping[str, str]) -> None:
        """names: entry-point group -> plugin name."""
        self.settings, self._names = settings, names

    def _load(self, group: str) -> Any:
        return registry.load(group, self._names[group], self.settings)

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
    def face_align(self) -> FaceAligner:
        """Five points for the crops of equation 19."""
        plugin: FaceAligner = self._load("dance.face_align")
        return plugin

    @cached_property
    def backend(self) -> Backend:
        """P2B, B2F and FR, or what stands in for them."""
        plugin: Backend = self._load("dance.backend")
        return plugin
