"""Synthetic heads, a real one, and metrics computed the plain way, for the tests of scaling and fidelity."""

from functools import lru_cache

import numpy as np

from services.streams import FULL, Places, StreamMask, StreamTokens


def make_head(seed=0, inputs=9, longest=12, head_dim=6, key_scale=1.5):
    """Queries and keys of a few inputs of 1..longest tokens, as keyword arguments of `head_pairs`."""
    rng = np.random.default_rng(seed)
    lengths = np.concatenate([[1], rng.integers(2, longest + 1, inputs - 1)])
    owner = np.repeat(np.arange(inputs), lengths).astype(np.int32)
    position = np.concatenate([np.arange(length) for length in lengths]).astype(np.int32)
    queries = rng.normal(size=(len(owner), head_dim)) + rng.normal(size=head_dim)
    keys = key_scale * (0.6 * queries + rng.normal(size=(len(owner), head_dim))) + rng.normal(size=head_dim)
    return {
        "queries": queries.astype(np.float32),
        "keys": keys.astype(np.float32),
        "tokens": StreamTokens(FULL, Places(owner, position), Places(owner, position)),
    }


@lru_cache(maxsize=1)
def real_head():
    """A middle head of the demo model on a few sentences, with the attention of each sentence."""
    import torch

    from services.capture import capture, load_model, tokenise

    torch.set_num_threads(1)
    loaded = load_model("minilm")
    texts = [
        "The river rose after three days of rain, and the bridge was closed to all traffic.",
        "She gave the dog a bone because it was hungry.",
        "Nobody in the village knew who had written the letter that arrived on Monday.",
        "Prices fell.",
        "In 1969, two people walked on the Moon while a third circled above them.",
    ] * 3
    texts = [f"{text} {'It was late. ' * (index // 5)}".strip() for index, text in enumerate(texts)]
    captured = list(capture(loaded, tokenise(loaded, texts)))
    layer, head = 3, 7
    lengths = [one.queries.shape[2] for one in captured]
    owner = np.repeat(np.arange(len(texts)), lengths).astype(np.int32)
    position = np.concatenate([np.arange(length) for length in lengths]).astype(np.int32)
    arguments = {
        "queries": np.concatenate([one.queries[layer, head] for one in captured]).astype(np.float16),
        "keys": np.concatenate([one.keys[layer, head] for one in captured]).astype(np.float16),
        "tokens": StreamTokens(FULL, Places(owner, position), Places(owner, position)),
    }
    return arguments, [one.attention[layer, head] for one in captured], loaded.streams[0].scaling[layer]


MASKS = {
    "full": StreamMask(),
    "causal": StreamMask(kind="causal"),
    "sliding": StreamMask(kind="sliding", window=3),
    "local": StreamMask(kind="local", window=2),
    "local and global": StreamMask(kind="local", window=2),
    "local, asked apart from global": StreamMask(kind="local", window=2, global_asks=False),
    "cross": StreamMask(kind="cross"),
}


def masked(head, name):
    """The head under one of MASKS; the first token of each input is its global one."""
    queries, keys = head["tokens"].queries, head["tokens"].keys
    if name.endswith("global"):
        queries, keys = (Places(side.input, side.position, side.position == 0) for side in (queries, keys))
    return head | {"tokens": StreamTokens(MASKS[name], queries, keys)}


def shortened(head, rows):
    """Only some tokens of a head whose queries and keys are the same tokens."""
    return {"queries": head["queries"][rows], "keys": head["keys"][rows], "tokens": head["tokens"].some(rows, rows)}


def seen(mask, query, key, query_global=False, key_global=False):
    """Whether a query at a position may see a key at another, in the plainest words."""
    if mask.kind == "causal":
        return key <= query
    if mask.kind == "sliding":
        return key <= query and query - key < mask.window
    if mask.kind == "local":
        if query_global:
            return mask.global_asks
        return abs(query - key) <= mask.window or bool(key_global)
    return True


def naive_pairs(head, *, pairs="input"):
    """Every pair that counts, as two lists of row numbers, by two loops."""
    mask, queries, keys = head["tokens"].mask, head["tokens"].queries, head["tokens"].keys
    flags = [np.zeros(len(side), bool) if side.is_global is None else side.is_global for side in (queries, keys)]
    rows, columns = [], []
    for i, (query_input, query) in enumerate(zip(queries.input, queries.position, strict=True)):
        for j, (key_input, key) in enumerate(zip(keys.input, keys.position, strict=True)):
            if (pairs == "all" or query_input == key_input) and seen(mask, query, key, flags[0][i], flags[1][j]):
                rows.append(i)
                columns.append(j)
    return rows, columns


def naive_distances(head, c, rows, columns, *, distance="euclidean", translate=True):
    """Dot products and distances of the pairs, one pair at a time in float64."""
    queries, keys = head["queries"].astype(np.float64), head["keys"].astype(np.float64)
    scaled_queries, scaled_keys = c * queries, keys / c
    if translate:
        scaled_keys = scaled_keys + scaled_queries.mean(axis=0) - scaled_keys.mean(axis=0)
    dots, distances = [], []
    for i, j in zip(rows, columns, strict=True):
        q, k = scaled_queries[i], scaled_keys[j]
        dots.append(float((queries[i] * keys[j]).sum()))
        if distance == "euclidean":
            distances.append(float(np.sqrt(((q - k) ** 2).sum())))
        else:
            distances.append(float(1 - (q * k).sum() / np.sqrt((q * q).sum() * (k * k).sum())))
    return np.array(dots), np.array(distances)


def naive_weighted(dots, distances, threshold):
    """The seed's formula: cov(x, y; w) / √(cov(x, x; w) cov(y, y; w)), w = (d − dᵢ)², over dᵢ < d."""
    near = distances < threshold
    x, y, w = dots[near], distances[near], (threshold - distances[near]) ** 2

    def cov(a, b):
        return (w * (a - (w * a).sum() / w.sum()) * (b - (w * b).sum() / w.sum())).sum() / w.sum()

    return cov(x, y) / np.sqrt(cov(x, x) * cov(y, y)), int(near.sum())
