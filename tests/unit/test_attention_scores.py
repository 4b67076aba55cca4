"""Scores of heads equal plain loops over rows, for every mask; even attention scores its base; plants are found."""

import math

import numpy as np
import pytest
from scipy import stats

from services.atlas.measure_table import HeadValues, MeasureTable
from services.measures import attention_scores, explained, registry
from services.measures.attention_scores import WHY_NOT, Scored, scores
from services.measures.estimate import Estimate
from services.measures.explained import NO_PAIR
from services.measures.names import UNTRAINED, names_of
from services.measures.of_repeats import REPEATED
from services.measures.pair_marks import LOCAL, Pairs, Side
from services.numerics.bootstrap import ratio_interval
from services.streams import CAUSAL, CROSS, FULL, StreamMask

HEADS = 2
TEXTS = ("[ a b c , a b d ]", "[ b a , a ]", "[ a b a c a b e , b f g a ]", "[ ]", "[ d c d c , a a b ]", "[ c c d a ]")
MASKS = {
    "full": FULL,
    "causal": CAUSAL,
    "sliding": StreamMask(kind="sliding", window=3),
    "local": StreamMask(kind="local", window=2),
}
GRID = 4  # rows and columns of a planted image


def side(tokens: list[str], **columns) -> Side:
    code = np.array([ord(token) for token in tokens])
    punctuation = np.array([token == "," for token in tokens])
    return Side(code, np.array([token in "[]" for token in tokens]), {"punctuation": punctuation, **columns})


def random_inputs(mask: StreamMask, texts=TEXTS, seed: int = 0, heads: int = HEADS) -> list[Scored]:
    """Random attention of a model with a sink in a parameter: rows sum to less than 1."""
    rng = np.random.default_rng(seed)
    found = []
    for text in texts:
        tokens = text.split()
        visible = mask.visible(len(tokens), len(tokens))
        weights = rng.random((heads, *visible.shape)) ** 3 * visible
        weights *= 0.9 / weights.sum(axis=2, keepdims=True)
        found.append(Scored(weights.astype(np.float16), visible, side(tokens), side(tokens)))
    return found


def even(one: Scored) -> Scored:
    weights = one.visible / np.maximum(one.visible.sum(axis=1, keepdims=True), 1)
    return Scored(np.broadcast_to(weights, one.weights.shape), one.visible, one.query, one.key)


# ---- plain loops


def plainly(texts, inputs: list[Scored], mask: StreamMask, head: int) -> dict[str, float]:
    """Every score of a text, pair by pair."""
    sums: dict[str, list[float]] = {}
    for text, one in zip(texts, inputs, strict=True):
        tokens, weights = text.split(), np.asarray(one.weights[head], float)
        n, received, chosen, alpha = len(tokens), np.zeros(len(tokens)), [], []
        for q in range(n):
            keys = [k for k in range(n) if sees(mask, q, k)]
            row = {k: weights[q, k] for k in keys}
            total = sum(row.values())
            of_row(sums, tokens, q, row, n)
            share = {k: value / total for k, value in row.items()}
            nats = -sum(p * math.log(p) for p in share.values() if p > 0)
            add(sums, "entropy_nats", nats)
            if len(keys) > 1:
                add(sums, "entropy", nats / math.log(len(keys)))
            add(sums, "distance", sum(p * abs(q - k) for k, p in share.items()))
            received[keys] += list(row.values())
            if len(keys) >= 3:
                chosen.append(weights[q])
            if 0 in row:
                alpha.append(row[0])
        if chosen:
            add(sums, "sink_share", np.mean(chosen, axis=0).max())
        add(sums, "sink_rate", float(np.mean(alpha) > 0.3))
        p = received / received.sum()
        add(sums, "sink_spread", math.exp(-sum(x * math.log(x) for x in p if x > 0)))
    return {name: float(np.mean(values)) for name, values in sums.items()}


def of_row(sums, tokens, q, row, n) -> None:
    for name, key in (("previous", q - 1), ("next", q + 1), ("self", q)):
        if key in row:
            add(sums, name, row[key])
    add(sums, "first", row.get(0, 0.0))
    add(sums, "last", row.get(n - 1, 0.0))
    if q > LOCAL:
        add(sums, "first_far", row.get(0, 0.0))
    add(sums, "local", sum(value for k, value in row.items() if abs(q - k) <= LOCAL))
    add(sums, "special", sum(value for k, value in row.items() if tokens[k] in "[]"))
    add(sums, "punctuation", sum(value for k, value in row.items() if tokens[k] == ","))
    if tokens[q] in "[]":
        return
    same = [k for k in row if k < q and tokens[k] == tokens[q]]
    if same:
        add(sums, "duplicate", sum(row[k] for k in same))
    after = [
        k for k in row if 0 < k < q and tokens[k - 1] == tokens[q] and tokens[k] != tokens[q] and tokens[k] not in "[]"
    ]
    if after:
        add(sums, "induction", sum(row[k] for k in after))


def add(sums, name, value) -> None:
    sums.setdefault(name, []).append(float(value))


def sees(mask: StreamMask, q: int, k: int) -> bool:
    back, ahead = mask.reach
    return (back is None or k >= q - back) and (ahead is None or k <= q + ahead)


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_scores_and_base_rates_equal_plain_loops_under_every_mask(mask, monkeypatch):
    inputs = random_inputs(mask)
    flat = [even(one) for one in inputs]
    whole = scores(inputs, HEADS, same_positions=True, modality="text")
    monkeypatch.setattr(attention_scores, "_CHUNK", 30)  # two or three rows at a time
    found = scores(inputs, HEADS, same_positions=True, modality="text")
    for head in range(HEADS):
        expected, base = plainly(TEXTS, inputs, mask, head), plainly(TEXTS, flat, mask, head)
        defined = {name for name, values in found.items() if isinstance(values[head], Estimate)}
        assert defined == set(expected)
        for name, value in expected.items():
            one = found[name][head]
            assert (one.value, one.base) == pytest.approx((value, base[name]), abs=2e-4), name
            assert one.value == pytest.approx(whole[name][head].value, abs=1e-6)
            assert one.low is None or one.low <= one.value <= one.high
    assert set(found) == set(WHY_NOT)


def test_even_attention_scores_its_base_rate():
    for mask in MASKS.values():
        inputs = [even(one) for one in random_inputs(mask)]
        for name, values in scores(inputs, HEADS, same_positions=True, modality="text").items():
            if isinstance(values[0], Estimate):
                assert values[0].value == pytest.approx(values[0].base, abs=1e-6), name


def test_a_score_that_no_query_can_have_says_why():
    tokens = side(["a"])
    one = Scored(np.ones((1, 1, 1)), np.ones((1, 1), bool), tokens, tokens)
    found = scores([one], 1, same_positions=True, modality="text")
    assert found["previous"] == ["no query has a token before it that it can see"]
    assert found["entropy"] == ["no query has two keys to choose from"]
    assert found["special"] == ["no token of the corpus is special"]
    assert found["monotone"] == ["queries and keys are of one text"]
    assert found["self"][0].value == 1
    assert found["self"][0].low is None  # one input has no interval
    assert scores([], 1, same_positions=True, modality="text")["first"] == [WHY_NOT["first"]]


def test_the_interval_is_that_of_a_plain_bootstrap():
    rng = np.random.default_rng(1)
    below = rng.integers(1, 30, 60).astype(float)
    above = below * rng.random(60)
    low, high = ratio_interval(above[:, None, None], below[:, None])
    plain = stats.bootstrap(
        (above, below),
        lambda a, b: a.sum() / b.sum(),
        paired=True,
        vectorized=False,
        n_resamples=3000,
        method="percentile",
        random_state=0,
    ).confidence_interval
    assert (low[0, 0], high[0, 0]) == pytest.approx((plain.low, plain.high), abs=0.01)
    grouped = ratio_interval(np.tile(above[:, None, None], (40, 1, 1)), np.tile(below[:, None], (40, 1)))
    width = (plain.high - plain.low) / math.sqrt(40)
    assert grouped[1][0, 0] - grouped[0][0, 0] == pytest.approx(width, rel=0.25)


# ---- cross-attention


def cross(weights: np.ndarray) -> Scored:
    queries, keys = weights.shape[1:]
    asking, answering = side(["a"] * queries), side(["b"] * keys)
    return Scored(weights, CROSS.visible(queries, keys), asking, answering)


def test_cross_attention_equals_plain_loops():
    rng = np.random.default_rng(2)
    inputs = []
    for queries, keys in ((5, 7), (3, 2), (1, 4), (6, 6), (2, 9)):
        weights = rng.random((1, queries, keys)) ** 4
        inputs.append(cross(weights / weights.sum(axis=2, keepdims=True)))
    found = scores(inputs, 1, same_positions=False, modality="text")
    assert found["previous"] == ["positions of queries and keys cannot be compared"]
    pairs, near, covered = [], [], []
    for one in inputs:
        weights = one.weights[0]
        n, m = weights.shape
        for q in range(n):
            for later in range(q + 1, n):
                outer = weights[q][:, None] * weights[later][None, :]
                pairs.append(np.triu(outer, 1).sum() - np.tril(outer, -1).sum())
            on = [k for k in range(m) if abs((k + 0.5) / m - (q + 0.5) / n) <= max(0.1, 0.5 / m)]
            near.append(weights[q, on].sum())
        share = weights.sum(axis=0) / weights.sum()
        covered.append(np.minimum(1, share * m).mean())
    for name, values in (("monotone", pairs), ("diagonal", near), ("coverage", covered)):
        assert found[name][0].value == pytest.approx(np.mean(values), abs=1e-6), name
    assert (found["monotone"][0].base, found["coverage"][0].base) == pytest.approx((0, 1))


# ---- what explains attention


def test_what_positions_and_tokens_explain_equals_leaving_each_pair_out():
    inputs = random_inputs(FULL, seed=4, heads=1)
    found = explained.explained(lambda: inputs, 1)
    for name in NO_PAIR:
        cells: dict = {}
        for text, one in zip(TEXTS, inputs, strict=True):
            tokens = text.split()
            for q, asking in enumerate(tokens):
                for k, answering in enumerate(tokens):
                    skipped = asking in "[]" or answering in "[]" or (name == "semantic" and (q == k or k == 0))
                    if not skipped:
                        cell = (q, k) if name == "positional" else (asking, answering)
                        cells.setdefault(cell, []).append((float(one.weights[0, q, k]), 1 / len(tokens)))
        missed = departs = 0.0
        for pairs in cells.values():
            for number, (weight, flat) in enumerate(pairs):
                others = [other for index, (other, _) in enumerate(pairs) if index != number]
                if others:
                    missed += (weight - np.mean(others)) ** 2
                    departs += (weight - flat) ** 2
        assert found[name][0].value == pytest.approx(1 - missed / departs, abs=1e-4), name


def test_even_attention_leaves_nothing_to_explain():
    inputs = [even(one) for one in random_inputs(FULL)]
    assert explained.explained(lambda: inputs, HEADS)["positional"] == [explained.EVEN] * HEADS
    alone = random_inputs(FULL, TEXTS[:1])
    assert explained.explained(lambda: alone, HEADS)["positional"] == [NO_PAIR["positional"]] * HEADS


# ---- planted heads


def at(one: Scored, goal) -> np.ndarray:
    """0.9 of each query's attention on the keys that `goal` marks, the rest even; even where it marks none."""
    pairs = Pairs(one.visible, one.query, one.key, 0, len(one.visible))
    marked = goal(pairs) & one.visible
    flat = one.visible / one.visible.sum(axis=1, keepdims=True)
    count = marked.sum(axis=1, keepdims=True)
    return np.where(count, 0.9 * marked / np.maximum(count, 1) + 0.1 * flat, flat)


def table_of(found: dict[str, list]) -> MeasureTable:
    known = {}
    for name, values in found.items():
        rows = [vars(v) | {"n": v.count} if isinstance(v, Estimate) else {} for v in values]
        grids = {
            part: np.array([[np.nan if row.get(part) is None else row[part] for row in rows]])
            for part in ("value", "base", "low", "high", "n")
        }
        known[name, None] = HeadValues(grids.pop("value"), {}, grids)
    return MeasureTable(known)


def called(inputs: list[Scored], goals: dict, **options) -> tuple[MeasureTable, dict[str, int]]:
    """The table of planted heads, and for each score the head at which it is highest."""
    weights = (np.stack([at(one, goal) for goal in goals.values()]) for one in inputs)
    planted = [Scored(w, one.visible, one.query, one.key) for w, one in zip(weights, inputs, strict=True)]
    found = scores(planted, len(goals), **options) | explained.explained(lambda: planted, len(goals))
    table = table_of(found)
    return table, {name: int(np.nanargmax(table.get(name).values[0])) for name in goals}


def long_texts(count: int = 12) -> list[str]:
    rng = np.random.default_rng(7)
    return [" ".join([*rng.choice(list("abcdefgh,"), 40), "]"]) for _ in range(count)]


def same_earlier(p: Pairs) -> np.ndarray:
    return np.array([[k < q and p.query.code[q] == p.key.code[k] for k in range(len(p.key.code))] for q in
                     range(len(p.query.code))])  # fmt: skip


def after_same(p: Pairs) -> np.ndarray:
    code = p.key.code
    return np.array([[0 < k < q and code[k - 1] == code[q] != code[k] for k in range(len(code))] for q in
                     range(len(code))])  # fmt: skip


PLANTS = {
    "previous": lambda p: p.apart == -1,
    "self": lambda p: p.apart == 0,
    "first": lambda p: p.key_position + 0 * p.query_position == 0,
    "special": lambda p: np.broadcast_to(p.key.special, p.visible.shape),
    "punctuation": lambda p: np.broadcast_to(p.key.columns["punctuation"], p.visible.shape),
    "duplicate": same_earlier,
    "induction": after_same,
    "local": lambda p: (np.abs(p.apart) <= LOCAL) & (np.abs(p.apart) > 1),
}


def test_every_score_of_text_finds_its_plant_and_names_it():
    inputs = random_inputs(FULL, long_texts())
    goals = {**PLANTS, "next": lambda p: p.apart == 1}
    table, highest = called(inputs, goals, same_positions=True, modality="text")
    assert highest.pop("local") in (0, 1, 7, 8)  # what looks one token away, or at itself, is near by as well
    assert highest == {name: number for number, name in enumerate(goals) if name != "local"}
    named = [{one.measure.name for one in names_of(table, 0, head)} for head in range(len(goals))]
    for number, name in enumerate(goals):
        assert name in named[number], name
    assert named[4] == {"punctuation", "semantic"}  # a comma is a comma wherever it stands
    assert named[0] == {"previous"}  # neither local nor positional beside it: it is called by the narrower name
    assert "local" in named[7]


def test_even_heads_and_few_inputs_have_no_name():
    flat = [even(one) for one in random_inputs(FULL, long_texts())]
    assert not names_of(table_of(scores(flat, HEADS, same_positions=True, modality="text")), 0, 0)
    few, _ = called(random_inputs(FULL, long_texts(4)), PLANTS, same_positions=True, modality="text")
    assert not names_of(few, 0, 0)


def test_a_head_that_looks_back_a_few_tokens_in_short_texts_is_no_sink():
    """Spacing: in texts of eight tokens, three back is the first token for one query in six."""
    inputs = random_inputs(CAUSAL, ["[ " + " ".join("abcdefgabcdefg"[n : n + 9]) for n in range(7)])
    back = {"first": lambda p: p.key_position == np.maximum(p.query_position - 4, 0)}
    table, _ = called(inputs, back, same_positions=True, modality="text")
    assert table.of("first", 0, 0) > 0.4
    assert "first" not in {one.measure.name for one in names_of(table, 0, 0)}


def test_what_an_untrained_model_does_as_well_gives_no_name():
    table, _ = called(random_inputs(FULL, long_texts()), PLANTS, same_positions=True, modality="text")
    known = {key: table.get(*key) for key in table.measured}
    untrained = HeadValues(np.full((1, len(PLANTS)), 0.9))
    now = MeasureTable({**known, ("previous", UNTRAINED): untrained})
    assert "previous" in {one.measure.name for one in names_of(table, 0, 0)}
    assert "previous" not in {one.measure.name for one in names_of(now, 0, 0)}


def image(number: int) -> Scored:
    """A class token, a register and 16 patches: two objects, two colours, laid out anew in each image."""
    rng = np.random.default_rng(number)
    place = np.arange(GRID**2)
    columns = {
        "row": np.concatenate([[-1, -1], place // GRID]),
        "column": np.concatenate([[-1, -1], place % GRID]),
        "object": np.concatenate([[-1, -1], rng.permutation(np.repeat([0, 1, 2, -1], 4))]),
        "sector": np.concatenate([[-1, -1], rng.permutation(np.repeat([0, 3, 5, 8], 4))]),
        "class": np.arange(18) == 0,
        "register": np.arange(18) == 1,
    }
    tokens = side(["[", "]", *"p" * 16], **columns)
    return Scored(np.zeros((1, 18, 18)), FULL.visible(18, 18), tokens, tokens)


def of_column(name: str):
    def goal(p: Pairs) -> np.ndarray:
        values = p.key.columns[name]
        return (values[:, None] == values[None, :]) & (values[:, None] >= 0) & ~np.eye(len(values), dtype=bool)

    return goal


def around(p: Pairs) -> np.ndarray:
    row, column = p.key.columns["row"], p.key.columns["column"]
    far = np.maximum(abs(row[:, None] - row), abs(column[:, None] - column))
    return (far == 1) & (row[:, None] >= 0) & (row >= 0)


IMAGES = {
    "same_row": of_column("row"),
    "same_column": of_column("column"),
    "neighbour": around,
    "same_object": of_column("object"),
    "same_colour": of_column("sector"),
    "class_token": lambda p: np.broadcast_to(p.key.columns["class"], p.visible.shape),
    "registers": lambda p: np.broadcast_to(p.key.columns["register"], p.visible.shape),
}


def test_every_score_of_images_finds_its_plant_and_equals_a_plain_mean():
    inputs = [image(number) for number in range(8)]
    table, highest = called(inputs, IMAGES, same_positions=True, modality="image", objects=True)
    assert highest == {name: number for number, name in enumerate(IMAGES)}
    for number, (name, goal) in enumerate(IMAGES.items()):
        plain, flat = [], []
        for one in inputs:
            marked = goal(Pairs(one.visible, one.query, one.key, 0, 18))
            rows = np.ones(18, bool) if name in ("class_token", "registers") else marked.any(axis=1)
            plain += (at(one, goal) * marked).sum(axis=1)[rows].tolist()
            flat += (marked.sum(axis=1) / 18)[rows].tolist()
        found = table.get(name)
        assert found.values[0, number] == pytest.approx(np.mean(plain), abs=1e-5), name
        assert found.beside["base"][0, number] == pytest.approx(np.mean(flat), abs=1e-6), name
        assert name in {one.measure.name for one in names_of(table, 0, number)}
    without = scores(inputs, 1, same_positions=True, modality="image")
    assert without["same_object"] == ["the images came without masks"]


def test_every_score_is_a_measure_with_its_formula_and_every_name_is_told_by_one():
    known = {measure.name: measure for measure in registry.measures() if measure.estimated}
    assert set(known) == set(WHY_NOT) | set(NO_PAIR) | set(REPEATED)  # the last have no corpus that could lack pairs
    for measure in known.values():
        assert measure.formula.endswith(".")
        assert measure.called is None or {measure.called.also, *measure.called.unless} - {""} <= set(known)
