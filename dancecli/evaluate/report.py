"""`report.html`: one file with tables, plots, sheets and strips; it opens without a network."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from string import Template

from dancecli.evaluate.gallery import embedded
from dancecli.evaluate.measures import MEASURES, PER_SET
from dancecli.evaluate.results import Results
from dancecli.evaluate.sources import REAL
from dancecli.media.files import written_aside

COLOURS = ("#3366cc", "#dc3912", "#ff9900", "#109618", "#990099", "#0099c6", "#dd4477", "#66aa00")

PLOT = (640, 150)
"""Width and height of a plot."""

PLOTTED = ("l1_union", "dssim_lab", "ssbs", "pck_05", "sharpness", "flicker")
"""Metrics that get a plot per clip."""


def write_report(results: Results, pictures: Mapping[str, tuple[Path, Path]], path: Path) -> None:
    """The page. pictures: clip -> its sheet (PNG) and strip (MP4)."""
    body = [_section("All clips", table(results))]
    body += [
        _section(f"Group: {group}", table(results, group))
        for group, clips in results.groups.items()
        if 0 < len(clips) < len(results.scores)
    ]
    body += [_clip(results, clip, pictures.get(clip)) for clip in results.scores]
    body += [_missing(results), _meaning(), _made_with(results)]
    page = Template(files("dancecli.evaluate").joinpath("report.html").read_text()).substitute(
        title=html.escape(str(results.protocol.get("name", "Evaluation"))),
        about=html.escape(_about(results)), body="\n".join(body),
    )  # fmt: skip
    with written_aside(path) as unfinished:
        # A clip's name may hold bytes that are no UTF-8.
        unfinished.write_text(page, encoding="utf-8", errors="backslashreplace")


def _about(results: Results) -> str:
    counts = [
        len(next(iter(systems.values())).frames) for systems in results.scores.values() if systems
    ]
    return (
        f"Clips: {len(results.scores)}; frames per system: {sum(counts)}. Means of clips, but FID "
        "is of all their frames together; the best value of each column is green. Perception "
        "plugins are no truth: see below who looked."
    )


def table(results: Results, group: str | None = None) -> str:
    """Systems as rows, metrics as columns; of a group's clips, or of all."""
    names = results.measured
    head = "".join(
        f'<th title="{html.escape(MEASURES[name].about)}">{html.escape(MEASURES[name].title)} '
        f"{MEASURES[name].arrow}</th>"
        for name in names
    )
    best = {name: _best(results, name, group) for name in names}
    rows = []
    for system in results.systems:
        cells = [_cell(results.mean(system, name, group), best[name], name) for name in names]
        rows.append(f"<tr><td>{html.escape(system)}</td>{''.join(cells)}</tr>")
    inside = f"<tr><th>system</th>{head}</tr>{''.join(rows)}"
    return f'<div class="scroll"><table>{inside}</table></div>'


def _best(results: Results, name: str, group: str | None) -> float:
    values = [results.mean(system, name, group) for system in results.systems]
    known = [value for value in values if not math.isnan(value)]
    return min(known, key=MEASURES[name].loss) if known else math.nan


def _cell(value: float, best: float, name: str) -> str:
    if math.isnan(value):
        return "<td>-</td>"
    mark = ' class="best"' if MEASURES[name].loss(value) <= MEASURES[name].loss(best) else ""
    return f"<td{mark}>{shown(value)}</td>"


def shown(value: float) -> str:
    """Four digits that matter."""
    return f"{value:.4f}" if abs(value) < 10 else f"{value:.2f}"


def _section(title: str, inside: str) -> str:
    return f"<h2>{html.escape(title)}</h2>\n{inside}"


def _clip(results: Results, clip: str, pictures: tuple[Path, Path] | None) -> str:
    inside = []
    if pictures is not None:
        sheet, strip = pictures
        names = ", ".join([REAL, *results.scores[clip]])
        if strip.exists():
            inside.append(
                f'<figure><video src="{embedded(strip)}" controls loop muted></video>'
                f"<figcaption>{html.escape(names)}</figcaption></figure>"
            )
        if sheet.exists():
            inside.append(f'<img alt="{html.escape(clip)}" src="{embedded(sheet)}">')
    inside.append(key(list(results.scores[clip])))
    inside += [
        plot(results, clip, name)
        for name in PLOTTED
        if name in results.measured and name not in PER_SET
    ]
    passed = results.passed_over.get(clip, 0)
    if passed:
        inside.append(
            f'<p class="note">{passed} frames were left out: their real one shows nobody.</p>'
        )
    return _section(clip, "\n".join(inside))


def key(systems: Sequence[str]) -> str:
    """Which colour is whose."""
    spans = [
        f'<span style="color:{COLOURS[i % len(COLOURS)]}">■ {html.escape(name)}</span>'
        for i, name in enumerate(systems)
    ]
    return f'<p class="key">{"".join(spans)}</p>'


def plot(results: Results, clip: str, name: str) -> str:
    """One metric of all systems along a clip, as SVG."""
    rows = {
        system: list(zip(scores.frames, scores.values.get(name, []), strict=False))
        for system, scores in results.scores[clip].items()
    }
    points = [(x, y) for row in rows.values() for x, y in row if not math.isnan(y)]
    if not points:
        return ""
    (left, right), (low, high) = (
        (min(each), max(each)) for each in zip(*points, strict=True)
    )  # fmt: skip
    wide, tall = PLOT
    across, down = (wide - 60) / max(right - left, 1), (tall - 40) / max(high - low, 1e-9)
    lines = []
    for i, row in enumerate(rows.values()):
        path = " ".join(
            f"{50 + (x - left) * across:.1f},{tall - 20 - (y - low) * down:.1f}"
            for x, y in row
            if not math.isnan(y)
        )
        colour = COLOURS[i % len(COLOURS)]
        lines.append(f'<polyline fill="none" stroke="{colour}" points="{path}"/>')
    title = f"{MEASURES[name].title} {MEASURES[name].arrow}"
    words = (
        f'<text x="50" y="14">{html.escape(title)}</text>'
        f'<text x="4" y="{tall - 20}">{low:.3g}</text><text x="4" y="30">{high:.3g}</text>'
        f'<text x="50" y="{tall - 4}">frame {left}</text>'
        f'<text x="{wide - 90}" y="{tall - 4}">frame {right}</text>'
    )
    return (
        f'<svg viewBox="0 0 {wide} {tall}" width="{wide}" font-size="11" role="img" '
        f'aria-label="{html.escape(title)}">{words}{"".join(lines)}</svg>'
    )


def _missing(results: Results) -> str:
    if not results.missing:
        return ""
    rows = "".join(
        f"<li>{html.escape(MEASURES[name].title)}: not measured: {html.escape(why)}</li>"
        for name, why in results.missing.items()
    )
    return _section("Not measured", f"<ul>{rows}</ul>")


def _meaning() -> str:
    rows = "".join(
        f"<tr><td>{html.escape(each.title)} {each.arrow}</td><td>{html.escape(each.unit)}</td>"
        f'<td style="text-align:left">{html.escape(each.about)}</td></tr>'
        for each in MEASURES.values()
    )
    return _section("What the columns mean", f"<table>{rows}</table>")


def _made_with(results: Results) -> str:
    made = {"protocol": results.protocol, "plugins": results.plugins, "weights": results.weights}
    return _section("Made with", f"<pre>{html.escape(json.dumps(made, indent=1))}</pre>")


def as_text(results: Results) -> str:
    """A short table for the terminal."""
    chosen = [
        name
        for name in ("l1_union", "dssim_lab", "lpips_vgg", "fid", "ssbs", "dpbs", "pck_05",
                     "sharpness", "flicker")
        if name in results.measured
    ]  # fmt: skip
    head = ["system", *(f"{MEASURES[name].title} {MEASURES[name].arrow}" for name in chosen)]
    rows = [
        [system, *(_plain(results.mean(system, name)) for name in chosen)]
        for system in results.systems
    ]
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    return "\n".join(
        "  ".join(text.ljust(w) if i == 0 else text.rjust(w)
                  for i, (text, w) in enumerate(zip(row, widths, strict=True)))
        for row in [head, *rows]
    )  # fmt: skip


def _plain(value: float) -> str:
    return "-" if math.isnan(value) else shown(value)
