"""Two atlases made from whole numbers: every float in them is exact, and so is any sum of them.

`encoder` is what MiniLM's atlas is: one stream, no mask, parts of speech, averages, study and fidelity measured.
`decoder` is causal, two heads share a key head, it has a second stream whose keys are of another table, and nothing
beyond its vectors, attention and maps was measured. The format is the one of docs/atlas-format.md, written here by
hand: what the program reads must not depend on what wrote it.
"""

import hashlib
import json
import zlib
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

SLUGS = ("encoder", "decoder")
HOSTILE = "<script>alert(1)</script>"
WORDS = [
    "the", "a", "cat", "dog", "bank", "river", "bank", "sat", "on", "of", "walk", "##ing", "##ed", "mat", ",", ".",
    "1897", "Zürich", "שלום", "🍰", HOSTILE, "=1+1", "it", "was", "##s", "because",
]  # fmt: skip
TAGS = {
    "the": "DET",
    "a": "DET",
    "on": "ADP",
    "of": "ADP",
    "because": "SCONJ",
    "it": "PRON",
    "was": "AUX",
    ",": "PUNCT",
}
TAGS |= {".": "PUNCT", "1897": "NUM", "sat": "VERB", "walk": "VERB", "Zürich": "PROPN", "🍰": "SYM"}
CONSTANTS = (0.2, 0.4, 0.8, 1.0, 1.25, 2.5, 5.0)
METRICS = ("weighted", "scaled", "norms", "pearson")
SPACE_MEASURES = ("pearson", "spearman", "query_spearman", "attended_near", "best_near", "mixing")
MEASURES = (*SPACE_MEASURES, "trustworthiness", "recall")
SHARES = ("sink_share", "first_share", "last_share", "even_share")


def whole(name: str, shape: tuple[int, ...], low: int, high: int) -> np.ndarray:
    """int64 of a shape, `low` … `high` − 1, the same for a name for ever (SplitMix64 of its CRC and the place)."""
    count = int(np.prod(shape))
    with np.errstate(over="ignore"):
        x = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        x += np.uint64(zlib.crc32(name.encode())) << np.uint64(32)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
        x ^= x >> np.uint64(31)
    return (low + (x % np.uint64(high - low)).astype(np.int64)).reshape(shape)


@dataclass(frozen=True)
class Stream:
    """What `atlas.json` says of a stream, as far as it differs."""

    name: str
    layers: int
    heads: int
    key_heads: int
    head_dim: int
    mask: str = "full"
    additive: bool = False
    query_table: str = "tokens"
    key_table: str = "tokens"

    def info(self) -> dict[str, Any]:
        mask = {"kind": self.mask, "window": None}
        return {**self.__dict__, "mask": mask, "scaling": [0.5 / (layer + 1) for layer in range(self.layers)]}


@dataclass(frozen=True)
class Tokens:
    """A token table: its columns, and how many tokens each input has."""

    columns: dict[str, list]
    counts: list[int]

    @property
    def rows(self) -> int:
        return sum(self.counts)


class Folder:
    """An atlas folder that is being written; `files` becomes a part of `atlas.json`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files: dict[str, dict[str, Any]] = {}

    def array(self, name: str, values: np.ndarray) -> str:
        """Write an array; its SHA-256."""
        (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        np.save(self.path / name, np.ascontiguousarray(values), allow_pickle=False)
        return self._note(name)

    def table(self, name: str, content: pa.Table) -> str:
        (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(content, self.path / name, compression="zstd")
        return self._note(name)

    def _note(self, name: str) -> str:
        content = (self.path / name).read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        self.files[name] = {"bytes": len(content), "sha256": digest}
        return digest


def make_home(home: Path) -> Path:
    """A home folder with both atlases."""
    make_encoder(home / "atlases" / "encoder")
    make_decoder(home / "atlases" / "decoder")
    return home


def make_encoder(path: Path) -> Path:
    folder = Folder(path)
    tokens = make_tokens("encoder", inputs=48, least=6, most=18, tagged=True)
    _write_tokens(folder, {"tokens": tokens})
    stream = Stream("self", layers=2, heads=3, key_heads=3, head_dim=4)
    _write_captured(folder, stream, tokens, tokens)
    projections = [
        _write_map(folder, stream, method, dims, 2 * tokens.rows)
        for method, dims in (("attention", 2), ("pca", 2), ("pca", 3), ("umap", 2), ("umap", 3))
    ]
    _write_heads(folder, [stream])
    _write_study(folder, stream)
    _write_fidelity(folder, stream, ("umap2d", "pca2d"))
    return _finish(folder, "Encoder", [stream], projections, tokens, notes=["L1 head 2: all vectors are equal."])


def make_decoder(path: Path) -> Path:
    folder = Folder(path)
    target = make_tokens("decoder", inputs=7, least=1, most=14, tagged=False)
    source = make_tokens("source", inputs=7, least=2, most=9, tagged=False)
    _write_tokens(folder, {"tokens": target, "source": source})
    own = Stream("self", layers=3, heads=4, key_heads=2, head_dim=2, mask="causal", additive=True)
    cross = Stream("cross", layers=2, heads=2, key_heads=1, head_dim=6, mask="cross", key_table="source")
    projections = []
    for stream, keys in ((own, target), (cross, source)):
        _write_captured(folder, stream, target, keys)
        projections += [_write_map(folder, stream, "pca", dims, target.rows + keys.rows) for dims in (2, 3)]
    _write_heads(folder, [own, cross])
    return _finish(folder, "Decoder", [own, cross], projections, target, notes=[])


def make_tokens(name: str, inputs: int, least: int, most: int, tagged: bool) -> Tokens:
    """Inputs of words and word pieces between two special tokens; an input of one token is the first of them alone."""
    counts = whole(f"{name} counts", (inputs,), least, most + 1).tolist()
    columns: dict[str, list] = {
        column: [] for column in ("input", "position", "token", "text", "special", "word", *(["pos"] if tagged else []))
    }
    for index, count in enumerate(counts):
        words = [WORDS[n] for n in whole(f"{name} words {index}", (max(count - 2, 0),), 0, len(WORDS))]
        row = ["[CLS]", *words, "[SEP]"][:count]
        word = -1
        for position, text in enumerate(row):
            special = text in ("[CLS]", "[SEP]")
            word += not special and (position == 1 or not text.startswith("##"))
            columns["input"].append(index)
            columns["position"].append(position)
            columns["token"].append(text)
            columns["text"].append(text)
            columns["special"].append(special)
            columns["word"].append(-1 if special else word)
            if tagged:
                columns["pos"].append("SPECIAL" if special else TAGS.get(text, "NOUN"))
    return Tokens(columns, counts)


def _write_tokens(folder: Folder, tables: dict[str, Tokens]) -> None:
    types = {"input": pa.int32(), "position": pa.int32(), "word": pa.int32(), "special": pa.bool_()}
    for name, tokens in tables.items():
        content = {
            column: pa.array(values, types.get(column, pa.string())) for column, values in tokens.columns.items()
        }
        folder.table(f"{name}.parquet", pa.table(content))
    first = tables["tokens"]
    texts = [
        " ".join(text for text, of in zip(first.columns["text"], first.columns["input"], strict=True) if of == index)
        for index in range(len(first.counts))
    ]
    source = [f"line {index % 5}" for index in range(len(first.counts))]
    folder.table("inputs.parquet", pa.table({"text": texts, "tokens": first.counts, "source": source}))


def _write_captured(folder: Folder, stream: Stream, queries: Tokens, keys: Tokens) -> None:
    """Vectors of quarters, value norms of eighths, attention of 1/1024: sums of them are exact."""
    base, heads = stream.name, (stream.layers, stream.heads)
    shapes = {
        "queries": (*heads, queries.rows, stream.head_dim),
        "keys": (stream.layers, stream.key_heads, keys.rows, stream.head_dim),
    }
    for side, shape in shapes.items():
        folder.array(
            f"{base}/{side}.npy", (whole(f"{folder.path.name} {base} {side}", shape, -20, 21) / 4).astype("<f2")
        )
    norms = whole(f"{folder.path.name} {base} norms", (stream.layers, stream.key_heads, keys.rows), 1, 65) / 8
    folder.array(f"{base}/value_norms.npy", norms.astype("<f4"))
    blocks = []
    for index, (n, m) in enumerate(zip(queries.counts, keys.counts, strict=True)):
        parts = whole(f"{folder.path.name} {base} attention {index}", (*heads, n, m), 0, 40) ** 2
        if stream.mask == "causal":
            parts *= np.tri(n, m, dtype=np.int64)
        parts = parts * 1024 // np.maximum(parts.sum(axis=-1, keepdims=True), 1)
        parts[..., 0] += 1024 - parts.sum(axis=-1)  # what rounding down has lost goes to the first key
        blocks.append((parts / 1024).astype("<f2").ravel())
    folder.array(f"{base}/attention.npy", np.concatenate(blocks))


def _write_map(folder: Folder, stream: Stream, method: str, dims: int, points: int) -> dict[str, Any]:
    """A layout of sixteenths, each head of its own size and place; what `atlas.json` says of it."""
    heads = (stream.layers, stream.heads)
    name = f"{stream.name}/{method}{dims}d"
    layout = whole(f"{folder.path.name} {name}", (*heads, points, dims), -800, 801) / 16
    size = whole(f"{name} size", (*heads, 1, 1), 1, 9) / 4
    centre = whole(f"{name} centre", (*heads, 1, dims), -160, 161)
    digest = folder.array(f"{name}.npy", (layout * size + centre).astype("<f4"))
    parameters = {"engine": "fast"} if method != "pca" else {}
    return {
        "method": method, "dims": dims, "stream": stream.name, "seed": 0, "parameters": parameters, "sha256": digest,
    }  # fmt: skip


def _cells(stream: Stream) -> list[dict[str, int]]:
    return [{"layer": layer, "head": head} for layer, head in product(range(stream.layers), range(stream.heads))]


def _write_heads(folder: Folder, streams: list[Stream]) -> None:
    rows = []
    for stream in streams:
        moves = whole(f"{stream.name} moves", (len(_cells(stream)), stream.head_dim), -8, 9) / 8
        for number, cell in enumerate(_cells(stream)):
            rows.append(
                {
                    "stream": stream.name,
                    **cell,
                    "c": 0.5 + number / 8,
                    "scale": "norms",
                    "distance": "cosine" if stream.name == "self" else "euclidean",
                    "translation": moves[number].tolist(),
                }
            )
    folder.table("heads.parquet", pa.Table.from_pylist(rows))


def _write_study(folder: Folder, stream: Stream) -> None:
    curve = [(c, True) for c in CONSTANTS] + [(2.0 ** (n / 4), False) for n in range(-8, 9)]
    columns = ("weighted", "weighted_each", "scaled", "pearson", "spearman")
    values = whole("curves", (len(_cells(stream)), len(curve), len(columns)), -64, 1) / 64
    rows, chosen = [], []
    for number, cell in enumerate(_cells(stream)):
        for place, (c, on_grid) in enumerate(curve):
            found = dict(zip(columns, values[number, place].tolist(), strict=True))
            found["spearman"] = found["spearman"] if on_grid else None
            rows.append({**cell, "c": c, "on_grid": on_grid, **found, "near": 8 + place})
        for place, metric in enumerate(METRICS):
            why = "all distances are equal" if (number, metric) == (1, "pearson") else None
            best, grid = 0.5 + (number + 2 * place) / 8, CONSTANTS[(number + place) % 7]
            for name, value in ((f"c_{metric}", best), (f"c_{metric}_grid", grid)):
                chosen.append(_number(name, None, cell, None if why else value, why))
    folder.table(f"{stream.name}/scaling.parquet", pa.Table.from_pylist(rows))
    _write_measures(folder, stream, "scales", chosen)


def _number(
    measure: str, space: str | None, cell: dict[str, int], value: float | None, reason: str | None = None
) -> dict[str, Any]:
    return {"measure": measure, "space": space, **cell, "value": value, "reason": reason}


def _write_measures(folder: Folder, stream: Stream, part: str, rows: list[dict[str, Any]]) -> None:
    types = {"measure": pa.string(), "space": pa.string(), "layer": pa.int32(), "head": pa.int32()}
    schema = pa.schema(types | {"value": pa.float64(), "reason": pa.string()})
    folder.table(f"{stream.name}/measures.parquet/{part}.parquet", pa.Table.from_pylist(rows, schema))


def _write_fidelity(folder: Folder, stream: Stream, maps: tuple[str, ...]) -> None:
    cells = list(enumerate(_cells(stream)))

    def fidelity(space: str, measures: tuple[str, ...]) -> list[dict[str, Any]]:
        rows = []
        for number, cell in cells:
            drawn = (whole(f"{space} {number}", (len(measures),), 0, 65) / 64).tolist()
            for measure, value in zip(measures, drawn, strict=True):
                # a head with something that could not be measured
                why = "the corpus has too few keys" if (number, measure) == (4, "attended_near") else None
                signed = -value if measure in ("pearson", "spearman", "query_spearman") else value
                rows.append(_number(measure, space, cell, None if why else signed, why))
        return rows

    for name in maps:
        _write_measures(folder, stream, name, fidelity(name, MEASURES))
    for space in ("aligned", "unaligned", "lift"):
        _write_measures(folder, stream, space, fidelity(space, SPACE_MEASURES))
    rows = []
    for number, cell in cells:
        shares = (whole(f"shares {number}", (len(SHARES),), 0, 65) / 64).tolist()
        vectors = {"c": 0.5 + number / 8, "query_norm": 4 + number / 16, "key_norm": 4 - number / 16}
        for name, value in {**dict(zip(SHARES, shares, strict=True)), **vectors}.items():
            rows.append(_number(name, None, cell, value))
    _write_measures(folder, stream, "heads", rows)


def _finish(
    folder: Folder,
    title: str,
    streams: list[Stream],
    projections: list[dict[str, Any]],
    tokens: Tokens,
    notes: list[str],
) -> Path:
    slug = folder.path.name
    info = {
        "schema_version": 2,
        "program": "golden",
        "title": title,
        "model": {"id": f"golden/{slug}", "revision": "0" * 40, "architecture": slug, "parameters": 0, "tokenizer": ""},
        "corpus": {
            "name": "golden", "source": "tests/golden", "sha256": hashlib.sha256(slug.encode()).hexdigest(),
            "inputs": len(tokens.counts), "tokens": tokens.rows, "notes": [],
        },
        "streams": [stream.info() for stream in streams],
        "projections": projections,
        "alignment": {"scale": "norms", "distance": "cosine"},
        "capture_error": 0.0,
        "checked_inputs": 1,
        "libraries": {},
        "created": "2024-01-01T00:00:00+00:00",
        "seconds": {},
        "files": folder.files,
        "notes": notes,
        "key": hashlib.sha256(slug.encode()).hexdigest()[:16],
    }  # fmt: skip
    (folder.path / "atlas.json").write_text(json.dumps(info, ensure_ascii=False, indent=1), encoding="utf-8")
    return folder.path
