"""A home folder with one real, small atlas, built by the command a user types: MiniLM on part of the demo corpus."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SLUG = "minilm-sample"
HOSTILE = "Tags such as <script>alert(1)</script> and <br> are words to a bank clerk, not markup."


def build_home(home: Path, projections: str = "pca,umap") -> Path:
    """Build the atlas under `home` and return the home folder."""
    with (ROOT / "demo/corpus/sentences.jsonl").open(encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for line in file][::7]
    corpus = home / "sample.txt"
    home.mkdir(parents=True, exist_ok=True)
    corpus.write_text("\n".join([HOSTILE, *texts]), encoding="utf-8")
    subprocess.run(
        [sys.executable, "app.py", "build", "--quiet", "--corpus", str(corpus), "--projections", projections],
        cwd=ROOT,
        env={**os.environ, "ATLAS_HOME": str(home)},
        check=True,
        capture_output=True,
    )
    return home
