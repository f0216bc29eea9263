"""`dance prepare-data`: public data sets, footage and synthetic people as shards for training."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from dancecli import registry
from dancecli.cli.options import PATH, PluginName, config_option, make_progress, verbosity
from dancecli.data.job import Job
from dancecli.data.noise import NOISES
from dancecli.data.people import Options
from dancecli.data.plugins import StageNames
from dancecli.data.rules import LEAST_HEIGHT, Rules
from dancecli.errors import UsageError
from dancecli.progress import Progress

Command = TypeVar("Command", bound=Callable[..., Any])

EXAMPLES = """\b
Examples:
  dance prepare-data mhp LV-MHP-v2/ --check
  dance prepare-data mhp LV-MHP-v2/ --workers 8
  dance prepare-data vip VIP/ -o shards/vip --people 2000 --resume
  dance prepare-data video clips/ -o shards/mine --frames 12
  dance prepare-data synth --people 20000 --workers 8 -o shards/synth
  dance prepare-data cihp CIHP/ --ray 10.0.0.1:6379
  dance prepare-data inspect shards/mine -o sheet.png

The result goes to dance train --data DIR. Where each set comes from, its terms and its folders:
docs/data.md."""

NAMED = "NAME"
"""Stands for the name of any data set where help is printed."""


class DataSets(click.Group):
    """A command of one name for every installed data set, and `inspect`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [NAMED, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """`inspect`, or the preparation of the data set that has this name."""
        return super().get_command(ctx, cmd_name) or prepare

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        names = [info.name for info in registry.installed("dance.dataset")]
        known = [*names, *super().list_commands(ctx)]
        return [CompletionItem(name) for name in known if name.startswith(incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        installed = registry.installed("dance.dataset")
        with formatter.section("Data sets (NAME)"):
            formatter.write_dl([(i.name, f"{i.distribution} {i.version}") for i in installed])
        with formatter.section("Commands"):
            formatter.write_dl([
                (name, command.get_short_help_str(80)) for name, command in self.commands.items()
            ])  # fmt: skip


@click.group(
    cls=DataSets, epilog=EXAMPLES, subcommand_metavar="NAME|inspect ...", no_args_is_help=False
)
def command() -> None:
    """Turn a data set, clips of your own or synthetic people into shards for training.

    dance prepare-data NAME --help lists the options.
    """


def prepare_options(function: Command) -> Command:
    """All options but verbosity."""
    names = StageNames()
    for option in reversed((
        click.option("-o", "--out", type=PATH, metavar="DIR", help="Where the shards go. Default: $DANCE_DATA/NAME or the user's data folder."),  # noqa: E501
        click.option("--people", type=click.IntRange(1), metavar="N", help="At most so many people. Default: all."),  # noqa: E501
        click.option("--frames", type=click.IntRange(1, 1000), default=8, show_default=True, metavar="K", help="At most so many pictures of a person."),  # noqa: E501
        click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of what is chosen at random."),  # noqa: E501
        click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="A setting of the data set's reader; repeatable. Example: split=val."),  # noqa: E501
        click.option("--pose", type=PluginName("dance.pose"), default=names.pose, show_default=True, metavar="NAME", help="Pose extractor; truth: the set's own; auto: the set's own where it has one."),  # noqa: E501
        click.option("--noise", type=click.Choice(NOISES), default=names.noise, show_default=True, help="How a set's exact poses are made as imperfect as an extractor's."),  # noqa: E501
        click.option("--dense", type=PluginName("dance.dense"), default=names.dense, show_default=True, metavar="NAME", help="Surface coordinates; truth: the set's own."),  # noqa: E501
        click.option("--parser", type=PluginName("dance.parser"), default=names.parser, show_default=True, metavar="NAME", help="Human parser, where the set has no labels, and for --parsed."),  # noqa: E501
        click.option("--parsed", is_flag=True, help="Keep what mask and parser make of pictures whose labels the set knows, too: P2B and B2F then learn from what they will be given."),  # noqa: E501
        click.option("--mask", type=PluginName("dance.mask"), default=names.mask, show_default=True, metavar="NAME", help="Person segmentation, where the set has neither labels nor masks, and for --parsed."),  # noqa: E501
        click.option("--inpaint", type=PluginName("dance.inpaint"), default=names.inpaint, show_default=True, metavar="NAME", help="Fills the background behind people."),  # noqa: E501
        click.option("--min-height", type=click.IntRange(LEAST_HEIGHT), default=Rules.height, show_default=True, metavar="PIXELS", help="Smaller people are left out."),  # noqa: E501
        click.option("--device", default=names.device, show_default=True, metavar="NAME", help="For plugins that compute on one: auto, cpu, cuda or mps."),  # noqa: E501
        click.option("--workers", type=click.IntRange(1), default=1, show_default=True, metavar="N", help="Processes."),  # noqa: E501
        click.option("--ray", metavar="ADDRESS", help="Run on the Ray cluster at ADDRESS, or local."),  # noqa: E501
        click.option("--resume", is_flag=True, help="Go on with what a stopped run left in DIR."),
        click.option("--check", is_flag=True, help="Only read, and say what there is and what is wrong."),  # noqa: E501
    )):  # fmt: skip
        function = option(function)
    return config_option(function)


@click.command(NAMED, epilog=EXAMPLES)
@click.argument("root", type=PATH, required=False)
@prepare_options
@verbosity
@click.pass_context
def prepare(
    ctx: click.Context, /, root: Path | None, verbose: int, quiet: bool, as_json: bool,
    **options: Any,
) -> None:  # fmt: skip
    """Prepare the data set called NAME, whose files lie in ROOT.

    Every person is cut out at 512x320 and gets pose, labels, surface coordinates and the
    background without people. People too small or hidden are left out and counted.
    """
    job = asked_job(str(ctx.info_name), root, options)
    job.check()
    progress = make_progress(verbose, quiet, as_json)
    warn(job, progress)
    if options["check"]:
        report_contents(job, progress, as_json)
    else:
        _prepare(job, options, progress, as_json)


def asked_job(name: str, root: Path | None, options: Mapping[str, Any]) -> Job:
    """The job of the command's options.

    Raises UsageError for a --set without a value.
    """
    wanted = Options(
        options["people"], options["frames"], options["seed"], set=_pairs(options["changes"])
    )
    names = ("pose", "mask", "dense", "parser", "parsed", "inpaint", "noise", "device", "seed")
    stages = StageNames(**{group: options[group] for group in names})
    # Workers may run elsewhere, in another folder.
    folder = None if root is None else root.absolute()
    return Job(name, folder, wanted, stages, replace(Rules(), height=options["min_height"]))


def _pairs(changes: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for change in changes:
        key, sign, value = change.partition("=")
        if not sign or not key.strip():
            raise UsageError(f"--set {change}: write KEY=VALUE, for example split=val")
        pairs[key.strip()] = value.strip()
    return pairs


def default_folder(name: str) -> Path:
    """Where a prepared set lies when -o says nothing: where `dance train --data NAME` looks."""
    from dancecli.data.sources import data_home

    return data_home() / name


def warn(job: Job, progress: Progress) -> None:
    """Say once what the data's terms are, unless they allow everything."""
    declared: Any = job.plugin()
    if declared.COMMERCIAL is True:
        return
    use = "not for commercial use: " if declared.COMMERCIAL is False else ""
    progress.say(f"terms of {job.reader}: {use}{declared.LICENCE}")


def _prepare(job: Job, options: Mapping[str, Any], progress: Progress, as_json: bool) -> None:
    from dancecli.data.scale import run

    out = options["out"] or default_folder(job.reader)
    workers, ray, resume = options["workers"], options["ray"], options["resume"]
    made = run(job, out, workers=workers, ray=ray, progress=progress, resume=resume)
    if as_json:
        click.echo(json.dumps({**asdict(made), "out": os.fspath(made.out)}))
        return
    _say_skipped(made.skipped, progress.say)
    rate = made.frames / max(made.seconds, 1e-6)
    progress.say(
        f"{made.samples} people in {made.frames} pictures, {made.shards} shards, "
        f"{made.size / 1e6:.1f} MB, {made.seconds:.0f} s ({rate:.2f} pictures/s)"
    )
    click.echo(str(made.out))


def _say_skipped(skipped: Mapping[str, int], say: Callable[[str], None]) -> None:
    """How many files and people were passed over, the commonest reason first."""
    for reason, count in sorted(skipped.items(), key=lambda pair: (-pair[1], pair[0])):
        say(f"skipped {count}: {reason}")


def report_contents(job: Job, progress: Progress, as_json: bool) -> None:
    """What `--check` prints."""
    from dancecli.data.checking import check

    found = check(job, progress)
    if as_json:
        click.echo(json.dumps(found.as_dict()))
        return
    click.echo(f"{found.people} people in {found.pictures} pictures ({found.units} units)")
    for name, count in sorted(found.given.items()):
        if count:
            click.echo(f"  with {name}: {count}")
    for reason, count in found.skipped.most_common():
        click.echo(f"  skipped {count}: {reason} ({', '.join(found.examples[reason])}, ...)")


@command.command(
    "inspect",
    epilog="""\b
Examples:
  dance prepare-data inspect shards/mine
  dance prepare-data inspect mhp -o sheet.png --rows 12 --json""",
)
@click.argument("data", metavar="DIR")
@click.option("-o", "--out", type=PATH, metavar="PNG", help="Where a contact sheet goes.")
@click.option("--rows", type=click.IntRange(1, 100), default=8, show_default=True, metavar="N",
              help="People on the contact sheet.")  # fmt: skip
@click.option("-f", "--force", is_flag=True, help="Overwrite PNG.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def inspect_data(data: str, out: Path | None, rows: int, force: bool, as_json: bool) -> None:
    """Check prepared shards, count labels, sizes and poses, and draw a contact sheet.

    DIR: a folder of shards, a name in $DANCE_DATA, or a URL. Exit code 1 where something is
    missing or damaged.
    """
    from dancecli.data.inspecting import inspect
    from dancecli.errors import DanceError
    from dancecli.media import check_output, write_png

    if out and out.suffix.lower() != ".png":
        raise UsageError(f"-o {out}: a contact sheet is a .png")
    if out:
        check_output(out, force)
    found, sheet = inspect(_place(data), rows=rows if out else 0, title=data)
    if out and sheet is not None:
        write_png(out, sheet)
    click.echo(json.dumps(found.as_dict()) if as_json else found.as_text())
    if not found.whole:
        raise DanceError(f"{data} is not whole: prepare it again with --resume")


def _place(data: str) -> str:
    """A folder or URL as it is; any other name lies where prepared sets lie by name.

    Raises UsageError naming the places that were looked at.
    """
    from dancecli.data.stores import is_url

    if is_url(data) or Path(data).exists():
        return data
    named = default_folder(data)
    if not named.exists():
        raise UsageError(f"neither {data} nor {named} exists")
    return os.fspath(named)
