"""`app.py password`: a line of the file that ATLAS_AUTH names."""

import argparse
import getpass
import sys

from services.access import ROLES, user_line
from services.errors import AtlasError


def add_options(cli: argparse.ArgumentParser) -> None:
    """Name and role; the password is asked for, or read from standard input."""
    cli.add_argument("name", help="name of the user")
    cli.add_argument(
        "--role", default="view", choices=ROLES, help="view: look; build: start builds too; admin: everything"
    )


def run(options: argparse.Namespace) -> int:
    """Print the line. Returns the exit code."""
    ask = sys.stdin.isatty()
    password = getpass.getpass("Password: ") if ask else sys.stdin.readline().rstrip("\n")
    if ask and getpass.getpass("Again: ") != password:
        print("The two passwords differ.", file=sys.stderr)
        return 2
    try:
        print(user_line(options.name, options.role, password))
    except AtlasError as error:
        print(error, file=sys.stderr)
        return 2
    return 0
