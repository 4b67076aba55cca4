"""The words of the field, each with an address of its own."""

import dash
from dash import ClientsideFunction, Input, Output, clientside_callback, html

from components import ids
from components.glossary_terms import GLOSSARY

dash.register_page(__name__, path="/glossary", title="Glossary · Attention Atlas", name="Glossary")


def layout(**_query: str) -> html.Div:
    """Every term under an anchor: /glossary#sink."""
    entries = [
        html.Div([html.Dt(html.A(term, href=f"#{anchor}")), html.Dd(text)], id=anchor, className="entry", tabIndex=-1)
        for anchor, (term, text) in GLOSSARY.items()
    ]
    return html.Div(
        html.Div([html.H1("Glossary"), html.Dl(entries, id=ids.GLOSSARY)], className="guide-text glossary"),
        className="guide",
        tabIndex=0,
    )


clientside_callback(
    ClientsideFunction("atlasHelp", "showEntry"),
    Output(ids.GLOSSARY, "title"),
    Input(ids.GLOSSARY, "id"),
    Input(ids.URL, "hash"),
)
