"""What the browser reads of the declarations, and of what else the server's code says once: `window.atlasTables`.

Client code types none of it again: a test looks for literals that stand here.
"""

import json
from typing import Any

from components.palettes import SCENE_COLOURS, THEMES
from components.state.atlas_page import AtlasPage
from components.state.compare_page import ComparePage
from components.state.declare import Choice, Store
from components.state.heads_page import HeadsPage
from components.state.page import PageState
from components.state.scaling_page import ScalingPage
from components.words import SPACE_NOTES, TITLES
from services.atlas.layouts import OUTSIDE
from services.attributes.attribute import SIDE_STEPS
from services.attributes.registry import Attribute, attributes, says_side_only, variants
from services.attributes.registry import listed as listed_attributes
from services.measures.measure import described
from services.measures.registry import listed
from services.payloads.average import FEW, LEVELS
from services.search import brush, token_sets

PAGES: dict[str, type[PageState]] = {
    "atlas": AtlasPage,
    "scaling": ScalingPage,
    "heads": HeadsPage,
    "compare": ComparePage,
}
THEME_KEY = "atlas-theme"  # in the browser's storage


def tables(prefix: str, pages: dict[str, type[PageState]] | None = None) -> dict[str, Any]:
    """Everything, as JSON can hold it."""
    return {
        "prefix": prefix,
        "pages": {name: page_table(page) for name, page in (pages or PAGES).items()},
        "theme": {"names": list(THEMES), "key": THEME_KEY},
        "titles": TITLES,
        "spaceNotes": SPACE_NOTES,
        "measures": [described(measure) for measure in listed()],
        "variants": {one.name: _variants(one) for one in listed_attributes() if variants(one)},
        "attributes": [_attribute(one) for one in attributes()],
        "brush": {"steps": SIDE_STEPS, "sides": brush.SIDES},
        "average": {"few": FEW, "levels": LEVELS},
        "colours": SCENE_COLOURS,
        "camera": {"eye": token_sets.EYE, "shrink": token_sets.SHRINK},
        "frames": {"outside": OUTSIDE},
        "sets": {
            "vertices": token_sets.DRAWN_VERTICES,
            "points": token_sets.MOST_POINTS,
            "regions": token_sets.MOST_REGIONS,
            "text": token_sets.LINK_TEXT,
        },
    }


def _variants(attribute: Attribute) -> dict[str, Any]:
    options = [{"label": one.choice, "value": one.name} for one in variants(attribute)]
    return {"label": attribute.choices, "options": options}


def _attribute(attribute: Attribute) -> dict[str, Any]:
    """What a brush must know of an attribute; plain: its values are the sides."""
    return {
        "name": attribute.name,
        "label": attribute.label,
        "kind": attribute.kind,
        "scope": attribute.scope,
        "categories": list(attribute.categories),
        "plain": says_side_only(attribute),
    }


def script(prefix: str) -> bytes:
    """The tables as the browser loads them, before all other scripts."""
    return f"window.atlasTables = {json.dumps(tables(prefix), ensure_ascii=False)};\n".encode()


def page_table(page: type[PageState]) -> dict[str, Any]:
    """A page's stores with their defaults and controls, and the parameters of its links in their order."""
    return {
        "path": page.path,
        "stores": {name: _store(store) for name, store in page.stores().items()},
        "parameters": [
            _parameter(name, parameter, fields)
            for name, store in page.stores().items()
            for parameter, fields in store.parameters().items()
        ],
    }


def _store(store: type[Store]) -> dict[str, Any]:
    default, choices = store().to_store(), store.choices()
    ticked = dict.fromkeys(control for choice in choices.values() for control in choice.ticks)
    return {
        "id": store.id,
        "default": default,
        "controls": [{"field": name, "as": _as(default[name])} for name, choice in choices.items() if choice.control],
        "ticks": {control: [name for name, choice in choices.items() if control in choice.ticks] for control in ticked},
        "shown": [{"field": name, "property": choice.shows} for name, choice in choices.items() if choice.shows],
    }


def _as(default: Any) -> str:
    """How a control's value becomes a field's."""
    return "switch" if isinstance(default, bool) else "number" if isinstance(default, int) else "text"


def _parameter(store: str, parameter: str, fields: dict[str, Choice]) -> dict[str, Any]:
    first = next(iter(fields.values()))
    rules = {
        "always": first.always,
        "needs": first.needs.split("."),
        "butNot": first.but_not.split("."),
        "moves": first.moves,
        "step": first.step,
    }
    return {
        "name": parameter,
        "kind": first.kind,
        "store": store,
        "fields": [{"field": name, **choice.facts()} for name, choice in fields.items()],
        **{name: rule for name, rule in rules.items() if rule not in (False, [""])},
    }
