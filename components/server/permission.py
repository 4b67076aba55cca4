"""Who may do what: the one place that is asked before anything is built, brought, changed or removed."""

from typing import Literal

from flask import g, has_request_context

from services.access import Role, User

Deed = Literal["build", "upload", "stop", "rename", "delete", "open"]
NEEDS: dict[Deed, Role] = {
    "build": "build",
    "upload": "build",
    "open": "build",
    "stop": "build",
    "rename": "admin",
    "delete": "admin",
}
SAYS: dict[Deed, str] = {
    "build": "start what takes the server's time",
    "upload": "bring files",
    "open": "bring atlases",
    "stop": "stop this",
    "rename": "change an atlas for everyone",
    "delete": "delete an atlas for everyone",
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
    return f"You may look at everything here, but not {SAYS[deed]}: that takes the role {role}."


def visitor() -> str:
    """What the present visitor is called in orders; "" where nobody has a name."""
    return user().name or ""
