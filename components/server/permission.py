"""Who may do what: the one place that is asked before anything is built, brought, changed or removed.

So far everybody may who reaches the dashboard.
"""

from typing import Literal

Deed = Literal["build", "upload", "stop", "rename", "delete", "open"]


def refusal(deed: Deed, owner: str = "") -> str | None:
    """Why the present visitor may not; None when they may. owner: whose it is, as far as that is known."""
    return None


def visitor() -> str:
    """What the present visitor is called in orders; "" where nobody has a name."""
    return ""
