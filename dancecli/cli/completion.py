"""`dance completion`: the script that teaches a shell to complete `dance`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from dancecli.errors import UsageError


@click.command(
    epilog="""\b
Examples:
  dance completion bash >> ~/.bashrc
  dance completion zsh  >> ~/.zshrc
  dance completion fish > ~/.config/fish/completions/dance.fish"""
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a SHELL."""
    kind = get_completion_class(shell)
    if kind is None:
        raise UsageError(f"no completion for '{shell}'")
    root = ctx.find_root().command
    click.echo(kind(root, {}, "dance", "_DANCE_COMPLETE").source())
