"""Sets of heads as short texts: the server and the browser write and read the same."""

import json
import random

import pytest

from services.atlas.schema import StreamInfo
from services.errors import SearchError
from services.search import head_sets
from services.streams import FULL
from tests.node_runtime import run_node


def size(layers, heads, numbers=(), model_layers=None):
    return StreamInfo(
        name="self",
        layers=layers,
        heads=heads,
        key_heads=heads,
        head_dim=2,
        mask=FULL,
        scaling=(1.0,) * layers,
        layer_numbers=numbers,
        model_layers=model_layers,
    )


SIZES = [(6, 12), (1, 1), (30, 9), (100, 100)]


def test_a_set_survives_its_text():
    assert head_sets.text_of([15, 3, 16, 17, 3], size(6, 12)) == "0.3_1.3-1.5"
    assert head_sets.cells("0.3_1.3-1.5", size(6, 12)) == [3, 15, 16, 17]
    assert head_sets.text_of(range(72), size(6, 12)) == head_sets.text_of([], size(6, 12)) == ""
    for layers, heads in SIZES[2:]:
        for share in (0.01, 0.5, 0.99):
            chosen = sorted(random.Random(0).sample(range(layers * heads), int(share * layers * heads)))
            text = head_sets.text_of(chosen, size(layers, heads))
            assert head_sets.cells(text, size(layers, heads)) == chosen
            assert len(text) < 2000


def test_layers_are_those_of_the_model_where_only_some_attend():
    hybrid = size(3, 4, (3, 7, 11), 12)
    assert head_sets.text_of([0, 1, 6, 11], hybrid) == "3.0-3.1_7.2_11.3"
    assert head_sets.cells("3.0-3.1_7.2_11.3", hybrid) == [0, 1, 6, 11]
    assert head_sets.cells("3.3-7.0", hybrid) == [3, 4]
    with pytest.raises(SearchError, match=r"no head L0 H0: there are 3 layers \(3, 7, 11\) of 4"):
        head_sets.cells("0.0", hybrid)


def test_the_browser_writes_the_same_text_and_reads_it_back():
    cases = []
    for layers, heads in SIZES:
        for share in (0.02, 0.4, 0.9):
            count = layers * heads
            chosen = sorted(random.Random(1).sample(range(count), int(share * count)))
            cases.append((layers, heads, chosen, head_sets.text_of(chosen, size(layers, heads))))
    script = f"""
        const {{ cellsOf, textOf }} = require("./components/client/head_sets.js");
        const cases = {json.dumps(cases)};
        for (const [layers, heads, cells, text] of cases) {{
          const size = {{ layers, heads }};
          if (textOf(cells, size) !== text) throw new Error("writes " + textOf(cells, size));
          const read = text ? cellsOf(text, size) : cells;
          if (String(read) !== String(cells)) throw new Error("reads " + text);
        }}
        console.log("same");
    """
    ran = run_node("-e", script)
    assert ran.stdout.strip() == "same", ran.stderr[-600:]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("6.0", "no head L6 H0"),
        ("0.12", "no head L0 H12"),
        ("0.3_", "'' is no head"),
        ("heads", "'heads' is no head"),
        ("0.٣", "is no head"),
        ("1.0-0.0", "empty"),
        ("b", "empty"),
        ("bü", "is no set of heads"),
        ("b" + "_" * 40, "no head number"),
        ("0.1_" * 2000, "4,000 characters"),
    ],
)
def test_what_is_no_set_is_refused_in_one_line(text, says):
    with pytest.raises(SearchError, match=says) as caught:
        head_sets.cells(text, size(6, 12))
    assert "\n" not in str(caught.value)
