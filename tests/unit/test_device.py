"""Where builds run that name no device: a GPU where there is one, and a sentence where one is missing or full."""

import os
import subprocess
import sys

import pytest
import torch
from building import ROOT, write_corpus
from tiny_models import save_model

from services.errors import AtlasError, BuildError
from services.jobs.builds import BUILD, BuildArguments, run_build
from services.jobs.here import here
from services.jobs.spec import JobSpec
from services.models import device
from services.models.device import AUTO, CPU, chosen, device_name, gpu_here, told
from services.pipeline.request import BuildRequest
from services.pipeline.workers import Workers
from services.settings import Settings
from tests.job_processes import ended, kill_all
from tests.patience import PATIENCE

without_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
with_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
FULL = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.\nGPU 0 has a total capacity of 1 GiB.")


@pytest.fixture
def settings(tmp_path):
    settings = Settings(home=tmp_path / "home", demo=False, device="cuda")
    settings.make_folders()
    yield settings
    kill_all(settings)


@pytest.fixture(scope="module")
def request_of_bert(tmp_path_factory):
    folder = tmp_path_factory.mktemp("device")
    model = save_model(folder / "bert", "bert", num_hidden_layers=1)
    corpus = write_corpus(folder / "lines.txt")
    return BuildRequest(model=str(model), corpus=str(corpus), projections=("pca", "umap"), dims=(2,), engine=AUTO)


def test_without_a_sign_of_a_gpu_pytorch_is_not_asked():
    code = (
        "import sys; from services.models import device; device._SIGNS = ('/dev/none',);"
        "found = device.chosen('auto'), device.chosen('cpu'), device.gpu_here('auto'), device.device_name('cpu');"
        "sys.exit(found != ('cpu', 'cpu', '', '') or 'torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0


@without_gpu
def test_a_sign_alone_is_no_gpu_and_one_that_is_asked_for_by_name_is_missed_in_one_sentence(monkeypatch):
    monkeypatch.setattr(device, "_SIGNS", ("/dev/null",))
    assert (chosen(AUTO), gpu_here(AUTO)) == (CPU, "")
    for ask in (chosen, gpu_here):
        with pytest.raises(BuildError, match=r"^ATLAS_DEVICE is cuda:1, and PyTorch .* finds no GPU here: set it to"):
            ask("cuda:1")


@with_gpu
def test_a_gpu_is_found_and_named_and_one_too_many_is_not():
    name = torch.cuda.get_device_name(0)
    assert (chosen(AUTO), gpu_here(AUTO), device_name("cuda")) == ("cuda", name, name)
    with pytest.raises(BuildError, match=f"finds {torch.cuda.device_count()} of them here"):
        chosen("cuda:99")


def test_what_a_gpu_fails_with_is_one_sentence_that_says_what_to_do():
    full = str(told(FULL, "cuda"))
    assert full.startswith("The GPU (cuda) has too little memory free: take fewer inputs or a smaller model")
    broken = str(told(RuntimeError("CUDA error: an illegal memory access\nwas encountered"), "cuda:1"))
    assert "The GPU (cuda:1) failed (CUDA error: an illegal memory access was encountered)" in broken
    assert all("ATLAS_DEVICE=cpu" in text and "\n" not in text for text in (full, broken))
    assert told(RuntimeError("sizes do not fit"), "cuda") is None
    assert told(FULL, CPU) is None


def test_the_engine_of_a_build_that_names_none_is_that_of_its_device():
    assert [Workers(device=one).engine for one in (CPU, "cuda", "cuda:1")] == ["fast", "torch", "torch"]
    assert Workers(device="cuda", dask="tcp://host:8786").engine == "fast"  # processors of other machines


@without_gpu
def test_an_order_is_built_on_the_device_of_the_setting(jobs, settings, request_of_bert, monkeypatch):
    """As far as it goes where there is none: the process of the job misses it, and so does torch when it is named."""
    arguments = BuildArguments(request=request_of_bert, folder=str(settings.atlases / "one"), device=AUTO)
    monkeypatch.setenv("ATLAS_DEVICE", "cuda")
    failed = ended(jobs, jobs.submit(JobSpec.of(BUILD.name, arguments, "order")))
    assert failed.message.startswith("ATLAS_DEVICE is cuda, and PyTorch")
    named = arguments.model_copy(update={"device": "cuda"})
    with (
        here(settings, JobSpec.of(BUILD.name, named, "terminal")) as running,
        pytest.raises(AtlasError, match="there is no device 'cuda' here"),
    ):
        run_build(named, running)


@without_gpu
def test_a_worker_for_a_gpu_that_is_not_there_ends_at_its_start(settings):
    environment = {**os.environ, "ATLAS_HOME": str(settings.home), "ATLAS_DEVICE": "cuda"}
    done = subprocess.run(
        [sys.executable, "app.py", "worker"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("ATLAS_DEVICE is cuda, and PyTorch")
    assert len(done.stderr.splitlines()) == 1


def test_a_gpu_that_is_full_ends_a_build_with_its_sentence(settings, request_of_bert, monkeypatch):
    def fails(*_, **__):
        raise FULL

    monkeypatch.setattr("services.pipeline.build.build", fails)
    arguments = BuildArguments(request=request_of_bert, folder=str(settings.atlases / "one"), device="cuda")
    with here(settings, JobSpec.of(BUILD.name, arguments, "terminal")) as running:
        with pytest.raises(BuildError, match="too little memory free"):
            run_build(arguments, running)
        with pytest.raises(torch.OutOfMemoryError):
            run_build(arguments.model_copy(update={"device": CPU}), running)
