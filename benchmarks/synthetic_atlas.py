"""A synthetic atlas of any size: structured vectors in the real folder format, for benchmarks of size and speed.

    python -m benchmarks.synthetic_atlas OUT --layers 12 --heads 12 --points 10000 --head-dim 64

writes captured vectors, attention and PCA maps; `--projections umap,tsne` lays it out by the build's own stages;
`--bare` stops after the PCA maps, without measures and study, as pictures of thousands of heads need no more.
"""

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import argparse
import resource
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from joblib.externals.loky import get_reusable_executor

from benchmarks.projection import synthetic
from services import __version__
from services.atlas import arrays
from services.atlas.attention import ATTENTION
from services.atlas.schema import CorpusInfo, ModelInfo, StreamInfo
from services.atlas.vectors import KEYS, QUERIES, VALUE_NORMS, vector_shapes
from services.pipeline import build as pipeline
from services.pipeline.journal import Journal
from services.pipeline.layout_stage import lay_out_pca, write_heads
from services.pipeline.progress import Progress
from services.pipeline.publish import write_info
from services.pipeline.request import BuildRequest
from services.pipeline.workers import Workers
from services.streams import FULL

INPUT = 20  # tokens of an input


def write(folder: Path, layers: int, heads: int, points: int, head_dim: int, request: BuildRequest) -> Path:
    """Write the atlas up to its PCA maps and publish it at `folder`."""
    tokens = points // 2 // INPUT * INPUT
    work = folder.with_name(f"{folder.name}.partial")
    work.mkdir(parents=True)
    journal = Journal(work, {})
    progress = Progress(folder.name, None, bar=True)
    numbers = np.arange(tokens, dtype=np.int32)
    words = [f"word{n % 997}" for n in numbers]
    tables = {
        "inputs": {"text": [f"input {n}" for n in range(tokens // INPUT)]},
        "tokens": {
            "input": numbers // INPUT,
            "position": numbers % INPUT,
            "token": words,
            "text": words,
            "special": numbers % INPUT == 0,
            "word": numbers % INPUT,
        },
    }
    for name, columns in tables.items():
        pq.write_table(pa.table(columns), work / f"{name}.parquet")
        journal.record_file(f"{name}.parquet", arrays.describe(work / f"{name}.parquet"))
    stream = StreamInfo(
        name="self",
        layers=layers,
        heads=heads,
        key_heads=heads,
        head_dim=head_dim,
        mask=FULL,
        scaling=(head_dim**-0.5,) * layers,
    )
    shapes = vector_shapes(stream, tokens, tokens) | {ATTENTION: (layers * heads * tokens * INPUT,)}
    for name, shape in shapes.items():
        array = arrays.create(work / "self" / f"{name}.npy", shape, "float32" if name == VALUE_NORMS else "float16")
        if name in (QUERIES, KEYS):
            for layer in range(layers):
                array[layer] = synthetic(heads, tokens, head_dim)[name]
        else:
            array[...] = 1 if name == VALUE_NORMS else 1 / INPUT
        journal.record_file(f"self/{name}.npy", arrays.publish(work / "self" / f"{name}.npy"))
    journal.facts.update(
        corpus=CorpusInfo(
            name="synthetic", source="benchmarks", sha256="0" * 64, inputs=tokens // INPUT, tokens=tokens
        ).model_dump(mode="json"),
        model=ModelInfo(id="synthetic", revision="", architecture="none", parameters=0).model_dump(mode="json"),
        streams=[stream.model_dump(mode="json")],
        program=__version__,
        modality="text",
        capture_error=0.0,
        checked_inputs=0,
        libraries={},
    )
    journal.save()
    write_heads(work, [stream], request.alignment(), journal, progress)
    for dims in request.dims:
        lay_out_pca(work, stream, dims, request, journal, progress)
    write_info(work, request, journal, progress)
    work.replace(folder)
    return folder


def main() -> None:
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    cli.add_argument("out", type=Path)
    cli.add_argument("--layers", type=int, default=12)
    cli.add_argument("--heads", type=int, default=12)
    cli.add_argument("--points", type=int, default=10_000, help="queries and keys of one head")
    cli.add_argument("--head-dim", type=int, default=64)
    cli.add_argument("--projections", default="pca", help="comma-separated")
    cli.add_argument("--dims", default="2,3", help="comma-separated")
    cli.add_argument("--bare", action="store_true", help="no measures, no study, no maps but PCA")
    cli.add_argument("--jobs", type=int, default=os.cpu_count())
    options = cli.parse_args()
    request = BuildRequest(
        model="synthetic",
        corpus="synthetic",
        projections=tuple(options.projections.split(",")),
        dims=tuple(int(n) for n in options.dims.split(",")),
    )
    folder = options.out.absolute()
    start = time.perf_counter()
    if not folder.exists():
        write(folder, options.layers, options.heads, options.points, options.head_dim, request)
    progress = Progress(folder.name, None, bar=True)
    if not options.bare:
        pipeline.add_layouts(folder, request, progress, Workers(options.jobs))
    get_reusable_executor().shutdown(wait=True)  # only ended processes count among the children
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(f"wall {time.perf_counter() - start:.0f} s")
    print(f"CPU {own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime:.0f} s")
    print(f"peak memory: builder {own.ru_maxrss / 1024:.0f} MB, largest worker {children.ru_maxrss / 1024:.0f} MB")
    print({name: round(seconds, 1) for name, seconds in progress.seconds.items()})


if __name__ == "__main__":
    main()
