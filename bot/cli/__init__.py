"""The command line.  Exit status: 0 fine, 1 failed, 2 wrong usage or configuration.

Commands are imported when they are called, so that ``genjin version`` is there at once.
"""

from __future__ import annotations

import difflib
import importlib
import sys
from collections.abc import Sequence

import click

from bot.cli import texts


class Lazy(click.Group):
    """The commands of ``texts.COMMANDS``, each imported on its own."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(texts.COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = texts.COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module = importlib.import_module(f"bot.cli.{entry.module}")
        command: click.Command = getattr(module, entry.function or cmd_name)
        command.help = f"{entry.text}\n\n\b\n例：{entry.example}"
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and name not in texts.COMMANDS and not name.startswith("-"):
            near = difflib.get_close_matches(name, texts.COMMANDS, n=1)
            hint = texts.DID_YOU_MEAN.format(near=near[0]) if near else texts.SEE_HELP
            raise click.UsageError(texts.NO_COMMAND.format(name=name, hint=hint))
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write(texts.overview())


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
def genjin() -> None:
    """跟进：在企业微信和钉钉里帮销售记、提醒、推进的机器人。"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # whatever the locale: the contract is UTF-8
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        status = genjin.main(arguments or ["help"], prog_name="genjin", standalone_mode=False)
    except click.UsageError as error:
        click.echo(texts.usage_error(error), err=True)
        return 2
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo(texts.STOPPED, err=True)
        return 1
    except click.ClickException as error:
        click.echo(error.format_message(), err=True)
        return error.exit_code
    except BrokenPipeError:  # such as ``genjin audit | head``
        sys.stderr.close()
        return 1
    except Exception as error:
        from bot.cli import support

        told = support.told(error)
        if told is None:
            raise  # a bug: its trace is worth more than words
        click.echo(told.text, err=True)
        return told.status
    return status if isinstance(status, int) else 0
