"""A map has one name everywhere, and every name is read back as the map that wrote it."""

import pytest

from services.alignment.head_maps import ConstantMaps
from services.alignment.scale_metrics import CONSTANTS, METRICS
from services.atlas import ProjectionRef
from services.atlas.schema import ProjectionInfo

SCALES = (None, *METRICS)
REFS = [ProjectionRef(method, dims, scale) for method in ("umap", "iso2", "a") for dims in (2, 3) for scale in SCALES]
NO_NAMES = ("umap", "umap2", "umap4d", "2d", "UMAP2d", "umap_2d", "umap_a_b2d", "../umap2d", "umap2d\n", "ümap2d")


@pytest.mark.parametrize("ref", REFS, ids=lambda ref: ref.name)
def test_a_name_is_read_back_as_its_map(ref):
    assert ProjectionRef.parse(ref.name) == ref
    assert ref.own == ProjectionRef(ref.method, ref.dims)
    info = ProjectionInfo(
        method=ref.method, dims=ref.dims, scale=ref.scale, stream="self", seed=0, parameters={}, sha256="0" * 64
    )
    assert (info.ref, info.name) == (ref, ref.name)
    assert "scale" not in info.model_dump()  # no atlas.json holds a scale variant


def test_names_are_those_of_files_and_links():
    assert ProjectionRef("umap", 2).name == "umap2d"
    assert ProjectionRef("umap", 3).file("self") == "self/umap3d.npy"
    assert ProjectionRef("pca", 2, "norms").name == "pca_norms2d"


@pytest.mark.parametrize("name", ["", *NO_NAMES, "u" * 17 + "2d"])
def test_what_names_no_map_is_refused(name):
    with pytest.raises(KeyError):
        ProjectionRef.parse(name)


@pytest.mark.parametrize(
    ("method", "dims", "word"), [("Umap", 2, "method"), ("", 2, "method"), ("a_b", 2, "method"), ("umap", 4, "dims")]
)
def test_what_cannot_be_a_map_is_refused(method, dims, word):
    with pytest.raises(ValueError, match=word):
        ProjectionRef(method, dims)


def test_the_maps_at_the_constants_have_one_name():
    maps = ConstantMaps("umap", 3, 7, 1.2345)
    assert maps.name == "constants_umap_3_7_12345"
    assert ConstantMaps.parse(maps.name) == maps
    assert [one.c for one in maps.alignments()] == [*CONSTANTS, 1.2345]
    for name in ("constants_lda_3_7_12345", "constants_pca_3_7", "umap2d", "constants_pca_-1_7_1"):
        with pytest.raises(KeyError):
            ConstantMaps.parse(name)
