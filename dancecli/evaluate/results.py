"""`metrics.json`: every number, what it means, and what made it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dancecli.errors import UsageError
from dancecli.evaluate.compare import Scores
from dancecli.evaluate.measures import MEASURES
from dancecli.media.files import written_aside

SCHEMA = 2
"""1 had FID as a mean of clips, which is another number."""

LARGEST = 256 << 20
"""Bytes of a results file that is read back."""


@dataclass
class Results:
    """Scores of systems on clips.

    scores: clip -> system -> scores. groups: group -> clips, such as "simple". protocol: how it was
    done. plugins: who looked. weights: system -> what its backend says of its weights (names,
    terms, SHA-256). missing: metric -> why it was not measured. fid: group (None: all clips) ->
    system -> FID of its frames together.
    """

    protocol: dict[str, Any]
    plugins: list[dict[str, str]]
    scores: dict[str, dict[str, Scores]] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    weights: dict[str, Any] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    passed_over: dict[str, int] = field(default_factory=dict)
    fid: dict[str | None, dict[str, float]] = field(default_factory=dict)

    @property
    def systems(self) -> list[str]:
        """In the order in which they were first seen."""
        return list(dict.fromkeys(name for clip in self.scores.values() for name in clip))

    @property
    def measured(self) -> list[str]:
        """Metrics that at least one system has, in the order of reports."""
        return [
            name
            for name in MEASURES
            if any(not math.isnan(self.mean(system, name)) for system in self.systems)
        ]

    def mean(self, system: str, metric: str, group: str | None = None) -> float:
        """Mean of the means of a group's clips, or of all; NaN where no clip has it.

        FID is no mean but that of all their frames together.
        """
        if metric == "fid":
            return self.fid.get(group, {}).get(system, math.nan)
        names = self.scores if group is None else self.groups[group]
        found = [
            self.scores[clip][system].mean(metric) for clip in names if system in self.scores[clip]
        ]
        known = [value for value in found if not math.isnan(value)]
        return sum(known) / len(known) if known else math.nan

    def summary(self, group: str | None = None) -> dict[str, dict[str, float | None]]:
        """System -> metric -> mean; None: not measured."""
        return {
            system: {name: _json(self.mean(system, name, group)) for name in MEASURES}
            for system in self.systems
        }

    def as_dict(self) -> dict[str, Any]:
        """The file's content; keys are only ever added within one schema."""
        from dancecli import __version__

        return {
            "schema": SCHEMA,
            "dance": __version__,
            "protocol": self.protocol,
            "plugins": self.plugins,
            "weights": self.weights,
            "metrics": {name: asdict(each) for name, each in MEASURES.items()},
            "not_measured": self.missing,
            "summary": self.summary(),
            "groups": {
                group: {"clips": clips, "summary": self.summary(group)}
                for group, clips in self.groups.items()
            },
            "clips": {
                clip: {
                    "passed_over": self.passed_over.get(clip, 0),
                    "systems": {name: _frames(each) for name, each in systems.items()},
                }
                for clip, systems in self.scores.items()
            },
        }

    def write(self, path: Path) -> None:
        """Aside, then renamed, so that the file is there whole or not at all."""
        text = json.dumps(self.as_dict(), indent=1, allow_nan=False)
        with written_aside(path) as unfinished:
            unfinished.write_text(text + "\n")


def _frames(scores: Scores) -> dict[str, Any]:
    values = {name: [_json(value) for value in column] for name, column in scores.values.items()}
    return {"frames": scores.frames, "values": values}


def _json(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None


def read_summary(path: Path) -> dict[str, dict[str, float | None]]:
    """The summary of a stored results file.

    Raises UsageError for a file that is none, or of another schema.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise UsageError(f"{path}: larger than {LARGEST >> 20} MiB, not a results file")
        content = json.loads(path.read_text())
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not JSON ({str(error)[:100]})") from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise UsageError(f"{path}: not a metrics.json of schema {SCHEMA}; measure it anew")
    return _checked(path, content.get("summary"))


def _checked(path: Path, summary: Any) -> dict[str, dict[str, float | None]]:
    rows = summary.values() if isinstance(summary, dict) else [None]
    numbers = [
        value for row in rows for value in (row.values() if isinstance(row, dict) else ["none"])
    ]
    if not all(value is None or type(value) in (int, float) for value in numbers):
        raise UsageError(f"{path}: its summary is not system -> metric -> number")
    found: dict[str, dict[str, float | None]] = summary
    return found


def worse(
    stored: Mapping[str, Mapping[str, float | None]],
    found: Mapping[str, Mapping[str, float | None]],
    tolerance: float,
) -> list[str]:
    """What got worse than stored by more than a share of it, or is no longer measured.

    Systems are matched by name; new ones are not looked at. Raises UsageError when the two have no
    system in common.
    """
    shared = [system for system in stored if system in found]
    if not shared:
        raise UsageError(
            f"the stored results have systems {', '.join(stored)}, these {', '.join(found)}"
        )
    lines = [
        f"{system}: not measured any more (systems are matched by name)"
        for system in stored
        if system not in found
    ]
    for system in shared:
        for name, before in stored[system].items():
            if name not in MEASURES or before is None:
                continue
            line = _worse(name, before, found[system].get(name), tolerance)
            lines += [f"{system}: {line}"] if line else []
    return lines


def _worse(name: str, before: float, now: float | None, tolerance: float) -> str:
    if now is None:
        return f"{name} was {before:.4g} and is not measured any more"
    measure = MEASURES[name]
    allowed = tolerance * max(abs(before), 1e-6)
    if measure.loss(now) - measure.loss(before) > allowed:
        return f"{name} {measure.arrow} was {before:.4g}, is {now:.4g}"
    return ""
