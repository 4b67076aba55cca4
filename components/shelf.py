"""The atlases of the page Library: what each is, its matrix in small, and what can be done with it."""

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html

from components import ids, static_atlas
from components.layers import size_words
from components.server.permission import refusal, visitor
from services.atlas import Atlas
from services.atlas.library import Entry
from services.atlas.schema import ProjectionInfo
from services.errors import AtlasError
from services.models.memory import readable
from services.payloads.scene import projection_key
from services.projection import method_names
from services.streams.registry import CONTENT
from services.workshop.estimate import duration
from services.workshop.keeping import MOST_NOTES, MOST_TITLE, Thrown, same_as
from services.workshop.owners import Owners, Ownership


def shelf(entries: Sequence[Entry], thrown: Sequence[Thrown], owners: Owners, prefix: str) -> html.Div:
    """All atlases, the newest first, and below them what was deleted less than a day ago."""
    atlases = sorted((one.atlas for one in entries if one.atlas), key=lambda atlas: atlas.info.created, reverse=True)
    broken = [one for one in entries if one.atlas is None]
    return html.Div(
        [
            html.Div(
                [
                    *(_card(atlas, same_as(atlas, atlases), owners.of(atlas.slug), prefix) for atlas in atlases),
                    *map(_broken, broken),
                ],
                className="shelf-cards",
            ),
            *([_trash(thrown)] if thrown else []),
        ]
    )


def _card(atlas: Atlas, alike: Sequence[Atlas], ownership: Ownership | None, prefix: str) -> html.Article:
    info, slug = atlas.info, atlas.slug
    size = sum(file.bytes for file in info.files.values())
    heads = ", ".join(size_words(stream) for stream in info.streams if stream.kind != CONTENT)
    lines = [
        f"{info.model.id}: {heads}",
        f"{info.corpus.name}: {info.corpus.inputs:,} inputs, {info.corpus.tokens:,} tokens",
        f"{readable(size)}, {_age(info.created)}",
    ]
    return html.Article(
        [
            dcc.Link(
                _thumbnail(atlas, prefix),
                href=_address(prefix, slug),
                className="shelf-thumb",
                title=f"Explore {info.title}",
            ),
            html.H2(dcc.Link(info.title, href=_address(prefix, slug))),
            *(html.P(line, className="form-note") for line in lines),
            *([] if ownership is None else [_whose(atlas, ownership)]),
            *([html.P(info.about, className="shelf-notes")] if info.about else []),
            *([_alike(alike, prefix)] if alike else []),
            html.Div(
                [
                    html.A(
                        "Download", href=f"{prefix}library/{slug}.zip", download=f"{slug}.zip", className="text-button"
                    ),
                    _static_page(atlas, prefix),
                    _button("delete", slug, "Delete", f"Delete {info.title}; it can be had again for a day"),
                ],
                className="form-row",
            ),
            _edit(atlas),
        ],
        className="shelf-card",
        id=f"shelf-{slug}",
    )


def _static_page(atlas: Atlas, prefix: str) -> html.A | html.Span:
    """The link to its static page, which says beforehand what is in it and how large it gets, or why there is none."""
    try:
        contents = static_atlas.choose(atlas)
    except AtlasError as error:
        return html.Span("No static page", className="form-note", title=str(error))
    return html.A(
        f"Static page, ≤ {readable(contents.bytes)}",
        href=f"{prefix}library/{atlas.slug}/page.zip",
        download=f"{atlas.slug}-page.zip",
        className="text-button",
        title=f"A folder that opens in any browser without Python: {contents.words}",
    )


def _whose(atlas: Atlas, ownership: Ownership) -> html.Div:
    """Whose it is, who sees it, and the switch for those who may say so."""
    mine = ownership.owner == visitor()
    says = [html.Span("Yours" if mine else f"Of {ownership.owner or 'nobody known'}", className="form-note")]
    if not ownership.owner or refusal("share", ownership.owner) is not None:
        return html.Div([*says, html.Span("shared with everyone here", className="form-note")], className="form-row")
    switch = html.Button(
        html.Span("Shared with everyone here"),
        id=ids.shelf_deed("hide" if ownership.shared else "share", atlas.slug),
        className="shelf-share",
        type="button",
        role="switch",
        title=f"Whether everyone here sees {atlas.info.title}, or only its owner and admins",
        **{"aria-checked": str(ownership.shared).lower()},
    )
    return html.Div([*says, switch], className="form-row shelf-whose")


def _address(prefix: str, slug: str) -> str:
    return f"{prefix}?atlas={slug}"


def _thumbnail(atlas: Atlas, prefix: str) -> html.Span:
    """The matrix of all heads on the map that a page opens with; of both themes only the one that is seen is loaded."""
    chosen = opening_map(atlas)
    style = {}
    if chosen is not None:
        base = f"{prefix}payload/{atlas.slug}/{atlas.info.key}/sprite/{chosen.stream}"
        name = f"{chosen.name}-{projection_key(chosen)}"
        style = {f"--{theme}": f'url("{base}/{name}/type/{theme}.png?small=1")' for theme in ("light", "dark")}
    return html.Span(
        className="shelf-picture", style=style, role="img", **{"aria-label": f"All heads of {atlas.info.title}"}
    )


def opening_map(atlas: Atlas) -> ProjectionInfo | None:
    """The first flat map of the first stream, in the order of the menus; any map where none is flat."""
    stream = atlas.info.default_stream.name
    flat = [one for one in atlas.info.projections if one.stream == stream and one.dims == 2]
    order = {name: number for number, name in enumerate(method_names())}
    return min(flat, key=lambda one: order.get(one.method, len(order)), default=None)


def _alike(alike: Sequence[Atlas], prefix: str) -> html.P:
    links: list[Any] = []
    for other in alike[:5]:
        links += [dcc.Link(other.info.title, href=_address(prefix, other.slug)), ", "]
    return html.P(["Same model and corpus: ", *links[:-1]], className="form-note")


def _edit(atlas: Atlas) -> html.Details:
    slug, info = atlas.slug, atlas.info
    title, notes = ids.shelf_deed("title", slug), ids.shelf_deed("notes", slug)
    return html.Details(
        [
            html.Summary("Name and notes"),
            html.Label("Name", className="field-label", htmlFor=_in_page(title)),
            dbc.Input(id=title, value=info.title, maxlength=MOST_TITLE),
            html.Label("Notes", className="field-label", htmlFor=_in_page(notes)),
            dbc.Textarea(id=notes, value=info.about, rows=3, maxlength=MOST_NOTES),
            _button("save", slug, "Save", f"Save name and notes of {info.title}"),
        ],
        className="shelf-edit",
    )


def _in_page(id: dict[str, Any]) -> str:
    """An id of parts as the browser has it."""
    return json.dumps(id, sort_keys=True, separators=(",", ":"))


def _broken(entry: Entry) -> html.Article:
    return html.Article(
        [
            html.H2(entry.slug),
            html.P("It cannot be read.", className="check-problem"),
            html.P(entry.problem, className="form-note"),
            html.Div(_button("delete", entry.slug, "Delete", f"Delete {entry.slug}"), className="form-row"),
        ],
        className="shelf-card",
        id=f"shelf-{entry.slug}",
    )


def _trash(thrown: Sequence[Thrown]) -> html.Section:
    return html.Section(
        [
            html.H2("Deleted"),
            *(
                html.Div(
                    [
                        html.Span(f"{one.title}: gone for good in {duration(max(0.0, one.until - time.time()))}"),
                        _button("restore", one.id, "Undo", f"Take {one.title} back"),
                        _button("purge", one.id, "Delete for good", f"Remove {one.title} now"),
                    ],
                    className="form-row",
                )
                for one in thrown
            ),
        ],
        className="form-section",
        **{"aria-label": "Deleted"},
    )


def _button(deed: str, slug: str, label: str, title: str) -> html.Button:
    return html.Button(label, id=ids.shelf_deed(deed, slug), title=title, className="text-button", type="button")


def _age(created: str) -> str:
    try:
        seconds = (datetime.now(UTC) - datetime.fromisoformat(created)).total_seconds()
    except (ValueError, TypeError):
        return "of unknown age"
    return "just built" if seconds < 60 else f"{duration(seconds)} old"


def opener(most: int) -> html.Div:
    """The button that takes a file, and what it says of it."""
    return html.Div(
        [
            html.Button(
                "Open an atlas that was sent",
                id=ids.SHELF_OPEN,
                className="text-button",
                type="button",
                disabled=not most,
                **{"data-most": str(most)},
            ),
            html.Span(id=ids.SHELF_SAYS, role="status"),
        ],
        className="form-row",
    )
