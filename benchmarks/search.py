"""Search, concentration and norms over a whole atlas of synthetic tokens and vectors.

    python benchmarks/search.py [--layers 12 --heads 12 --tokens 5000]

One process, one thread; times are the best of five, the first of each kind not counted.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from services.atlas import TokenTable, VectorStore
from services.attributes import norms
from services.payloads.scene import pack_mask
from services.search.concentration import concentrations
from services.search.hits import summary
from services.search.query import Question, search

INPUT = 50  # tokens of an input


def table(tokens: int) -> TokenTable:
    """Tokens drawn from 5,000 made-up words by Zipf's law, tagged at random."""
    rng = np.random.default_rng(0)
    ranks = np.minimum(rng.zipf(1.3, tokens), 5000)
    words = ["".join("bcdfghklmnprstvz"[int(d)] + "aeiou"[int(d) % 5] for d in f"{rank}") for rank in ranks]
    rows = np.arange(tokens, dtype=np.int32)
    return TokenTable(
        token=words,
        text=words,
        input=rows // INPUT,
        position=rows % INPUT,
        special=np.zeros(tokens, bool),
        offsets=np.append(np.arange(0, tokens, INPUT), tokens).astype(np.uint32),
        columns={"word": rows % INPUT, "pos": rng.choice(["NOUN", "VERB", "DET"], tokens).tolist()},
    )


def best(work: Callable[[], object], times: int = 5) -> float:
    """Milliseconds of the fastest of some runs."""
    work()
    found = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        found.append(time.perf_counter() - started)
    return 1000 * min(found)


def main() -> None:
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--layers", type=int, default=12)
    cli.add_argument("--heads", type=int, default=12)
    cli.add_argument("--tokens", type=int, default=5000, help="each is a query and a key")
    options = cli.parse_args()
    tokens = table(options.tokens)
    atlas = type("Tokens", (), {"tokens": lambda _self, _table="tokens": tokens})()
    stream = SimpleNamespace(query_table="tokens", key_table="tokens")
    common = max(set(tokens.text), key=tokens.text.count)
    questions = [Question(common), Question(common, "word"), Question("b", "prefix"), Question("ba", "contains")]
    questions += [Question("(a+)+$", "regex"), Question(".", "regex"), Question("NOUN", "pos")]
    print(f"{options.layers} × {options.heads} heads × {2 * options.tokens:,} points")
    for question in questions:
        mask = search(atlas, "tokens", question)
        listed = best(lambda question=question: summary(atlas, stream, question))
        spent = best(lambda question=question: search(atlas, "tokens", question))
        size = len(pack_mask(mask))
        print(f"{question.mode:9}{mask.sum():6} hits  {spent:6.1f} ms, {size} bytes; with list {listed:6.1f} ms")
    rng = np.random.default_rng(1)
    layout = rng.random((options.layers * options.heads, 2 * options.tokens, 2), dtype=np.float32)
    for hits in (5, 50, 300, options.tokens):
        mask = np.zeros(options.tokens, bool)
        mask[rng.choice(options.tokens, hits, replace=False)] = True
        spent = best(lambda mask=mask: concentrations(layout, mask, mask))
        print(f"concentration of {hits} hits in all heads {spent:6.0f} ms")
    vectors = rng.normal(size=(1, 1, options.tokens, 64)).astype(np.float16)
    head = SimpleNamespace(name="self", group=1)
    one = SimpleNamespace(vectors=lambda stream: VectorStore(stream, lambda _name: vectors))
    spent = best(lambda: norms.head_norms(one, head, 0, 0))
    print(f"norms of one head {spent:6.1f} ms")


if __name__ == "__main__":
    main()
