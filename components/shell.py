"""The frame around every page: bar, theme, notices."""

import uuid
from collections.abc import Sequence

import dash
import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from components import ids
from components.job_banner import job_watch


def icon(name: str) -> html.Span:
    """A decorative icon that takes the colour of its text."""
    return html.Span(className=f"icon icon-{name}", **{"aria-hidden": "true"})


def icon_button(id: str, name: str, label: str, **more: object) -> html.Button:
    """A button that shows an icon and says its name to screen readers and on hover."""
    return html.Button(
        icon(name), id=id, title=label, className="icon-button", type="button", **{"aria-label": label}, **more
    )


def model_notes(notes: Sequence[str]) -> list[html.Li]:
    """What a reader of every picture of a model should know, for a list of facts."""
    return [html.Li(note, className="model-note") for note in notes]


def shell(prefix: str, extra: Sequence[Component] = (), more: Sequence[Component] = ()) -> html.Div:
    """The app layout.

    Args:
        extra: further buttons of the bar.
        more: what belongs to every page and is not seen at first.
    """
    return html.Div(
        [
            dcc.Store(id=ids.THEME),
            dcc.Store(id=ids.TAB, data=uuid.uuid4().hex),
            dcc.Location(id=ids.URL, refresh="callback-nav"),
            html.A("Skip to the map", href="#page", className="skip-link"),
            html.Header(
                [
                    dcc.Link(
                        [
                            html.Span(className="brand-mark", **{"aria-hidden": "true"}),
                            html.Span("Attention Atlas", className="brand-name"),
                        ],
                        href=prefix,
                        className="brand",
                    ),
                    html.Div(id=ids.BANNER, className="banner", role="status"),
                    html.Nav(
                        [
                            dcc.Link("Library", href=f"{prefix}library", className="nav-link-quiet"),
                            dcc.Link("New atlas", href=f"{prefix}new", className="nav-link-quiet"),
                            dcc.Link("Heads", href=f"{prefix}heads", className="nav-link-quiet"),
                            dcc.Link("Compare", href=f"{prefix}compare", className="nav-link-quiet"),
                            dcc.Link([html.Span("Scaling")], href=f"{prefix}scaling", className="nav-link-quiet"),
                            dcc.Link(
                                "Guide",
                                href=f"{prefix}guide",
                                className="nav-link-quiet",
                            ),
                            dcc.Link("Glossary", href=f"{prefix}glossary", className="nav-link-quiet nav-glossary"),
                            *extra,
                            icon_button(ids.THEME_BUTTON, "circle-half", "Switch between light and dark"),
                        ],
                        className="topnav",
                        **{"aria-label": "Pages"},
                    ),
                ],
                className="topbar",
            ),
            html.Main(dash.page_container, id="page"),
            *job_watch(),
            *more,
        ],
        className="shell",
    )


def notice(sentences: Sequence[str]) -> dbc.Alert | None:
    """What the page dropped from a link, or None."""
    if not sentences:
        return None
    return dbc.Alert(
        [html.Div(sentence) for sentence in sentences], color="warning", dismissable=True, className="notice"
    )
