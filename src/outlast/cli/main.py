"""`outlast`: the program. Whatever takes long to import is imported by the command that needs it."""

import sys
from typing import Annotated

import typer

from outlast.cli import server
from outlast.cli.settings import BadFlag, BadSetting

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]
"""Typer keeps it in a private module."""

app = typer.Typer(
    name="outlast",
    help="Durable execution: workflows that run to completion, once, whatever happens to the machine.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(server.app, name="server")


def _print_version(wanted: bool) -> None:
    if wanted:
        from outlast.cli.version import PROTOCOL_VERSION, package_version

        typer.echo(f"outlast {package_version()} (server {PROTOCOL_VERSION} protocol)")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", "-v", callback=_print_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    pass


def main() -> int:
    """Run a command line; returns its exit code. An error that the operator can do something about is one line."""
    try:
        return app(standalone_mode=False) or 0
    except BadFlag as error:
        return _refuse(str(error), EXIT_USAGE)
    except BadSetting as error:
        return _refuse(str(error), EXIT_FAILED)
    except _UsageError as error:
        return _refuse(error.format_message(), EXIT_USAGE)  # type: ignore[attr-defined]
    except (KeyboardInterrupt, typer.Abort):
        return EXIT_INTERRUPTED


def _refuse(message: str, code: int) -> int:
    if message:
        typer.echo(f"outlast: {message}", err=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
