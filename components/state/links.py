"""Links: the callbacks that keep a page's address, and addresses that the server writes itself."""

from urllib.parse import urlencode

from dash import ClientsideFunction, Input, Output, State, clientside_callback

from components.state.page import PageState
from components.state.tables import PAGES


def mirror_in_address(page: str) -> None:
    """Register the one writer of a page's address (assets/05-link.js): it hears of every store.

    Dash calls a function only when all its inputs are settled: a store that waits for the server has a call of its own.
    """
    stores = list(PAGES[page].stores().values())
    prompt = [store for store in stores if not store.late]
    for heard in (prompt, *([store] for store in stores if store.late)):
        clientside_callback(
            ClientsideFunction("atlasLink", page),
            *[Input(store.id, store.property) for store in heard],
            *[State(store.id, store.property) for store in stores],
        )


def open_other_atlas(page: str, atlas: str, stream: str) -> None:
    """Another atlas, or another stream of it, is another address: the two selects lead there."""
    stores = PAGES[page].stores().values()
    clientside_callback(
        ClientsideFunction("atlasLink", f"{page}Opens"),
        Output(atlas, "title"),
        Input(atlas, "value"),
        Input(stream, "value"),
        *[State(store.id, store.property) for store in stores],
        prevent_initial_call=True,
    )


def address(prefix: str, page: type[PageState], parameters: dict[str, str]) -> str:
    """The address of a page's state.

    Raises:
        ValueError: a link to this page has no such parameter.
    """
    if unknown := parameters.keys() - page.parameters().keys():
        raise ValueError(f"no parameter of a link: {', '.join(sorted(unknown))}")
    return f"{prefix}{page.path}?{urlencode(parameters)}"
