"""The page "Library": all atlases of this home, to be opened, named, taken away, deleted and taken back."""

from typing import Any

import dash
from dash import ALL, Input, Output, State, callback, ctx, html, no_update

from components import ids
from components.compare_view import comparer
from components.server.context import context
from components.server.permission import NOBODY, Deed, may_see_of, refusal
from components.shelf import opener, shelf
from services.atlas import SLUG
from services.errors import AtlasError, BuildError
from services.workshop.keeping import Keeping
from services.workshop.owners import Ownership

dash.register_page(__name__, path="/library", title="Library · Attention Atlas", name="Library")

_ASKS: dict[str, Deed] = {
    "save": "rename",
    "delete": "delete",
    "restore": "delete",
    "purge": "delete",
    "share": "share",
    "hide": "share",
}
_THROWN = ("restore", "purge")


def layout(**_query: str) -> html.Div:
    return html.Div(
        html.Div(
            [
                html.H1("Library"),
                opener(context().settings.atlas_bytes),
                comparer(context().library.entries()),
                html.Div(_shelf(), id=ids.SHELF),
            ],
            className="form-page",
        ),
        className="guide",
        tabIndex=0,
    )


def _shelf() -> html.Div:
    here = context()
    keeping = Keeping(here.settings)
    keeping.sweep()
    thrown = [one for one in keeping.thrown() if may_see_of(_owner(one.ownership))]
    return shelf(here.library.entries(), thrown, keeping.owners, here.settings.url_prefix)


def _owner(ownership: Ownership | None) -> str:
    """Whose it is, as far as it is anyone's."""
    return "" if ownership is None else ownership.owner or NOBODY


@callback(
    Output(ids.SHELF, "children"),
    Output(ids.SHELF_SAYS, "children"),
    Input(ids.JOBS, "data"),
    Input(ids.shelf_deed("save", ALL), "n_clicks"),
    Input(ids.shelf_deed("delete", ALL), "n_clicks"),
    Input(ids.shelf_deed("restore", ALL), "n_clicks"),
    Input(ids.shelf_deed("purge", ALL), "n_clicks"),
    Input(ids.shelf_deed("share", ALL), "n_clicks"),
    Input(ids.shelf_deed("hide", ALL), "n_clicks"),
    State(ids.shelf_deed("title", ALL), "value"),
    State(ids.shelf_deed("notes", ALL), "value"),
    State(ids.shelf_deed("title", ALL), "id"),
    prevent_initial_call=True,
)
def keep(*values: Any) -> tuple[Any, Any]:
    """Do what was pressed, and show what is there now."""
    pressed = ctx.triggered_id
    if not isinstance(pressed, dict):
        return _shelf(), no_update
    deed, slug = pressed.get("deed"), pressed.get("slug")
    if deed not in _ASKS or not any(one.get("value") for one in ctx.triggered):
        return no_update, no_update
    try:
        problem = refusal(_ASKS[deed], _whose(deed, slug)) or _do(deed, slug, *values[-3:])
    except AtlasError as error:
        problem = str(error)
    return _shelf(), problem


def _whose(deed: str, slug: Any) -> str:
    """Whose an atlas is, or was before it was deleted.

    Raises:
        BuildError: there is none that the visitor may see.
    """
    here = context()
    keeping = Keeping(here.settings)
    if deed in _THROWN:
        thrown = next((one for one in keeping.thrown() if one.id == slug), None)
        if thrown is not None and not may_see_of(_owner(thrown.ownership)):
            raise BuildError("That atlas is gone for good.")
        return _owner(thrown.ownership if thrown else None)
    if not isinstance(slug, str) or not SLUG.fullmatch(slug) or not here.library.sees(slug):
        raise BuildError("There is no such atlas.")
    return _owner(keeping.owners.of(slug))


def _do(deed: str, slug: Any, titles: Any, notes: Any, names: Any) -> str:
    """
    Returns: what to say of it.

    Raises:
        AtlasError: it cannot be done.
    """
    keeping = Keeping(context().settings)
    if deed == "save":
        keeping.describe(slug, *_texts(slug, titles, notes, names))
        return "Saved."
    if deed == "delete":
        return f"{keeping.delete(slug).title} is deleted; it can be taken back for a day."
    if deed in ("share", "hide"):
        keeping.owners.share(slug, deed == "share")
        return "Everyone here sees it now." if deed == "share" else "Only its owner and admins see it now."
    if deed == "restore":
        keeping.restore(slug)
        return "It is back."
    keeping.purge(slug)
    return "It is gone for good."


def _texts(slug: Any, titles: Any, notes: Any, names: Any) -> tuple[str, str]:
    """Title and notes that were written for an atlas; empty where what was posted holds none."""
    if isinstance(names, list) and isinstance(titles, list) and isinstance(notes, list):
        for name, title, text in zip(names, titles, notes, strict=False):
            if isinstance(name, dict) and name.get("slug") == slug:
                return title if isinstance(title, str) else "", text if isinstance(text, str) else ""
    return "", ""
