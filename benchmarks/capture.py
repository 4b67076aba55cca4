"""Capture of the demo corpus against plain `output_attentions=True`, same batches, side by side in one run.

    python benchmarks/capture.py [--model minilm] [--repeat 5] [--threads 1]

Target: capture takes no more than 1.5 times as long.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import torch

from services.capture import CAPTURE_TOLERANCE, TokenisedInput, capture, check_capture, load_model, tokenise
from services.capture.run import batches, windows
from services.modalities.registry import modality_named
from services.models.loading import LoadedModel

BATCH_TOKENS = 4096


def sentences() -> tuple[str, list[str]]:
    """Name and texts of the demo corpus, or generated texts of similar lengths where it is missing."""
    corpus = ROOT / "demo/corpus/sentences.jsonl"
    if corpus.exists():
        return corpus.name, [json.loads(line)["text"] for line in corpus.read_text("utf-8").splitlines()]
    rng = random.Random(0)
    words = [
        "the",
        "cat",
        "river",
        "bank",
        "of",
        "a",
        "city",
        "in",
        "May",
        "was",
        "full",
        "and",
        "nobody",
        "knew",
    ]
    return "generated", [" ".join(rng.choices(words, k=rng.randint(5, 50))) + "." for _ in range(180)]


def run_plain(loaded: LoadedModel, inputs: Sequence[TokenisedInput]) -> int:
    """What anyone would do to get attention only: the same batches, the weights as arrays. Bytes kept."""
    kept = 0
    for window in windows(inputs, BATCH_TOKENS, loaded.streams):
        for batch in batches(inputs, window):
            arguments = modality_named(loaded.modality).arguments(loaded, [inputs[index] for index in batch])
            with torch.inference_mode():
                output = loaded.model(**arguments, output_attentions=True)
            kept += sum(weights.numpy().nbytes for weights in output.attentions)
    return kept


def run_capture(loaded: LoadedModel, inputs: Sequence[TokenisedInput]) -> int:
    kept = 0
    for one in capture(loaded, inputs, batch_tokens=BATCH_TOKENS):
        kept += one.queries.nbytes + one.keys.nbytes + one.value_norms.nbytes + one.attention.nbytes
    return kept


def seconds(run: Callable[..., int], *arguments: object) -> tuple[float, int]:
    start = time.perf_counter()
    size = run(*arguments)
    return time.perf_counter() - start, size


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--model", default="minilm", help="alias, hub id or folder (default: minilm)")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each, in turn (default: 5)")
    parser.add_argument("--threads", type=int, default=1, help="torch threads (default: 1)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    loaded = load_model(options.model)
    name, texts = sentences()
    inputs = tokenise(loaded, texts)
    tokens = sum(len(one) for one in inputs)
    print(f"{loaded.info.id}, {name}: {len(inputs)} inputs, {tokens} tokens, {options.threads} thread(s)")
    runs = {"plain": run_plain, "capture": run_capture}
    times: dict[str, list[float]] = {label: [] for label in runs}
    sizes: dict[str, int] = {}
    for turn in range(options.repeat + 1):
        for label, run in runs.items():
            spent, sizes[label] = seconds(run, loaded, inputs)
            if turn:  # the first warms up
                times[label].append(spent)
    for label, all_spent in times.items():
        spread = f"{min(all_spent):.3f} to {max(all_spent):.3f}"
        print(f"{label:8} {median(all_spent):7.3f} s ({spread}), {sizes[label] / 1e6:.0f} MB of arrays")
    ratio = median(b / a for a, b in zip(times["plain"], times["capture"], strict=True))
    print(f"ratio    {ratio:7.2f}   (median of the pairs; target: 1.5 or less)")
    print(f"error    {check_capture(loaded, inputs[:8]):7.1e}   (tolerance: {CAPTURE_TOLERANCE:.0e})")


if __name__ == "__main__":
    main()
