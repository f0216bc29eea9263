"""`dance`: finds subcommands without importing them, turns errors into one line and an exit code.

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted (work is kept), 143 terminated.
"""

from __future__ import annotations

import importlib
import io
import os
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import click

from dancecli import __version__
from dancecli.errors import DanceError, Terminated, one_line
from dancecli.progress import MESSAGES, Progress, log_to_stderr

COMMANDS = {
    "reenact": "Make the person in PHOTO dance like the person in VIDEO.",
    "batch": "Run the jobs of a table, or let photos x videos dance.",
    "live": "Make the person in PHOTO dance like somebody before a camera.",
    "composite": "Put a saved foreground on another background.",
    "refine-face": "Restore the face of the person in a video after a photo.",
    "prepare-data": "Turn a data set, footage or synthetic people into training data.",
    "train": "Train a network of the paper on prepared data.",
    "evaluate": "Measure results against real frames, and backends against baselines.",
    "weights": "Fetch and verify the weight files that plugins need.",
    "plugins": "List, check and isolate the installed plugins, begin new ones.",
    "doctor": "Say what works on this machine and how to mend what does not.",
    "cache": "Show or clean the stage results kept on disk.",
    "completion": "Print the shell completion script.",
}
"""Subcommand -> its line in `dance --help`; the module of that name is imported on use."""


@contextmanager
def _interrupted_quietly() -> Iterator[None]:
    """Ctrl-C as an end like others: click would write an empty line among the JSON lines."""
    try:
        yield
    except KeyboardInterrupt as error:
        if not MESSAGES.as_json:  # on a terminal that line closes the one with ^C
            raise
        raise click.Abort from error


class LazyGroup(click.Group):
    """A group whose commands live in `dancecli.cli.NAME` and load when called."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """As click's."""
        with _interrupted_quietly():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """As click's."""
        with _interrupted_quietly():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"dancecli.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's; its UsageError names the nearest command when there is no such one."""
        import difflib

        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            close = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f"; did you mean '{close[0]}'?" if close else ""
            raise click.UsageError(
                f"no command '{args[0]}'; commands: {', '.join(COMMANDS)}{hint}", ctx
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with: dance reenact photo.jpg dance.mp4 -o out.mp4",
)
@click.version_option(__version__, prog_name="dance")
@click.option("--debug", is_flag=True, envvar="DANCE_DEBUG", help="Show tracebacks of errors.")
@click.pass_context
def dance(ctx: click.Context, debug: bool) -> None:
    """One photo of a person dances like a video.

    Every command answers --help with examples. Results go to stdout or to files, messages to
    stderr. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted with the work kept.
    """
    ctx.obj = {"debug": debug}


def main(args: Sequence[str] | None = None) -> NoReturn:
    """The script `dance`."""
    signal.signal(signal.SIGTERM, _terminate)
    given = list(sys.argv[1:] if args is None else args)
    log_to_stderr("--json" in given)  # before anything is parsed: that may fail, too
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        # Names of files go out as they came in.
        sys.stdout.reconfigure(errors="surrogateescape")
    debug = "--debug" in given or bool(os.environ.get("DANCE_DEBUG"))
    # `--debug` is understood anywhere on the line, since it is remembered after a failure.
    given = ["--debug", *(a for a in given if a != "--debug")] if debug else given
    try:
        code = dance.main(given, prog_name="dance", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except Exception as error:
        if debug and not isinstance(error, click.exceptions.Exit):
            _show(error)
        sys.exit(_report(error))
    except KeyboardInterrupt:
        sys.exit(_stopped("interrupted", 130))


def _terminate(_signal: int, _frame: Any) -> NoReturn:
    raise Terminated(_stopped("terminated", 143))


def _stopped(how: str, code: int) -> int:
    text = f"{how}; finished work is kept"
    return _end(text, text, code)


def _show(error: Exception) -> None:
    """Say where it went wrong, before what."""
    text = "".join(traceback.format_exception(error)).rstrip()
    if MESSAGES.as_json:
        Progress("json").report(text, event="message", level="debug", text=text)
    else:
        print(text, file=sys.stderr, flush=True)


def _report(error: Exception) -> int:
    """Say what went wrong, and with which exit code."""
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.Abort):
        return _stopped("interrupted", 130)
    text, code = _told(error)
    return _end(f"error: {text}", text, code)


def _told(error: Exception) -> tuple[str, int]:
    if isinstance(error, click.UsageError):
        command = error.ctx.command_path if error.ctx else "dance"
        return f"{one_line(error.format_message())} (see: {command} --help)", 2
    if isinstance(error, click.ClickException):
        return one_line(error.format_message()), error.exit_code
    if isinstance(error, DanceError):
        return one_line(error), error.exit_code
    return _unexpected(error), 1


def _unexpected(error: Exception) -> str:
    if isinstance(error, MemoryError):
        return "out of memory; try a smaller --size, or close other programs"
    if isinstance(error, OSError) and _no_room(error):
        where = f" {error.filename}" if error.filename else ""
        return (
            f"no room to write{where}: {error.strerror}; free some space, or raise the limit, and "
            "run the same command again"
        )
    if isinstance(error, OSError) and error.filename:
        return f"{error.strerror}: {error.filename}"
    return f"{type(error).__name__}: {one_line(error)} (a bug; --debug shows where)"


def _no_room(error: OSError) -> bool:
    from dancecli.media.files import FULL

    return error.errno in FULL


def _end(line: str, text: str, code: int) -> int:
    """The last thing said: `line` to people, `text` to programs; returns the exit code."""
    style = "json" if MESSAGES.as_json else "lines"
    Progress(style).report(line, event="error", text=text, exit_code=code)
    return code
