"""`dance weights`: the files of others that plugins need, fetched, verified and removed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from dancecli import licences
from dancecli.cli.options import PATH, licence_option, make_progress, verbosity
from dancecli.errors import DanceError, LicenceError, UsageError, WeightsError
from dancecli.progress import Progress
from dancecli.weights import catalogue, locate, store
from dancecli.weights.manifest import WeightFile

Found = TypeVar("Found")

JSON = click.option("--json", "as_json", is_flag=True, help="Machine-readable.")


def _complete(_ctx: click.Context, _param: click.Parameter, given: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in catalogue()[0] if name.startswith(given)]


NAMES = click.argument("names", nargs=-1, metavar="NAME...", shell_complete=_complete)


@click.group(
    epilog="""\b
Examples:
  dance weights list
  dance weights fetch schp_lip
  dance weights fetch vggface2 --from ~/Downloads/resnet50_ft_weight.pkl --trust
  dance weights verify"""
)
def command() -> None:
    """Fetch and verify the weight files that plugins need.

    Each file is known by a name, with its addresses, size, SHA-256 and terms, from the weights.toml
    of an installed plugin. Files lie in the cache folder (DANCE_CACHE moves it).
    """


@command.command("list")
@JSON
def list_files(as_json: bool) -> None:
    """List all known files: whether they are here, their size and terms, and who needs them."""
    files, problems = catalogue()
    told = Progress("json" if as_json else "lines")
    for problem in problems:
        told.report(problem, event="message", level="warning", text=problem)
    if as_json:
        click.echo(json.dumps([_row(entry) for entry in files.values()], indent=1))
        return
    for entry in files.values():
        _print(entry)
    click.echo(f"folder: {store.folder()}")


def _row(entry: WeightFile) -> dict[str, Any]:
    return {
        **vars(entry), "state": store.glance(entry).word, "path": str(store.path_of(entry)),
        "bytes_on_disk": store.size_on_disk(store.place(entry)),
        "trusted_sha256": store.recorded(entry).sha256 or None,
    }  # fmt: skip


def _print(entry: WeightFile) -> None:
    size = entry.size or store.size_on_disk(store.place(entry))
    shown = f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size} B" if size else "size ?"
    click.echo(
        f"{store.glance(entry).word:9} {entry.name:18} {shown:>10}  "
        f"commercial use: {licences.USE[entry.commercial]:8} {entry.about}"
    )
    needed = ", ".join(entry.needed_by) or entry.package
    nowhere = "" if entry.addresses else "; no public address"
    click.echo(f"{'':9} {'':18} {'':>10}  for {needed}; {entry.licence}{nowhere}")


@command.command()
@NAMES
@click.option("--from", "source", type=PATH, metavar="FILE", help="Install FILE, fetched by hand.")
@click.option(
    "--trust",
    is_flag=True,
    help="Accept a file whose publisher gives no SHA-256, and remember the one it has.",
)
@licence_option
@verbosity
def fetch(
    names: tuple[str, ...],
    source: Path | None,
    trust: bool,
    licence: str,
    verbose: int,
    quiet: bool,
    as_json: bool,
) -> None:
    """Fetch files by NAME: aside first, resumed where cut off, verified, then put into place.

    Addresses are tried in their order. A file whose publisher gives no SHA-256 is fetched and its
    SHA-256 shown; --trust installs it.
    """
    from dancecli.weights.fetching import fetch as fetch_one

    progress = make_progress(verbose, quiet, as_json)
    if source and len(names) > 1:
        raise UsageError("--from FILE installs one file; give one NAME")
    paths = _each(names, lambda name: fetch_one(name, progress, source, trust, licence))
    _tell(as_json, {name: str(path) for name, path in paths.items()})


@command.command()
@NAMES
@JSON
def verify(names: tuple[str, ...], as_json: bool) -> None:
    """Read files whole and compare them with their SHA-256; all that are here without NAME.

    Exit code 1 if one is damaged or not trusted, or missing though named.
    """
    files, _ = catalogue()
    wanted = names or tuple(n for n, e in files.items() if store.glance(e).word != store.MISSING)
    found = {entry.name: store.state(entry) for entry in _entries(wanted)}
    if as_json:
        click.echo(json.dumps({n: {"state": s.word, "detail": s.detail} for n, s in found.items()}))
    else:
        for name, state in found.items():
            detail = f": {state.detail}" if state.detail else ""
            click.echo(f"{'ok' if state.word == store.HERE else state.word:9} {name}{detail}")
    bad = [name for name, state in found.items() if state.word != store.HERE]
    if bad:
        raise WeightsError(
            f"{len(bad)} of {len(found)} files not in order: {', '.join(bad)}; "
            f"get them again with `dance weights fetch`"
        )


@command.command()
@click.argument("name", required=False, shell_complete=_complete)
def path(name: str | None) -> None:
    """Print where the verified file NAME lies; without NAME, the folder of all."""
    click.echo(str(locate(name) if name else store.folder()))


@command.command()
@NAMES
@JSON
def remove(names: tuple[str, ...], as_json: bool) -> None:
    """Remove files by NAME, unfinished downloads of them, and the SHA-256 trusted for them."""
    from dancecli.weights.fetching import remove_file

    freed = _each(names, remove_file)
    if as_json:
        click.echo(json.dumps(freed))
    else:
        click.echo(f"removed {', '.join(freed)}: {sum(freed.values()) / 1e6:.1f} MB")


def _entries(names: tuple[str, ...]) -> list[WeightFile]:
    from dancecli.weights import known

    return [known(name) for name in names]


def _each(names: tuple[str, ...], do: Callable[[str], Found]) -> dict[str, Found]:
    """What is done to each name; one that fails does not stop the others, and is raised at last."""
    if not names:
        raise UsageError(f"give a NAME; known: {', '.join(catalogue()[0])}")
    done, failed = {}, list[DanceError]()
    _entries(names)  # misspelt names are refused before anything is done
    for name in dict.fromkeys(names):
        try:
            done[name] = do(name)
        except (WeightsError, LicenceError) as error:
            failed.append(error)
    if failed:
        kinds = {type(error) for error in failed}
        kind = WeightsError if len(kinds) > 1 else kinds.pop()
        raise kind("; ".join(map(str, failed)))
    return done


def _tell(as_json: bool, paths: dict[str, str]) -> None:
    click.echo(json.dumps(paths) if as_json else "\n".join(paths.values()))
