"""The suite as a pytest test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from dancecli.testing.running import Contract, titles
from dancecli.types import Frame

if TYPE_CHECKING:
    from pytest import TempPathFactory

Fill: TypeAlias = Callable[[Path], object]
"""Writes a small data set into a folder."""


def suite(
    group: str, name: str, photo: Path | None = None, weights: str | None = None,
    data: Path | Fill | None = None,
) -> Callable[..., None]:  # fmt: skip
    """A parametrised test, one item per check, of an installed plugin.

        test_contract = suite("dance.parser", "mine")

    group: of `dancecli.stages.GROUPS`. photo: a file that shows one whole person who faces the
    camera. weights: as --weights. data: for readers, a folder in the plugin's layout or a function
    that fills one. Raises UsageError for a group that is none.
    """
    import pytest

    opened: list[Contract] = []

    def contract(folders: TempPathFactory) -> Contract:
        if not opened:
            frame, root = _frame(photo), _folder(data, folders)
            opened.append(Contract(group, name, frame, weights, root))
        return opened[0]

    @pytest.mark.parametrize("check", titles(group))
    def test_contract(check: str, tmp_path_factory: TempPathFactory) -> None:
        outcome = contract(tmp_path_factory).outcome(check)
        if outcome.failed and outcome.check == check:
            pytest.fail(outcome.detail, pytrace=False)
        if not outcome.passed:
            pytest.skip(outcome.detail)

    return test_contract


def _frame(photo: Path | None) -> Frame | None:
    from dancecli.media import read_photo

    return read_photo(photo) if photo else None


def _folder(data: Path | Fill | None, folders: TempPathFactory) -> Path | None:
    if data is None or isinstance(data, Path):
        return data
    folder = folders.mktemp("data")
    data(folder)
    return folder
