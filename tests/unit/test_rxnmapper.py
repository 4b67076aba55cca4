"""RXNMapper's ALBERT out of its package: the tokens of its authors, its own attention, and what it knows of chemistry.

Skipped without the package (requirements-rxnmapper.txt); its tokenizer is also tested without.
"""

import re

import pytest

from services.models import rxnmapper
from tests.unit.packages import from_package

ESTER = "CC(=O)O.OCC>>CC(=O)OCC"
ODD = "[Na+].Brc1ccc(Cl)cc1%12C@H/C=C/C"


def test_a_reaction_is_cut_as_the_package_cuts_it():
    wanted = re.findall(rxnmapper.PATTERN, ESTER + ODD)
    assert "".join(wanted) == ESTER + ODD.replace("H", "")  # a lone H is no token of theirs
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *dict.fromkeys(re.findall(rxnmapper.PATTERN, ESTER))]
    found = rxnmapper.tokenizer(pieces).encode(ESTER)
    assert found.tokens == ["[CLS]", *re.findall(rxnmapper.PATTERN, ESTER), "[SEP]"]
    assert found.ids == [pieces.index(token) for token in found.tokens]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    with from_package("rxnmapper", "rxnmapper", rxnmapper.FILE, tmp_path_factory.mktemp("rxnmapper")) as folder:
        yield folder


def test_its_captured_attention_is_its_own_in_layers_that_share_their_weights(installed):
    from services.capture import capture, check_capture, load_model, tokenise

    loaded = load_model("rxnmapper")
    (stream,) = loaded.streams
    assert (stream.layers, stream.heads, stream.head_dim) == (12, 8, 32)
    items = tokenise(loaded, [ESTER, "CCO>>CC=O", ODD])
    assert check_capture(loaded, items) < 1e-5
    first = next(iter(capture(loaded, items)))
    assert abs(first.attention[0] - first.attention[11]).max() > 0.1


def test_it_fills_in_what_is_masked(installed):
    """Wrong weights or wrong tokens make this improbable: chance is one in 591."""
    import torch
    import transformers

    from services.capture import load_model, tokenise

    (item,) = tokenise(load_model("rxnmapper"), [ESTER])
    assert item.tokens[1:4] == ("C", "C", "(")
    model = transformers.AlbertForMaskedLM.from_pretrained(installed.path).eval()
    number = transformers.AutoTokenizer.from_pretrained(installed.path).convert_tokens_to_ids("[MASK]")
    right = 0
    for place in range(1, len(item) - 1):
        ids = torch.tensor([item.ids])
        ids[0, place] = number
        with torch.no_grad():
            right += int(model(input_ids=ids).logits[0, place].argmax() == item.ids[place])
    assert right >= 0.6 * (len(item) - 2)
