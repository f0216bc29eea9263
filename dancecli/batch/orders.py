"""A row as a job that any process can do."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dancecli.errors import UsageError
from dancecli.job import Job
from dancecli.registry import split_name

OUTPUTS = ("contact_sheet", "save_foreground", "out")
"""Fields of a job that name what it writes; OUT comes last, so that where it is, all is."""


SIDECARS = ("out", "save_foreground")
"""Outputs that have a sidecar."""


@dataclass(frozen=True)
class Order:
    """One row. All paths are absolute.

    number: of the row. job: under the roles in `urls` it has a bare file name in place of a path.
    urls: role (a field of Job) -> URL.
    """

    number: int
    job: Job
    urls: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """For messages."""
        return f"row {self.number} ({self.job.out.name})"

    def outputs(self) -> dict[str, str]:
        """Role -> path or URL of all it writes, `poses` aside, which are read where they exist."""
        return {role: place for role in OUTPUTS if (place := self.place(role))}

    def sidecars(self) -> list[str]:
        """Path or URL of what is written beside outputs."""
        return [f"{place}.json" for role, place in self.outputs().items() if role in SIDECARS]

    def inputs(self) -> dict[str, str]:
        """Role -> path or URL of all it reads."""
        places = {role: self.place(role) for role in ("photo", "video", "poses")}
        if "background" in self.urls:
            places["background"] = self.urls["background"]
        else:
            places["background"] = self._background()
        given = {group: split_name(asked)[1] for group, asked in self.job.plugins.items()}
        for role, text in {"weights": self.job.weights, **given}.items():
            if text and os.path.exists(text):  # noqa: PTH110 - it never raises
                places[role] = text
        return {role: place for role, place in places.items() if place}

    def _background(self) -> str | None:
        """The local file behind the person; None where there is none, or no such file."""
        from dancecli.plate import parse_background

        try:
            path = parse_background(self.job.background).path
        except UsageError:  # told by whoever checks the row
            return None
        return str(path) if path else None

    def place(self, role: str) -> str | None:
        """Path or URL of a file of the job."""
        value = self.urls.get(role) or getattr(self.job, role)
        return str(value) if value else None

    def asked(self) -> dict[str, Any]:
        """What is wanted, for comparing with an earlier run; files are compared by content."""
        options, files = self.job.options(), self.inputs()
        del options["device"]
        if "background" in files:
            options["background"] = "file"
        if "weights" in files:
            options["weights"] = "files"
        # What plugins are given after their names counts as text, unless it is a file.
        options["plugins"] = {
            group: split_name(asked)[0] if group in files else asked
            for group, asked in self.job.plugins.items()
        }
        return options

    def given(self, paths: Mapping[str, Path], **changes: Any) -> Job:
        """The job with local files in place of those behind URLs. paths: role -> path."""
        files: dict[str, Any] = dict(paths)
        if "background" in files:
            files["background"] = str(files["background"])
        return replace(self.job, **files, **changes)
