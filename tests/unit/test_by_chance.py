"""Scores with random weights: those of the untrained model on the same inputs, within bounds, beside each score."""

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from tiny_models import save_model

from services.atlas.measure_table import HeadValues, MeasureTable
from services.capture import capture, load_model
from services.errors import CaptureError
from services.export.tables import measures_table
from services.measures.names import UNTRAINED
from services.measures.report import _numbers
from services.modalities.corpora import read_corpus
from services.models.untrained import untrained
from services.pipeline import by_chance
from services.pipeline.by_chance import some_inputs, untrained_rows
from services.pipeline.prepare import prepare
from services.pipeline.request import BuildRequest

TEXTS = ("the cat sat on the mat .", "it was tired because the dog was tired", "the dog , the cat , it .")


@pytest.fixture(scope="module", params=("bert", "gpt2"))
def loaded(request, tmp_path_factory):
    return load_model(str(save_model(tmp_path_factory.mktemp("models") / request.param, request.param)))


@pytest.fixture(scope="module")
def prepared(loaded, tmp_path_factory):
    file = tmp_path_factory.mktemp("texts") / "texts.txt"
    file.write_text("\n".join(TEXTS), encoding="utf-8")
    return prepare(loaded, read_corpus(str(file)), BuildRequest(model="tiny", corpus=str(file), pos="none"))


def test_they_are_means_over_the_attention_of_random_weights(loaded, prepared):
    plain = untrained(loaded)
    rows = untrained_rows(plain, prepared)["self"]
    assert {row.space for row in rows} == {UNTRAINED}
    found = {(row.measure, row.layer, row.head): row for row in rows}
    tokens = prepared.tokens.columns["tokens"]["token"]
    tokens = tokens.to_pylist() if isinstance(tokens, pa.Array) else list(tokens)
    back, same, begin = [], [], 0
    for one in capture(plain, prepared.inputs):
        n = one.attention.shape[-1]
        mine = tokens[begin : begin + n]
        special = [bool(flag) for flag in prepared.tokens.columns["tokens"]["special"]][begin : begin + n]
        begin += n
        back += [one.attention[:, :, q, q - 1] for q in range(1, n)]
        for q in range(n):
            earlier = [k for k in range(q) if mine[k] == mine[q] and not special[q] and not special[k]]
            if earlier:
                same.append(one.attention[:, :, q, earlier].sum(axis=-1))
    for name, values in (("previous", back), ("duplicate", same)):
        mean = np.mean(values, axis=0)
        for layer in range(2):
            for head in range(4):
                row = found[name, layer, head]
                assert row.value == pytest.approx(mean[layer, head], abs=2e-3), name
                assert row.n == len(values)
    assert {"positional", "entropy", "sink_rate"} <= {measure for measure, _, _ in found}
    assert not {"same_row", "coverage"} & {measure for measure, _, _ in found}


def test_all_inputs_are_read_or_as_many_as_there_is_room_for_spread_over_the_corpus():
    item = lambda n: SimpleNamespace(lengths={"tokens": n})  # noqa: E731
    stream = SimpleNamespace(layers=2, heads=4, query_table="tokens", key_table="tokens")
    of = lambda lengths: SimpleNamespace(inputs=[item(n) for n in lengths])  # noqa: E731
    assert some_inputs(of([5, 6, 7]), [stream]) == [0, 1, 2]
    many = some_inputs(of([1000] * 50), [stream])
    assert many == [0, 20]  # eight million each
    assert len(many) * 8 * 1000 * 1000 <= by_chance.MOST_WEIGHTS
    assert some_inputs(of([100_000] * 3), [stream]) == []


def test_a_model_that_cannot_read_them_so_has_none(loaded, prepared, monkeypatch):
    def fails(*_arguments):
        raise CaptureError("it attends where its mask hides a key")
        yield

    monkeypatch.setattr(by_chance, "capture", fails)
    assert untrained_rows(untrained(loaded), prepared) == {}


def test_they_stand_beside_the_score_of_a_head_and_in_the_exported_table():
    one, chance = np.array([[0.6, 0.1]]), np.array([[0.2, np.nan]])
    beside = {name: np.full((1, 2), 0.1) for name in ("base", "low", "high", "n")}
    table = MeasureTable({("previous", None): HeadValues(one, {}, beside), ("previous", UNTRAINED): HeadValues(chance)})
    assert _numbers(table, (0, 0), None)["previous"].beside[UNTRAINED] == 0.2
    assert _numbers(table, (0, 1), None)["previous"].beside[UNTRAINED] is None
    stream = SimpleNamespace(layers=1, heads=2, number=lambda row: row, name="self")
    atlas = SimpleNamespace(measures=lambda stream: table, info=SimpleNamespace(projections=()))
    assert measures_table(atlas, stream)["previous_untrained"].to_pylist() == [0.2, None]
