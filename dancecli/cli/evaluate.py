"""`dance evaluate`: numbers and pictures of how good a result is."""

from __future__ import annotations

import json
from typing import Any

import click

from dancecli.cli.options import (
    PATH,
    FiniteRange,
    config_option,
    make_progress,
    plugin_options,
    verbosity,
)
from dancecli.device import CHOICES
from dancecli.errors import DanceError, UsageError
from dancecli.stages import DEFAULTS


class WorseError(DanceError):
    """--check found a metric that got worse."""

    exit_code = 1


@click.command(
    epilog="""\b
Examples:
  dance evaluate --real real.mp4 --fake ours=out.mp4 --fake theirs=other.mp4 -o report/
  dance evaluate --self clip1.mp4 --self clip2.mp4 -o report/
  dance evaluate --self clip.mp4 --backend freestyle@runs/compact/bundle -o report/
  dance evaluate --self clip.mp4 -o report/ --check good/metrics.json
  dance evaluate --cross synth -o report/
  dance evaluate --study A=ours/ --study B=theirs/ -o study/
  dance evaluate --tally study/study.json answers-1.json answers-2.json"""
)
@click.option("--real", type=PATH, help="The real video or folder of frames.")
@click.option(
    "--fake", "fakes", multiple=True, metavar="NAME=PATH", help="What a system made of it; repeat."
)
@click.option(
    "--self",
    "clips",
    type=PATH,
    multiple=True,
    help="Self-reenactment of this video (the paper's protocol); repeat.",
)
@click.option(
    "--cross", type=click.Choice(["synth"]), help="Another body's motion, against synthetic truth."
)
@click.option(
    "--ablations",
    type=PATH,
    metavar="DIR",
    help="Rows of Table 2: DIR/ROW holds each row's weights; with --self.",
)
@click.option(
    "--backend",
    "backends",
    multiple=True,
    default=(DEFAULTS["dance.backend"],),
    show_default=True,
    metavar="NAME[@WEIGHTS]",
    help="Generator to measure beside posewarp; repeat.",
)
@click.option("--weights", metavar="NAME|DIR", help="Weights of the backends that name none.")
@click.option("-o", "--out", type=PATH, help="Folder for metrics.json and report.html.")
@click.option(
    "--frames",
    type=click.IntRange(2),
    default=300,
    show_default=True,
    help="Frames per clip, at most.",
)
@click.option(
    "--pairs",
    type=click.IntRange(1),
    default=8,
    show_default=True,
    help="Pairs of bodies for --cross.",
)
@click.option("--assets", type=PATH, help="Asset pack of --cross synth.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--paper", is_flag=True, help="Print the paper's own figures beside these.")
@click.option(
    "--check",
    type=PATH,
    metavar="FILE",
    help="Fail when a metric is worse than in this metrics.json.",
)
@click.option(
    "--tolerance",
    type=FiniteRange(0),
    default=0.02,
    show_default=True,
    help="Share of the stored value that --check lets pass.",
)
@click.option(
    "--study",
    multiple=True,
    metavar="NAME=PATH",
    help="Write a blind A/B page of two systems' videos; give it twice.",
)
@click.option(
    "--tally", type=PATH, metavar="STUDY.JSON", help="Count the answer files given as arguments."
)
@click.argument("answers", nargs=-1, type=PATH)
@plugin_options("dance.pose", "dance.mask", "dance.parser", "dance.dense", "dance.inpaint")
@click.option("--device", type=click.Choice(CHOICES), default="auto", show_default=True)
@click.option("--work-dir", type=PATH, help="Where stage results are kept; default: user cache.")
@config_option
@verbosity
def command(verbose: int, quiet: bool, as_json: bool, **options: Any) -> None:
    """Measure videos against real ones, or backends against baselines.

    Choose one of --real/--fake, --self, --cross, --study and --tally.
    """
    from dancecli.evaluate.asking import Ask, answer
    from dancecli.evaluate.results import read_summary

    ask = Ask(**options)
    if ask.kind == "tally":
        click.echo(json.dumps(_tallied(ask), indent=1))
        return
    progress = make_progress(verbose, quiet, as_json)
    if ask.kind == "study":
        _study(ask, as_json)
        return
    stored = read_summary(ask.check) if ask.check else None  # now: it may be what is written anew
    results = answer(ask, progress)
    _say(ask, results, as_json)
    _checked(ask, stored, results)


def _tallied(ask: Any) -> dict[str, Any]:
    from dancecli.evaluate.study import tally

    if not ask.answers:
        raise UsageError("--tally STUDY.JSON needs the answer files as arguments")
    return tally(ask.answers, ask.tally)


def _study(ask: Any, as_json: bool) -> None:
    from dancecli.evaluate.study import write_study

    page = write_study(ask.study, ask.out)
    click.echo(json.dumps({"page": str(page)}) if as_json else str(page))


def _say(ask: Any, results: Any, as_json: bool) -> None:
    from dancecli.evaluate.paper import beside
    from dancecli.evaluate.report import as_text

    if as_json:
        click.echo(json.dumps({
            "report": str(ask.out / "report.html"), "metrics": str(ask.out / "metrics.json"),
            "summary": results.summary(),
        }))  # fmt: skip
        return
    click.echo(beside(results) if ask.paper else as_text(results))
    for name, why in results.missing.items():
        click.echo(f"{name}: not measured: {why}")
    click.echo(str(ask.out / "report.html"))


def _checked(ask: Any, stored: Any, results: Any) -> None:
    from dancecli.evaluate.results import worse

    if stored is None:
        return
    lines = worse(stored, results.summary(), ask.tolerance)
    if lines:
        raise WorseError(f"worse than {ask.check}: " + "; ".join(lines))
