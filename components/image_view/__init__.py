"""ImageView: the attention of one head on one image, laid over it or as arrows, and the same patch in other heads."""

from typing import Any

from dash.development.base_component import Component

# Their scripts fetch, work out the weights and make the colours.
from components import client, sentence_view  # noqa: F401
from components.registered import register

__version__ = "0.1.0"

SCRIPTS = ("geometry.js", "paint.js", "data.js", "strips.js", "legend.js", "pointer.js", "view.js", "component.js")
_js_dist = [{"relative_package_path": name, "namespace": __name__} for name in SCRIPTS]
_css_dist = [{"relative_package_path": "style.css", "namespace": __name__}]
register(__name__, "atlas_image_view")


class ImageView(Component):
    """What a patch of an image reads in one head, or who reads it.

    Its properties are those of `components.sentence_view.SentenceView` where both have them: the two are the views of
    an input, of one modality each.

    Keyword arguments, all optional:

    id (string), className (string): of the outer element.
    payload (dict or None): {"base": "{prefix}/payload/<atlas>/<key>", "stream", "layers", "heads"}.
    layer (int), head (int): the head, counted from 0.
    selection (dict or None): {"input", "token": token row or None, "side"}: the image and its chosen patch.
    mode ("lines" or "heatmap"): arrows from queries to keys, or weights laid over the image.
    topk (int), threshold (float): which pairs are arrows: the strongest keys of each query, weights of at least this.
    hideWithin (bool), hideAcross (bool): of texts alone.
    hideSpecial (bool), hideFirst (bool), hidden (dict): tokens left out; the weights that remain are renormalised.
    byValueNorm (bool): not used: patches are compared by weight alone.
    look (dict): {"shade": "linear" | "sqrt" | "clipped", "opacity": 0 … 1, "source": "head" | "rollout", "arrows":
        "strongest" | "all"}: how weights become shades, how much of the image they cover, whether they are the head's
        or attention rollout over the layers up to its own, and which arrows are drawn while no patch is chosen.
    theme (string): of the page.
    pair (dict or None): more numbers of one pair, shown beside its weight: {"query", "key", "rows"}.
    picked (dict; out only): {"token": token row or None, "side", "n"}: a patch was clicked.
    toggled (dict; out only): {"token", "side", "n"}: one was Shift- or Ctrl-clicked, to put it into the set.
    hover (dict or None; out only): {"query", "key", "weight"} of the patch under the pointer and the chosen one.
    tokenSet (dict or None): not used.
    """

    _namespace = "atlas_image_view"
    _type = "ImageView"
    _children_props: tuple[str, ...] = ()
    _base_nodes = ("children",)
    _prop_names = (
        "id",
        "className",
        "payload",
        "layer",
        "head",
        "selection",
        "picked",
        "mode",
        "topk",
        "threshold",
        "hideSpecial",
        "hideFirst",
        "hideWithin",
        "hideAcross",
        "byValueNorm",
        "hidden",
        "look",
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

    def __init__(self, **props: Any) -> None:
        super().__init__(**props)
