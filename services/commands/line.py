"""The command line as a whole: its subcommands, their help, and where each is run."""

import argparse
import importlib
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from services import __version__

# Name → one line of help. The module services.commands.<name> has `add_options(parser)` and `run(options)`.
COMMANDS = {
    "serve": "serve the dashboard; builds the demo beside it when there is no atlas (the default)",
    "build": "build an atlas: capture every attention head of a model on a corpus and lay it out",
    "verify": "compare every file of an atlas with its recorded hash, or (--model) a capture with hooks on the model",
    "export": "write an atlas as a folder of HTML and data that opens in any browser, without Python",
    "worker": "run the jobs that dashboards of the same ATLAS_HOME ask for, until stopped",
    "password": "print a line for the file of users that ATLAS_AUTH names",
    "validate": "find the heads of a model that are known by name: repeats, and relations of a treebank",
    "models": "list the models at hand, or say what a model's attention looks like",
}


class _Formatter(argparse.HelpFormatter):
    """Every default is said once: here, unless it is nothing, a switch, or the help says it in words."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        text = action.help or ""
        unsaid = action.default is None or action.default is False or action.default == argparse.SUPPRESS
        if unsaid or not action.option_strings or "(default" in text:
            return text
        return f"{text} (default: %(default)s)"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line instead of argparse's usage text."""
        self.exit(2, f"{message}; see python {self.prog} --help\n")


def parser(only: str | None = None) -> argparse.ArgumentParser:
    """The whole command line; `only`: with the options of that command alone, which imports no other's modules."""
    cli = _Parser(
        prog="app.py",
        description="Attention Atlas: see how a transformer attends, every head in one map.",
        epilog="python app.py COMMAND --help explains a command. Settings are environment variables: docs/settings.md.",
        formatter_class=_Formatter,
    )
    cli.add_argument("--version", action="version", version=f"Attention Atlas {__version__}")
    commands = cli.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    for name, line in COMMANDS.items():
        sub = commands.add_parser(
            name, help=line, description=f"{line[:1].upper()}{line[1:]}.", formatter_class=_Formatter
        )
        if only in (None, name):
            _module(name).add_options(sub)
    return cli


def run(
    arguments: Sequence[str], create_app: Callable[[Any, Any], Any], static_atlas: Callable[[], Any] | None = None
) -> int:
    """Parse and run; without a command the dashboard is served. Returns the exit code.

    create_app: makes the dashboard from the settings and the jobs; only `serve` calls it.
    static_atlas: the module that makes static pages; only `export` asks for it.
    """
    given = list(arguments)
    if not given or (given[0].startswith("-") and given[0] not in ("-h", "--help", "--version")):
        given = ["serve", *given]
    options = parser(given[0] if given[0] in COMMANDS else "").parse_args(given)
    module = _module(options.command)
    needs = {"serve": create_app, "export": static_atlas}.get(options.command)
    return module.run(options, needs) if needs else module.run(options)


def _module(name: str) -> Any:
    return importlib.import_module(f"services.commands.{name}")
