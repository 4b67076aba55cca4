"""Who may do what: roles, the file of users, and addresses that are trusted."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Literal, get_args

from services.errors import AtlasError

Role = Literal["view", "build", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
_NAME = re.compile(r"[\w.@+-]{1,64}")

LONGEST_NAME = 128

Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class User:
    """Someone at the door; name is None where the server has no users."""

    name: str | None
    role: Role

    def may(self, role: Role) -> bool:
        return ROLES.index(self.role) >= ROLES.index(role)

    @property
    def is_limited(self) -> bool:
        """Whether quotas hold for them."""
        return self.name is not None and not self.may("admin")


@dataclass(frozen=True)
class Account:
    role: Role
    password: str  # its hash; empty: known by name alone, through a proxy


def user_line(name: str, role: str, password: str) -> str:
    """A line of the file of users.

    Raises:
        AtlasError: a name or role that is not possible, or no password.
    """
    if not _NAME.fullmatch(name):
        raise AtlasError(f"{name!r} cannot name a user: letters, digits and . _ @ + - only, at most 64.")
    if role not in ROLES:
        raise AtlasError(f"There is no role {role!r}: choose from {', '.join(ROLES)}.")
    if not password:
        raise AtlasError("An empty password lets everyone in: choose another.")
    return f"{name}:{role}:{_hashed(password)}"


def _hashed(password: str) -> str:
    from werkzeug.security import generate_password_hash  # every program reads settings, and few passwords

    return generate_password_hash(password)


@cache
def _of_no_one() -> str:
    """What is checked for unknown names, so that they take as long as known ones."""
    return _hashed("")


def read_users(file: Path) -> dict[str, Account]:
    """The users of a file with one `name:role:hash` a line; lines that begin with # are notes.

    Raises:
        AtlasError: the file cannot be read, or a line is none; the message names it, not what it holds.
    """
    try:
        lines = file.expanduser().read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise AtlasError(f"ATLAS_AUTH: {file} cannot be read ({error}).") from error
    users: dict[str, Account] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, rest = line.strip().partition(":")
        role, _, password = rest.partition(":")
        if not _NAME.fullmatch(name) or role not in ROLES:
            raise AtlasError(
                f"ATLAS_AUTH: line {number} of {file} is no name:role:hash; `python app.py password NAME` writes one."
            )
        users[name] = Account(role, password)
    if not users:
        raise AtlasError(f"ATLAS_AUTH: {file} names nobody; `python app.py password NAME` writes a line.")
    return users


def entered(users: Mapping[str, Account], name: str, password: str) -> User | None:
    """The user of a name and password, or None."""
    from werkzeug.security import check_password_hash

    account = users.get(name)
    fits = check_password_hash(account.password if account and account.password else _of_no_one(), password)
    return User(name, account.role) if account and account.password and fits else None


def is_name(text: str) -> bool:
    """Whether a proxy's word can name a user: one short line of characters that are seen."""
    return 0 < len(text) <= LONGEST_NAME and text.isprintable()


def networks(text: str) -> list[Network]:
    """Addresses and networks with commas between them. Raises: ValueError."""
    return [ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip()]


def is_within(address: str | None, trusted: Sequence[Network]) -> bool:
    """Whether an address is in one of the networks; never for what is no address."""
    try:
        found = ip_address(address or "")
    except ValueError:
        return False
    return any(found in network for network in trusted)
