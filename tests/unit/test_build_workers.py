"""Who works for a build: processes of this machine that end quietly, and Dask clusters that give the same layouts."""

import time
import warnings

import joblib
import numpy as np
import pytest

from services.atlas import open_atlas
from services.errors import BuildError
from services.pipeline.build import build
from services.pipeline.progress import Progress
from services.pipeline.workers import Workers
from tests.unit.building import request_for, write_corpus
from tests.unit.tiny_models import save_model


@pytest.mark.slow
def test_a_dask_cluster_gives_the_same_layouts(tmp_path):
    from distributed import LocalCluster

    request = request_for(
        save_model(tmp_path / "bert", "bert"), write_corpus(tmp_path / "corpus.txt"), ("pca", "umap"), dims=(2,)
    )
    here = build(request, tmp_path / "here", Progress("here", bar=False))
    with LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        workers = Workers(dask=cluster.scheduler_address)
        there = build(request, tmp_path / "there", Progress("there", bar=False), workers=workers)
    name = "self/umap2d"
    assert np.array_equal(open_atlas(here).array(name), open_atlas(there).array(name))


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch):
    monkeypatch.setattr("services.pipeline.workers._PATIENCE", 2)
    workers = Workers(dask="tcp://127.0.0.1:1")
    with pytest.raises(BuildError, match="No Dask scheduler answers"), workers.results([]):
        pass


@pytest.mark.parametrize("jobs", [1, 2])
def test_leaving_while_others_still_work_says_nothing(jobs, capfd):
    """A stop between two layers: joblib's advice on unused work would stand in the user's terminal."""
    units = (joblib.delayed(time.sleep)(seconds) for seconds in (0, 0.05, 1, 1, 1))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with Workers(jobs=jobs).results(units) as results:
            next(results)
    assert [str(one.message) for one in caught] == []
    assert capfd.readouterr().err == ""
