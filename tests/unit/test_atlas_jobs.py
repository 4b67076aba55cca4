"""The jobs for an atlas that is there, run as the dashboard runs them: what they leave, what they say, how they end."""

import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest
from building import arrays_of, finish, start, write_corpus
from scipy.spatial import cKDTree
from tiny_models import save_model

from app import create_app
from services.atlas.folder import verify
from tests.atlas_jobs import Maps, Study, forget_study

LAYERS, HEADS = 3, 4
TABLES = ("scaling.parquet", "measures.parquet/scales.parquet")
WORDS = ["the", "cat", "sat", "on", "a", "mat", "because", "it", "was", "tired", "and", "dog"]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A home with one atlas, of a tiny model and 900 tokens: large enough that a job can be met in its middle."""
    folder = tmp_path_factory.mktemp("jobs")
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, rng.integers(20, 40))) for _ in range(30)]
    model = save_model(folder / "bert", "bert", num_hidden_layers=LAYERS)
    corpus = write_corpus(folder / "lines.txt", texts)
    home = folder / "home"
    out = home / "atlases" / "tiny"
    options = ["--projections", "pca,umap", "--dims", "2", "--pos", "none", "--jobs", "2"]
    assert finish(start(["--model", model, "--corpus", corpus, "--out", out, *options], home)) == (0, "")
    return home


@pytest.fixture
def home(built, tmp_path, monkeypatch):
    """A home of one test's own; jobs take one core, so that many cores do not hide their middle."""
    monkeypatch.setenv("ATLAS_JOBS", "1")
    return shutil.copytree(built, tmp_path / "home")


@pytest.fixture
def unstudied(home):
    """The same, with an atlas that was built without the scaling study."""
    forget_study(home / "atlases" / "tiny")
    return home


def tables(folder):
    return [pq.read_table(folder / "self" / name).to_pylist() for name in TABLES]


def one_line(text: str) -> str:
    assert len(text.strip().splitlines()) == 1, text
    return text.strip()


# ---- the scaling study of an atlas built without one


def test_a_study_made_afterwards_is_the_one_that_a_build_makes(built, unstudied):
    job = Study(unstudied)
    before = job.atlas.info
    assert not set(before.files) & {f"self/{name}" for name in TABLES}
    assert job.status() is None or job.status().state != "running"
    ended = job.run()
    assert (ended.state, ended.message) == ("finished", "")
    assert tables(job.folder) == tables(built / "atlases" / "tiny")
    after = job.atlas.info
    assert verify(job.folder) == []
    assert set(after.files) - set(before.files) == {f"self/{name}" for name in TABLES}
    assert (after.key, after.title, after.projections) == (before.key, before.title, before.projections)
    assert job.left_over() == []


@pytest.mark.slow
def test_a_study_killed_in_its_middle_goes_on_to_the_same_tables(built, unstudied):
    job = Study(unstudied)
    job.start()
    job.until("running", fraction=1 / (LAYERS * HEADS))
    job.kill()
    dead = job.until("stopped")
    assert "ended unexpectedly" in one_line(dead.message)
    assert verify(job.folder) == []
    assert job.run().state == "finished"
    assert tables(job.folder) == tables(built / "atlases" / "tiny")
    assert job.left_over() == []


def test_a_study_of_an_atlas_without_a_journal_says_what_to_do(unstudied):
    job = Study(unstudied)
    (job.folder / "build.json").unlink()
    failed = job.run()
    assert failed.state == "failed"
    assert "build it again with --overwrite" in one_line(failed.message)
    done = job.command()
    assert (done.returncode, done.stdout) == (2, "")
    assert one_line(done.stderr) == failed.message


def test_a_study_of_no_atlas_is_one_line(tmp_path):
    job = Study(tmp_path)
    done = job.command(f"atlas={tmp_path / 'nowhere'}")
    assert done.returncode == 2
    assert "nowhere" in one_line(done.stderr)


def test_the_button_of_the_page_studies_the_atlas(unstudied):
    app = create_app(Study(unstudied).settings)
    client, state = app.server.test_client(), {"atlas": "tiny", "stream": "self"}

    def ask(trigger, clicks=None):
        inputs = {"scaling-study.n_clicks": clicks, "scaling-study-tick.n_intervals": 1, "jobs.data": None}
        outputs = ("scaling-study-note.children", "scaling-study.disabled", "scaling-study-tick.max_intervals")
        return post(client, outputs, inputs, {"scaling-state.data": state}, trigger)

    idle = ask("jobs.data")
    assert (idle["scaling-study"], idle["scaling-study-tick"]) == ({"disabled": False}, {"max_intervals": 0})
    assert ask("scaling-study.n_clicks", 1)["scaling-study-note"]["children"] == "Starting …"
    running = ask("scaling-study-tick.n_intervals")
    assert (running["scaling-study"], running["scaling-study-tick"]) == ({"disabled": True}, {"max_intervals": 2})
    assert Study(unstudied).until("finished")
    assert "ready" in json.dumps(ask("scaling-study-tick.n_intervals")["scaling-study-note"])


# ---- the maps by another metric


def test_maps_of_a_metric_are_made_in_whole_and_served(home):
    job = Maps(home)
    before = arrays_of(job.folder)
    client = create_app(job.settings).server.test_client()
    (address,) = job.addresses().values()
    assert client.get(address).status_code == 404
    ended = job.run()
    assert (ended.state, ended.message) == ("finished", "")
    (file,) = job.files().values()
    points = sum(job.atlas.points(job.atlas.info.streams[0]))
    layout = np.load(file, allow_pickle=False)
    assert (layout.shape, layout.dtype) == ((LAYERS, HEADS, points, 2), np.float32)
    assert np.isfinite(layout).all()
    assert (layout.std(axis=2) > 0).all()  # every head is laid out
    sent = client.get(address)
    assert sent.status_code == 200
    assert len(sent.data) == LAYERS * HEADS * min(points, 1000) * 2 * 2
    after = arrays_of(job.folder)
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[name], after[name]) for name in before)
    assert job.left_over() == []
    written = file.stat().st_mtime_ns
    assert job.run().state == "finished"  # what is there already is left alone
    assert file.stat().st_mtime_ns == written


def test_maps_of_the_metric_that_the_atlas_has_are_like_its_own(home):
    """The same c gives the same neighbours; UMAP magnifies rounding, so that places alone would not tell."""
    like = {}
    for metric in ("norms", "pearson"):
        job = Maps(home, metric=metric)
        assert job.run().state == "finished"
        atlas = job.atlas
        own = np.asarray(atlas.layout(atlas.info.projection("umap2d", "self")))
        made = np.load(job.files()["umap"], allow_pickle=False)
        heads = [(layer, head) for layer in range(LAYERS) for head in range(HEADS)]
        like[metric] = np.array([shared_neighbours(own[place], made[place]) for place in heads])
    assert atlas.info.alignment.scale == "norms"
    assert like["norms"].min() > 0.5
    assert like["norms"].mean() > like["pearson"].mean() + 0.1


def shared_neighbours(one: np.ndarray, other: np.ndarray, count: int = 15) -> float:
    """The share of each point's nearest that two layouts [points, dims] have in common, over all places.

    Points of equal vectors share a place in both; which of them are the nearest would be chance.
    """
    places = np.unique(one, axis=0, return_index=True)[1]
    one, other = one[places], other[places]
    near = [cKDTree(layout).query(layout, count + 1)[1][:, 1:] for layout in (one, other)]
    return float(np.mean([len(set(a) & set(b)) / count for a, b in zip(*near, strict=True)]))


@pytest.mark.slow
def test_maps_stopped_in_the_middle_leave_nothing_half_made(home):
    job = Maps(home)
    job.start()
    job.until("running", fraction=1 / (LAYERS * HEADS))
    job.stop()
    stopped = job.until("stopped")
    assert one_line(stopped.message) == "Stopped."
    assert stopped.fraction < 1
    assert not any(file.exists() for file in job.files().values())
    assert job.left_over() == []
    assert job.run().state == "finished"
    assert all(file.exists() for file in job.files().values())


@pytest.mark.slow
def test_maps_killed_in_the_middle_go_on_after_the_last_whole_layer(home):
    job = Maps(home)
    job.start()
    job.until("running", fraction=1.5 / LAYERS)
    job.kill()
    assert "ended unexpectedly" in one_line(job.until("stopped").message)
    (file,) = job.files().values()
    first = file.with_name(f"{file.stem}.layers") / "0.npy"
    marked = np.load(first, allow_pickle=False) + 1000
    np.save(first, marked)
    assert job.run().state == "finished"
    layout = np.load(file, allow_pickle=False)
    assert np.array_equal(layout[0], marked)  # not made again
    assert np.isfinite(layout).all()
    assert (np.abs(layout[1:]) < 500).all()
    assert not first.parent.exists()


def test_maps_of_an_atlas_without_a_study_are_refused_in_one_line(unstudied):
    job = Maps(unstudied)
    failed = job.run()
    assert failed.state == "failed"
    assert one_line(failed.message) == "tiny has no scaling study of pearson."
    done = job.command()
    assert (done.returncode, done.stdout, one_line(done.stderr)) == (2, "", failed.message)


@pytest.mark.parametrize(
    ("more", "said"),
    [(["stream=cross"], "cross"), (["dims=two"], "two"), (["metric=taste"], "taste")],
)
def test_a_wrong_choice_is_named(home, more, said):
    done = Maps(home).command(*more)
    assert done.returncode == 2
    assert said in done.stderr.strip().splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_the_buttons_of_the_tab_make_and_stop_the_maps(home):
    job = Maps(home)
    client = create_app(job.settings).server.test_client()
    outputs = ("scale-note.children", "scale-build.hidden", "scale-stop.hidden", "scale-tick.max_intervals")
    view = {"atlas": "tiny", "stream": "self", "method": "umap", "dims": 2}

    def ask(trigger):
        inputs = {
            "view.data": view, "catalogue.data": None, "jobs.data": None, "scale-build.n_clicks": 1,
            "scale-stop.n_clicks": 1,
            "scale-tick.n_intervals": 1,
        }  # fmt: skip
        answer = post(client, outputs, inputs, {"scale-select.value": "pearson"}, trigger)
        return (
            json.dumps(answer["scale-note"]["children"]),
            answer["scale-build"]["hidden"],
            answer["scale-stop"]["hidden"],
        )

    def wait(*states):
        return job.until(*states, fraction=1 / (LAYERS * HEADS) if states == ("running",) else 0)

    note, build_hidden, stop_hidden = ask("view.data")
    assert "UMAP in 2D still as built" in note
    assert (build_hidden, stop_hidden) == (False, True)
    assert ask("scale-build.n_clicks")[1:] == (True, False)
    wait("running")
    assert "%" in ask("scale-tick.n_intervals")[0]
    assert "Stopping" in ask("scale-stop.n_clicks")[0]
    wait("stopped")
    note, build_hidden, stop_hidden = ask("scale-tick.n_intervals")
    assert "Stopped." in note
    assert (build_hidden, stop_hidden) == (False, True)
    ask("scale-build.n_clicks")
    wait("finished")
    note, build_hidden, stop_hidden = ask("scale-tick.n_intervals")
    assert "All maps are made with this c" in note
    assert (build_hidden, stop_hidden) == (True, True)


def post(client, outputs, inputs, state, trigger):
    """What a callback answers a browser: {component: {property: value}}."""

    def place(name):
        component, prop = name.rsplit(".", 1)
        return {"id": component, "property": prop}

    body = {
        "output": f"..{'...'.join(outputs)}..",
        "outputs": [place(name) for name in outputs],
        "inputs": [{**place(name), "value": value} for name, value in inputs.items()],
        "state": [{**place(name), "value": value} for name, value in state.items()],
        "changedPropIds": [trigger],
    }
    answer = client.post("/_dash-update-component", data=json.dumps(body), content_type="application/json")
    assert answer.status_code == 200, answer.data[:300]
    return answer.json["response"]
