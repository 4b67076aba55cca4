"""SentenceView: the attention of one head on one input, as lines or as a heatmap.

Plain JavaScript on a canvas, no build step: Dash serves the files below as they are. The component fetches
its data itself (docs/payload.md); its props carry only names and small choices.
"""

from dash.development.base_component import Component

from components import client  # noqa: F401  its cache is what data.js fetches through
from components.registered import register

__version__ = "0.1.0"

_SCRIPTS = (
    "weights.js",
    "tokens.js",
    "layout.js",
    "colour.js",
    "data.js",
    "draw.js",
    "describe.js",
    "interaction.js",
    "element.js",
    "picture.js",
    "words.js",
    "reader.js",
    "set.js",
    "view.js",
    "component.js",
)
_js_dist = [{"relative_package_path": name, "namespace": __name__} for name in _SCRIPTS]
_css_dist = [{"relative_package_path": "style.css", "namespace": __name__}]
register(__name__, "atlas_sentence_view")


class SentenceView(Component):
    """The attention of one head on one input: queries left, keys right.

    Keyword arguments, all optional:

    id (string or dict): the id of the component.
    className (string), style (dict): for the outer element. Give it a height; the picture fills it.

    payload (dict or None): {"base": "{prefix}/payload/<atlas>/<key>", "stream": name}.
    layer (int), head (int): the head, counted from 0.
    selection (dict or None): the input and, where one is chosen, its pinned token: {"input": index, "token": token row
        or None, "side": "query" or "key"}. None shows a sentence that says how to choose one. Which side is pinned (or
        hovered) decides the direction: what a query reads, or who reads a key.
    mode ("lines" or "heatmap"; default "lines").
    topk (int; default 0): only the k strongest keys of a query (of a key: its k strongest queries); 0 = all.
    threshold (float 0 … 1; default 0): only weights of at least this. Both choose what is drawn; they never
        change a weight.
    hideSpecial (bool), hideFirst (bool): hide special tokens / the first token, on both sides.
    hideWithin (bool), hideAcross (bool): of pairs of texts, hide attention within a text / from one text to the other.
    byValueNorm (bool): weight × norm of the key's value vector, each row renormalised.
    theme ("light", "dark" or None): None follows `data-bs-theme` of the page.
    pair (dict or None): more numbers of one pair, shown in its tooltip: {"query": index, "key": index,
        "rows": [[label, text or number], …]}; ignored while another pair is under the pointer.

    picked (dict; out only): a token was clicked: {"token": token row, "side", "n"}, or no token any more: `token` None.
        It is pinned once `selection` says so.
    pairPicked (dict; out only): a line was clicked, or a cell of the heatmap: {"query": index, "key": index,
        "first": row of the input's first query, "open": a line was, which has no other meaning, "n"}.
    hidden (dict; two-way): {"queries": [index, …], "keys": [index, …]}, counted within the input. The weights
        that remain of each row are renormalised. Kept over every other change; emptied when another input (or
        stream or atlas) is shown, unless `hidden` is set in the same update.

    tokenSet (dict or None): {"definition": text} of a set of points (services/token_sets.py); its tokens get a mark.
    toggled (dict; out only): {"token": token row, "side", "n"}: a token was Shift- or Ctrl-clicked, or `s` pressed
        on it, to put it into the set or take it out.

    hover (dict or None; out only): {"query": index or None, "key": index or None, "weight": shown weight
        of the pair or None}, at most ten times a second.
    """

    _namespace = "atlas_sentence_view"
    _type = "SentenceView"
    _children_props: tuple[str, ...] = ()
    _base_nodes = ("children",)
    _prop_names = (
        "id",
        "className",
        "style",
        "payload",
        "layer",
        "head",
        "selection",
        "picked",
        "pairPicked",
        "mode",
        "topk",
        "threshold",
        "hideSpecial",
        "hideFirst",
        "hideWithin",
        "hideAcross",
        "byValueNorm",
        "hidden",
        "theme",
        "pair",
        "tokenSet",
        "toggled",
        "hover",
    )
    _valid_wildcard_attributes: tuple[str, ...] = ()
    available_properties = _prop_names
    available_wildcard_properties: tuple[str, ...] = ()
    _js_dist = _js_dist
    _css_dist = _css_dist

    def __init__(self, **props):
        super().__init__(**props)
