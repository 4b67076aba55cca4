"""Averages over inputs against plain loops over every pair, ragged lengths, special tokens, causal masks."""

import json

import numpy as np
import pytest

from services.atlas import Atlas, AttentionBlocks, open_atlas
from services.atlas.schema import StreamInfo
from services.measures import averages
from services.measures.attention_sums import OFFSETS, POSITIONS
from services.measures.averages import (
    Special,
    Variant,
    aggregate,
    head_average,
    mean_attention,
    mean_of_all_heads,
    offset_profile,
)
from services.streams import CAUSAL, FULL, Places, StreamMask, StreamTokens
from tests.unit.building import copy
from tests.unit.head_data import seen

LAYERS, HEADS = 2, 3
LENGTHS = (5, 1, 16, 3, 70)


def make_stream(mask: StreamMask, layout: str = "dense") -> StreamInfo:
    sizes = {"layers": LAYERS, "heads": HEADS, "key_heads": HEADS, "head_dim": 4}
    return StreamInfo(name="self", mask=mask, attention=layout, scaling=(1.0,) * LAYERS, **sizes)


def places(lengths=LENGTHS) -> Places:
    return Places(np.repeat(np.arange(len(lengths)), lengths), np.concatenate([np.arange(n) for n in lengths]))


@pytest.fixture(
    params=[(FULL, "dense"), (CAUSAL, "dense"), (CAUSAL, "banded"), (StreamMask(kind="local", window=4), "banded")],
    ids=lambda param: f"{param[0].kind}, {param[1]}",
)
def ragged(request):
    """A stream, where its weights lie, its blocks [layers, heads, q, k] and its special tokens, all of known random."""
    mask, layout = request.param
    random = np.random.default_rng(3)
    blocks = []
    for n in LENGTHS:
        scores = random.normal(size=(LAYERS, HEADS, n, n)) * 2
        positions = np.arange(n)
        scores = np.where([[seen(mask, q, k) for k in positions] for q in positions], scores, -np.inf)
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        blocks.append((weights / weights.sum(axis=-1, keepdims=True)).astype(np.float16))
    special = np.concatenate([np.isin(np.arange(n), [0, n - 1]) for n in LENGTHS])
    stream = make_stream(mask, layout)
    tokens = StreamTokens(mask, places(), places())
    where = AttentionBlocks(stream, tokens, len(LENGTHS), None)
    flat = np.zeros(where.length, np.float16)
    for index, block in enumerate(blocks):
        flat[where.slot(index)] = where.packed(index, block).ravel()
    return stream, AttentionBlocks(stream, tokens, len(LENGTHS), flat), blocks, Special(special, special)


def test_the_mean_by_position_is_over_the_inputs_that_have_both_and_says_how_many(ragged):
    stream, where, blocks, special = ragged
    found = aggregate(where, special)
    size = min(max(LENGTHS), POSITIONS)
    assert found.mean.shape == (LAYERS, HEADS, size, size)
    for q, k in [(0, 0), (0, 2), (2, 0), (4, 3), (3, 4), (15, 9), (20, 20), (63, 0)]:
        there = [b for b in blocks if b.shape[2] > max(q, k) and seen(stream.mask, q, k)]
        assert found.count[q, k] == len(there)
        expected = np.mean([b[1, 2, q, k].astype(float) for b in there]) if there else 0
        assert found.mean[1, 2, q, k] == pytest.approx(expected, abs=1e-6)
    assert found.mean.max() <= 1.001  # the original's renormalisation went over 1


def test_the_offset_profile_leaves_special_tokens_out_and_sums_what_is_outside(ragged):
    stream, where, blocks, special = ragged
    found = aggregate(where, special).offsets[0, 1]
    mass, rows = dict.fromkeys([*OFFSETS, "before", "after"], 0.0), 0
    for block in blocks:
        n = block.shape[2]
        words = range(1, n - 1)
        for q in words:
            row = {k: float(block[0, 1, q, k]) for k in words}
            total = sum(row.values())
            if total <= 0:
                continue
            rows += 1
            for k, weight in row.items():
                place = "before" if k - q < -10 else "after" if k - q > 10 else k - q
                mass[place] += weight / total
    expected = [mass[place] / rows for place in [*OFFSETS, "before", "after"]]
    assert found == pytest.approx(expected, abs=1e-5)
    assert found.sum() == pytest.approx(1, abs=1e-5)
    if stream.mask == CAUSAL:
        assert found[11:21].sum() == 0
        assert found[22] == 0
    if stream.mask.kind == "local":
        assert found[[*range(6), *range(15, 23)]].sum() == 0


@pytest.mark.parametrize("variant", [Variant(special=True), Variant(first=True, values=True)])
def test_hiding_and_value_norms_renormalise_each_row_before_the_mean(small_atlas, variant):
    atlas = open_atlas(small_atlas)
    stream = atlas.stream("self")
    found = head_average(atlas, stream, 1, 4, variant)
    assert found
    special, offsets = atlas.tokens().special, atlas.tokens().offsets.astype(int)
    cells: dict[tuple[int, int], list[float]] = {}
    for index in range(len(atlas.inputs)):
        weights = atlas.attention(stream).block(index, 1, 4).astype(float)
        rows = atlas.tokens().rows(index)
        norms = atlas.vectors(stream).value_norms(1, 4, rows) if variant.values else np.ones(len(weights))
        shown = [
            i
            for i in range(len(weights))
            if not (variant.special and special[offsets[index] + i]) and not (variant.first and i == 0)
        ]
        for q in shown:
            row = {k: weights[q, k] * norms[k] for k in shown}
            for k, weight in row.items():
                cells.setdefault((q, k), []).append(weight / sum(row.values()))
    for place, values in cells.items():
        assert found.average.count[place] == len(values)
        assert found.average.mean[place] == pytest.approx(np.mean(values), abs=1e-4)
    assert found.average.count.sum() == sum(map(len, cells.values()))
    assert found.average.mean.max() <= 1.0001


def test_a_build_writes_what_an_atlas_without_the_files_works_out(small_atlas):
    atlas = open_atlas(small_atlas)
    stream = atlas.stream("self")
    assert set(averages.file_names("self").values()) <= set(atlas.info.files)
    bare = Atlas(
        atlas.path,
        atlas.info.model_copy(
            update={"files": {name: info for name, info in atlas.info.files.items() if "attention_" not in name}}
        ),
    )
    for one, other in zip(
        (*mean_of_all_heads(atlas, stream), offset_profile(atlas, stream)),
        (*mean_of_all_heads(bare, stream), offset_profile(bare, stream)),
        strict=True,
    ):
        assert np.array_equal(one, other, equal_nan=True)
    assert np.allclose(mean_attention(atlas, stream, 2, 3).mean, mean_attention(bare, stream, 2, 3).mean, atol=1e-6)
    assert np.array_equal(mean_attention(atlas, stream, 2, 3).count, mean_attention(bare, stream, 2, 3).count)


def test_an_atlas_too_large_to_work_out_says_so(small_atlas, monkeypatch):
    atlas = open_atlas(small_atlas)
    info = atlas.info.model_copy(
        update={"files": {name: f for name, f in atlas.info.files.items() if "attention_" not in name}}
    )
    monkeypatch.setattr(averages, "MOST_FOR_ALL", 10)
    bare = Atlas(atlas.path, info)
    assert mean_of_all_heads(bare, bare.stream("self")) is None
    assert offset_profile(bare, bare.stream("self")) is None
    assert "build it again" in (averages.unavailable(bare, bare.stream("self")) or "")
    assert averages.unavailable(atlas, atlas.stream("self")) is None


def test_adding_averages_to_an_atlas_built_before_keeps_its_key(small_atlas, tmp_path, monkeypatch):
    from services.pipeline import build as pipeline
    from services.pipeline.journal import Journal
    from services.pipeline.progress import Progress
    from services.pipeline.publish import write_info
    from services.pipeline.request import BuildRequest
    from services.pipeline.workers import Workers

    folder = copy(small_atlas, tmp_path / "small")
    key = open_atlas(folder).info.key
    content = json.loads((folder / "build.json").read_text())
    for name in averages.file_names("self").values():
        del content["files"][name]
        (folder / name).unlink()
    (folder / "build.json").write_text(json.dumps(content))
    journal = Journal.load(folder)
    assert journal
    request = BuildRequest(model="minilm", corpus="demo", projections=("pca",), dims=(2, 3), title="Small")
    write_info(folder, request, journal, Progress("small", bar=False))
    assert not set(averages.file_names("self").values()) & set(open_atlas(folder).info.files)
    pipeline.add_layouts(folder, request, Progress("small", bar=False), Workers())
    again = open_atlas(folder)
    assert set(averages.file_names("self").values()) <= set(again.info.files)
    assert again.info.key == key
