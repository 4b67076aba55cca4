"""Who may do what: the one place that is asked before anything is built, brought, changed or removed."""

from typing import Literal

from flask import g, has_request_context

from services.access import Role, User
from services.workshop.owners import Ownership

NOBODY = "\x1f"  # owner of what has one who is not known; no user's name
Deed = Literal["build", "upload", "stop", "rename", "delete", "open", "share"]
HALTED = "The disk of this server cannot be written just now: all can be looked at, nothing started or changed."
NEEDS: dict[Deed, Role] = {
    "build": "build",
    "upload": "build",
    "open": "build",
    "stop": "build",
    "rename": "admin",
    "delete": "admin",
    "share": "admin",
}
SAYS: dict[Deed, str] = {
    "build": "start what takes the server's time",
    "upload": "bring files",
    "open": "bring atlases",
    "stop": "stop this",
    "rename": "change an atlas for everyone",
    "delete": "delete an atlas for everyone",
    "share": "say who sees an atlas",
}


def user() -> User:
    """Who asks; outside a request, the program itself."""
    return g.get("user", User(None, "admin")) if has_request_context() else User(None, "admin")


def refusal(deed: Deed, owner: str = "") -> str | None:
    """Why the present visitor may not; None when they may. owner: whose it is, as far as that is known.

    Of others' things only an admin may stop or change any; one's own need no more than they needed to begin.
    """
    who = user()
    role = NEEDS[deed]
    if owner and who.name is not None:
        role = "build" if owner == who.name else "admin"
    if who.may(role):
        return None
    if has_request_context() and g.get("halted"):
        return HALTED
    return f"You may look at what you see here, but not {SAYS[deed]}: that takes the role {role}."


def visitor() -> str:
    """What the present visitor is called in orders; "" where nobody has a name."""
    return user().name or ""


def limited_person() -> str:
    """The present visitor's name where quotas hold for them, else ""."""
    return visitor() if user().is_limited else ""


def may_see(ownership: Ownership | None) -> bool:
    """Whether the present visitor may see an atlas."""
    who = user()
    if ownership is None or who.name is None or who.may("admin"):
        return True
    return ownership.shared or ownership.owner == who.name


def may_see_of(owner: str) -> bool:
    """Whether the present visitor may see what somebody has asked for and never shares; "" has asked for everyone."""
    return may_see(Ownership(owner=owner) if owner else None)
