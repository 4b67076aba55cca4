"""What a map is called, and by what it is judged."""

import pytest

from services.atlas.schema import ProjectionInfo
from services.measures.measure import ATTENTION_MAPS
from services.measures.registry import judged_by
from services.projection import label_of, method_names, methods

EARLIER = {"engine": "fast", "perplexity": 20, "iterations": 100, "start": "lift", "start_scale": 2.0}


def info(method, parameters):
    return ProjectionInfo(method=method, dims=2, stream="self", seed=0, parameters=parameters, sha256="0" * 64)


def test_an_attention_map_of_an_earlier_version_says_so():
    assert label_of(info("attention", EARLIER)) == "Attention map (earlier version)"


@pytest.mark.parametrize("engine", ["fast", "reference", "torch"])
def test_maps_as_they_are_made_today_have_their_plain_labels(engine):
    for method in methods():
        assert label_of(info(method.name, method.parameters(2, engine, 5000))) == method.label


def test_a_method_that_is_not_known_keeps_its_name():
    assert label_of(info("shear", {"slope": 1})) == "shear"


def test_each_map_is_judged_by_what_it_is_made_to_keep():
    assert {name: judged_by(name).name for name in method_names()} == {
        "preference": "preferred_near", "attention": "best_near", "umap": "best_near", "tsne": "best_near",
        "pca": "best_near",
    }  # fmt: skip
    assert judged_by("shear").name == "best_near"
    assert ATTENTION_MAPS[:2] == ("attention", "preference")
