"""What unit, app and browser tests share: real atlases, each built once a session and only when asked for."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from services.jobs.which import jobs_of
from services.settings import Settings
from tests.image_home import build_image_home
from tests.job_processes import kill_all
from tests.real_home import build_home

ROOT = Path(__file__).parents[1]

# Repeated words, numbers, a question, punctuation, subwords, markup and scripts beyond Latin: what views must show.
SENTENCES = (
    "The cat sat on the mat because it was tired.",
    "Paris is the capital of France, and Rome is the capital of Italy.",
    "The river bank was muddy, so she walked to the bank in town.",
    "Who wrote the letter that arrived on 12 May 1897?",
    "Water boils at 100 degrees; ice melts at 0.",
    "He said: \u201cNever again!\u201d and left.",
    "Photosynthesis turns sunlight into sugar.",
    "The dog chased the cat, and the cat chased the mouse.",
    "Type <script>alert(1)</script> or <br> and nothing happens.",
    "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd means hello world.",
    "Caf\u00e9s in Z\u00fcrich sell cake \U0001f370 on Mondays.",
    "Stop.",
)


def build_small_atlas(home: Path) -> Path:
    """Build MiniLM on SENTENCES with PCA in 2D and 3D into `home/atlases/small`, in a process of its own.

    Of its own, because some tests hold that this process never imports torch.
    """
    corpus = home / "sentences.txt"
    corpus.write_text("\n".join(SENTENCES), encoding="utf-8")
    folder = home / "atlases" / "small"
    arguments = ["--corpus", str(corpus), "--projections", "pca", "--out", str(folder), "--title", "Small", "--quiet"]
    subprocess.run(
        [sys.executable, "app.py", "build", *arguments],
        cwd=ROOT,
        env={**os.environ, "ATLAS_HOME": str(home), "HF_HUB_OFFLINE": "1"},
        check=True,
        capture_output=True,
        timeout=170,
    )
    return folder


def own_copy(factory: pytest.TempPathFactory, name: str, build: Callable[[Path], object]) -> Path:
    """A folder filled by `build`: once for all processes of this run (pytest-xdist), and a copy for each."""
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    built, half = shared / f"{name}-built", shared / f"{name}-half"
    with FileLock(shared / f"{name}.lock"):
        if not built.exists():
            shutil.rmtree(half, ignore_errors=True)
            half.mkdir()
            build(half)
            half.rename(built)
    return Path(shutil.copytree(built, factory.mktemp("home"), dirs_exist_ok=True))


@pytest.fixture(scope="session")
def small_atlas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a real atlas: MiniLM, 12 sentences, PCA 2D and 3D. Its `parents[1]` can be an ATLAS_HOME.

    Shared by all tests: copy it before changing it.
    """
    return own_copy(tmp_path_factory, "small", build_small_atlas) / "atlases" / "small"


@pytest.fixture(scope="session")
def dashboard_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder with one small real atlas: MiniLM, PCA and UMAP in 2D and 3D."""
    return own_copy(tmp_path_factory, "dashboard", build_home)


def build_three_streams(home: Path) -> None:
    """In a process of its own: it registers a model and an adapter, and imports torch."""
    subprocess.run(
        [sys.executable, "-m", "tests.three_streams", str(home)],
        cwd=ROOT,
        env={**os.environ, "ATLAS_HOME": str(home), "HF_HUB_OFFLINE": "1"},
        check=True,
        capture_output=True,
        timeout=600,
    )


@pytest.fixture(scope="session")
def three_streams_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder with an atlas of three streams (tests/three_streams.py) and, beside it, its `model`."""
    return own_copy(tmp_path_factory, "three", build_three_streams)


@pytest.fixture(scope="session")
def image_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder with one real atlas of images (tests/image_home.py)."""
    return own_copy(tmp_path_factory, "images", build_image_home)


@pytest.fixture
def settings(tmp_path):
    """Of an empty home, where no job's process outlives the test."""
    one = Settings(home=tmp_path / "home", demo=False)
    one.make_folders()
    yield one
    kill_all(one)


@pytest.fixture
def jobs(settings):
    """Jobs of the home of `settings`."""
    one = jobs_of(settings)
    yield one
    one.close()
