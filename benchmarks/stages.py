"""Wall seconds of each stage of a build, for the demo's model or for a BERT of a given size with random weights.

    python -m benchmarks.stages                                             # MiniLM, the demo corpus, all maps
    python -m benchmarks.stages --model FOLDER --projections pca,umap --dims 2
    python -m benchmarks.stages --heads 12 --engine torch --device cuda     # as large as BERT-base, on a GPU
    python -m benchmarks.stages --heads 12 --engines torch fast             # two engines, one table

--heads H makes H layers of H heads of 64 dimensions with random weights and MiniLM's tokenizer (or --tokenizer's): how
long a build takes hardly depends on what the weights are, what it shows does. Built in a folder that is deleted after.
"""

import argparse
import shutil
import tempfile
import time
from pathlib import Path

from services.errors import AtlasError
from services.jobs.builds import processes
from services.models.files import find_model
from services.pipeline.build import build
from services.pipeline.progress import Progress
from services.pipeline.request import BuildRequest
from services.pipeline.workers import Workers
from services.projection.registry import methods_named
from services.settings import load_settings

TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt")


def random_bert(folder: Path, heads: int, tokenizer: Path) -> Path:
    """A BERT of `heads` layers × `heads` heads × 64 dimensions, its weights as initialised with seed 0."""
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    width = 64 * heads
    config = BertConfig(
        num_hidden_layers=heads, num_attention_heads=heads, hidden_size=width, intermediate_size=4 * width
    )
    BertModel(config).save_pretrained(folder)
    for name in TOKENIZER:
        if (tokenizer / name).exists():
            shutil.copy(tokenizer / name, folder / name)
    return folder


def seconds(request: BuildRequest, device: str, jobs: int) -> tuple[dict[str, float], float]:
    """Of each stage, and of the whole build."""
    with tempfile.TemporaryDirectory() as home:
        progress = Progress("stages", bar=False)
        began = time.perf_counter()
        build(request, Path(home) / "atlas", progress, workers=Workers(jobs=jobs, device=device))
        return progress.seconds, time.perf_counter() - began


def main() -> None:
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("--model", default="minilm")
    cli.add_argument("--heads", type=int, help="instead of a model: so many layers of so many heads, random weights")
    cli.add_argument("--tokenizer", type=Path, help="folder of the random model's tokenizer (default: MiniLM's)")
    cli.add_argument("--corpus", default="demo")
    cli.add_argument("--max-inputs", type=int, default=100_000)
    cli.add_argument("--projections", default="all")
    cli.add_argument("--dims", type=int, nargs="+", default=[2, 3])
    cli.add_argument("--engines", "--engine", nargs="+", default=["fast"])
    cli.add_argument("--device", default="cpu", help="of the model, and of the engine torch")
    cli.add_argument("--jobs", type=int, default=0)
    options = cli.parse_args()
    with tempfile.TemporaryDirectory() as place:
        model = options.model
        if options.heads:
            tokenizer = options.tokenizer or Path(find_model("minilm").path)
            model = str(random_bert(Path(place) / "model", options.heads, tokenizer))
        tables = {}
        for engine in options.engines:
            request = BuildRequest(
                model=model,
                corpus=options.corpus,
                max_inputs=options.max_inputs,
                projections=methods_named(options.projections),
                dims=tuple(options.dims),
                engine=engine,
            )
            tables[engine] = seconds(request, options.device, options.jobs or processes(load_settings()))
    print("| stage |", " | ".join(tables), "|")
    print("|---|" + "--:|" * len(tables))
    for stage in dict.fromkeys(name for stages, _ in tables.values() for name in stages):
        print(f"| {stage} |", " | ".join(f"{stages.get(stage, 0):.1f}" for stages, _ in tables.values()), "|")
    print("| whole build |", " | ".join(f"{whole:.1f}" for _, whole in tables.values()), "|")


if __name__ == "__main__":
    try:
        main()
    except AtlasError as error:
        raise SystemExit(str(error)) from error
