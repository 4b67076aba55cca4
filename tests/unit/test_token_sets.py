"""Sets of points: the polygon against a plain loop, the text against the browser's own code, and hostile texts."""

import base64
import json
import math

import numpy as np
import pytest

from services.atlas import layouts, open_atlas
from services.search import token_sets
from tests.node_runtime import run_node


def winding_by_angles(point: np.ndarray, vertices: np.ndarray) -> int:
    """Turns of the polygon about a point: the sum of the angles under which its edges are seen."""
    angles = [math.atan2(y - point[1], x - point[0]) for x, y in vertices]
    steps = (angles[(i + 1) % len(angles)] - angles[i] for i in range(len(angles)))
    return round(sum((step + math.pi) % (2 * math.pi) - math.pi for step in steps) / (2 * math.pi))


@pytest.mark.parametrize("seed", range(6))
def test_inside_agrees_with_a_plain_loop_over_angles_also_for_polygons_that_cross_themselves(seed):
    random = np.random.default_rng(seed)
    vertices = random.uniform(-1, 1, (random.integers(3, 24), 2))
    points = random.uniform(-1.2, 1.2, (400, 2))
    expected = [winding_by_angles(point, vertices) != 0 for point in points]
    assert token_sets.inside(points, vertices).tolist() == expected
    assert any(expected)


def test_a_loop_drawn_twice_is_not_hollow():
    square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], float)
    assert token_sets.inside(np.zeros((1, 2)), np.concatenate([square, square])).all()


def test_points_and_regions_survive_their_text():
    ids = [0, 1, 127, 128, 300, 20_000, 2_000_000]
    assert token_sets.parse(token_sets.write_ids(ids)).points == tuple(ids)
    vertices = np.array([[0, 0], [1, 0], [0.25, -2]])
    (region,) = token_sets.parse(token_sets.write_region(2, 3, "umap3d", vertices, (0.5, -0.25))).regions
    assert (region.layer, region.head, region.projection, region.turn) == (2, 3, "umap3d", (0.5, -0.25))
    assert np.allclose(region.vertices, vertices)


def floats(*numbers: float) -> str:
    return base64.urlsafe_b64encode(np.asarray(numbers, "<f4").tobytes()).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "r.0.0.umap2d.",
        "r.0.0.umap2d." + floats(0, 0, 1, 1),  # two vertices
        "r.0.0.umap2d." + floats(0, 0, 1, 1, math.nan, 0),
        "r.0.0.umap2d." + floats(0, 0, 1, 1, math.inf, 0),
        "r.0.0.umap2d." + floats(0, 0, 1, 1, 1e30, 0),
        "r.0.0.umap2d." + floats(0, 0, 1, 1, 1),  # half a vertex
        "r.0.0.umap3d." + floats(0, 0, 1, 1, 2, 2),  # in 3D the first two numbers are angles
        "r.0.0.umap2d." + floats(*range(2 * 513)),
        "r.0.0.umap2d." + "A" * 8_000_000,
        "r.-1.0.umap2d." + floats(0, 0, 1, 0, 0, 1),
        "r.0.0.../../etc2d." + floats(0, 0, 1, 0, 0, 1),
        "p.gA",  # cut off inside a number
        "p.____________",
        "p.A~p.A",
        "~".join(["r.0.0.umap2d." + floats(0, 0, 1, 0, 0, 1)] * 9),
        "p." + base64.urlsafe_b64encode(bytes([1] * 1001)).decode().rstrip("="),
    ],
)
def test_hostile_texts_are_refused_with_a_sentence(text):
    with pytest.raises(token_sets.SetError, match=r"\.$"):
        token_sets.parse(text)


@pytest.fixture(scope="module")
def atlas(small_atlas):
    return open_atlas(small_atlas)


def test_members_are_the_points_drawn_inside_without_those_taken_out(atlas):
    stream = atlas.info.streams[0]
    square = np.array([[-0.4, -0.4], [0.4, -0.4], [0.4, 0.4], [-0.4, 0.4]])
    for name, turn in (("pca2d", None), ("pca3d", (0.7, -0.3))):
        text = token_sets.write_region(1, 2, name, square, turn, whole=True)
        layout = np.asarray(atlas.layout(atlas.info.projection(name, "self")))[1, 2].astype(float)
        low, high = layout.min(axis=0), layout.max(axis=0)
        unit = (layout - (low + high) / 2) / ((high - low).max() / 2 * 1.04)
        place = token_sets.on_screen(unit, turn)
        clear = np.abs(np.abs(place).max(axis=1) - 0.4) > 1e-3
        expected = np.abs(place).max(axis=1) < 0.4
        found = token_sets.members(atlas, stream, text)
        assert np.array_equal(found[clear], expected[clear])
        assert found.any()
        some = int(np.flatnonzero(found)[0])
        without = token_sets.members(atlas, stream, f"{text}~x{token_sets.write_ids([some])[1:]}")
        assert np.flatnonzero(found != without).tolist() == [some]


def test_a_region_is_of_the_frame_it_was_drawn_in(atlas, monkeypatch):
    """Points that stand at the edge of the frame are inside what is drawn about them there."""
    stream = atlas.info.streams[0]
    layout = np.random.default_rng(0).normal(size=(1, 400, 2)).astype(np.float32)
    layout[0, :5] += 400
    heads = stream.layers * stream.heads
    monkeypatch.setattr(token_sets, "flat_layout", lambda *_: np.repeat(layout, heads, axis=0))
    monkeypatch.setattr(
        token_sets, "head_frames", lambda *args: layouts.frames(np.repeat(layout, heads, axis=0), args[3])
    )
    corner = np.array([[0.97, 0.97], [1.05, 0.97], [1.05, 1.05], [0.97, 1.05]])
    for whole, expected in ((False, 5), (True, 0)):
        (region,) = token_sets.parse(token_sets.write_region(1, 2, "pca2d", corner, whole=whole)).regions
        positions = token_sets.head_positions(atlas, stream, "pca2d", 1, 2, region.whole)
        assert token_sets.inside(positions, corner).sum() == expected


def test_a_set_of_another_atlas_is_refused(atlas):
    stream = atlas.info.streams[0]
    triangle = np.array([[0, 0], [1, 0], [0, 1]])
    for text in (
        token_sets.write_region(99, 0, "pca2d", triangle),
        token_sets.write_region(0, 99, "pca2d", triangle),
        token_sets.write_region(0, 0, "umap2d", triangle),
        token_sets.write_ids([10**7]),
    ):
        with pytest.raises(token_sets.SetError):
            token_sets.members(atlas, stream, text)


def test_the_summary_counts_what_a_loop_counts(atlas):
    stream = atlas.info.streams[0]
    tokens = atlas.tokens()
    mask = np.zeros(2 * len(tokens), bool)
    chosen = [0, 3, 5, len(tokens) + 3, len(tokens) + 9]
    mask[chosen] = True
    found = token_sets.counted(atlas, stream, mask)
    rows = [point % len(tokens) for point in chosen]
    assert (found.points, found.tokens, found.queries, found.keys) == (5, len(set(rows)), 3, 2)
    assert found.inputs == len({int(tokens.input[row]) for row in rows})
    places = [int(tokens.position[row]) / (int(tokens.length[row]) - 1) for row in rows]
    assert found.mean_position == pytest.approx(sum(places) / 5)
    assert sum(count for _, count in found.frequent) <= 5


def test_the_browser_writes_and_projects_as_the_server_reads(atlas):
    script = """
      const { join } = require("node:path");
      const load = require(join(process.cwd(), "tests", "node", "load.cjs"));
      const sets = load("sets"), camera = load("camera");
      const place = { layer: 4, head: 7, projection: "pca3d", turn: { yaw: 0.6, pitch: -0.4 } };
      const angles = Array.from({ length: 900 }, (_, i) => i / 900 * 2 * Math.PI);
      const circle = angles.map((angle) => ({ x: Math.cos(angle), y: Math.sin(angle) }));
      const region = sets.region(place, circle);
      let definition = sets.addRegion(sets.toggle("", 70000, false), region);
      definition = sets.toggle(sets.toggle(definition, 5, true), 9, false);
      const p = camera.projectCube(camera.rotation(0.6, -0.4), 0.3, -0.8, 0.55);
      console.log(JSON.stringify({ definition, p }));
    """
    done = run_node("-e", script)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    found = token_sets.parse(answer["definition"])
    (region,) = found.regions
    assert (region.layer, region.head, region.turn) == (4, 7, pytest.approx((0.6, -0.4)))
    assert len(region.vertices) == 64
    x, y = np.asarray(region.vertices).T
    area = abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2
    assert area == pytest.approx(math.pi, rel=0.01)
    assert found.points == (9, 70000)
    assert found.out == (5,)
    place = token_sets.on_screen(np.array([[0.3, -0.8, 0.55]]), (0.6, -0.4))[0]
    assert place == pytest.approx([answer["p"]["x"], answer["p"]["y"]])
