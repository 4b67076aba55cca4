"""Shared choices: each is declared once; what the browser writes into a link, the server reads back, and nobody else
writes addresses or types what the declarations say."""

import json
import random
import re
from typing import Annotated
from urllib.parse import parse_qsl, urlsplit

import pytest

from app import create_app
from components.state import tables as served
from components.state.atlas_page import AtlasPage, Picture
from components.state.declare import Switch
from components.state.links import address
from components.state.scaling_page import ScalingPage
from components.state.tables import PAGES, tables
from services.alignment.live import LEAST_C, MOST_C
from services.atlas import open_atlas
from services.search.token_sets import write_ids
from services.settings import Settings
from tests.app.test_bad_input import GOOD
from tests.node_runtime import ROOT, run_node
from tests.real_home import SLUG


@pytest.fixture(scope="module")
def atlas(dashboard_home):
    return open_atlas(dashboard_home / "atlases" / SLUG)


def ask(folder, page, states=(), pages=None, picture=None):
    """What the client code makes of states (their links) and of the values of the store picture's controls."""
    name = next(name for name, kind in (pages or PAGES).items() if issubclass(page, kind))
    file = folder / "asked.json"
    held = [{store: held_by_browser(state, store) for store in state.stores()} for state in states]
    asked = {"tables": tables("/", pages), "page": name, "states": held, "picture": picture}
    file.write_text(json.dumps(asked))
    done = run_node(ROOT / "tests" / "node" / "ask_page.cjs", file)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def held_by_browser(state, store):
    """The scene tells its viewpoint together with the head that it is of."""
    found = getattr(state, store).to_store()
    if store != "viewpoint":
        return found
    view = state.view
    return {**found, "head": {"layer": view.layer, "head": view.head} if view.at_head else None}


def read_back(page, link, atlas):
    return page.from_query(dict(parse_qsl(urlsplit(link).query, keep_blank_values=True)), atlas)


def test_a_link_that_the_browser_writes_gives_the_state_it_was_written_from(tmp_path, atlas):
    queries = [{}, GOOD]
    queries += [{name: value for name, value in GOOD.items() if name != left_out} for left_out in GOOD]
    queries += [{name: value} for name, value in GOOD.items()]
    queries += [{"layer": "0", "head": "0", name: value} for name, value in GOOD.items()]
    states = [AtlasPage.from_query(query, atlas) for query in queries]
    for state, link in zip(states, ask(tmp_path, AtlasPage, states)["links"], strict=True):
        wanted = state.model_copy(update={"dropped": ()})
        if not state.view.at_head:  # a tab and an alignment are of an open head
            wanted = wanted.model_copy(update={"panel": wanted.panel.model_copy(update={"tab": "sentence"})})
            own = AtlasPage.from_query({}, atlas).alignment
            wanted = wanted.model_copy(update={"alignment": own})
        if not state.search.query:
            wanted = wanted.model_copy(update={"search": AtlasPage.from_query({}, atlas).search})
        assert read_back(AtlasPage, link, atlas) == wanted, link


def random_queries(count, rng):
    """Links as the dashboard could write them."""
    flags = ["special", "first", "values", "offsets", "cut", "average", "nolines", "heatmap"]
    for _ in range(count):
        words = [word for word in flags if rng.random() < 0.5]
        words += [f"top{rng.randrange(1, 1000)}"] * (rng.random() < 0.5)
        words += [f"from{rng.randrange(101)}"] * (rng.random() < 0.5)
        c = f"{min(MOST_C, max(LEAST_C, 10 ** rng.uniform(-1, 1))):.4f}"
        yield {
            "atlas": SLUG, "layer": str(rng.randrange(6)), "head": str(rng.randrange(12)),
            "dims": rng.choice("23"), "method": rng.choice(["pca", "umap"]), "colour": rng.choice(["type", "norm"]),
            "token": str(rng.randrange(40)), "side": rng.choice(["query", "key"]), "read": "-".join(words) or "from5",
            "hide": rng.choice(["q0", "k0.1", "q1k0", "q0.1k2"]), "set": write_ids(rng.sample(range(60), 3)),
            "align": f"{c}-{rng.choice(['translated', 'asis'])}-{rng.choice(['euclidean', 'cosine', 'lift'])}",
            "q": rng.choice(["a&b=c", "ü #?%", '"x, y", z', "+ +"]), "mode": rng.choice(["token", "regex"]),
            "at": f"{rng.uniform(-2, 2):.4f}_{rng.uniform(-2, 2):.4f}_{rng.uniform(0.5, 8):.3f}",
            "badge": rng.choice(["none", "recall"]), "order": rng.choice(["plain", "search", "mixing"]),
            "labels": rng.choice(["on", "off"]), "size": rng.choice("0247"), "panel": rng.choice(["open", "closed"]),
        }  # fmt: skip


def test_links_of_random_states_come_back(tmp_path, atlas):
    states = [AtlasPage.from_query(query, atlas) for query in random_queries(150, random.Random(0))]
    assert {state.dropped for state in states} == {()}
    for state, link in zip(states, ask(tmp_path, AtlasPage, states)["links"], strict=True):
        assert read_back(AtlasPage, link, atlas) == state, link


def test_links_of_the_page_scaling_come_back(tmp_path, atlas):
    queries = [{}, {"layer": "4", "head": "11", "metric": "norms", "values": "best", "method": "umap", "pairs": "all"}]
    queries += [{"distance": "cosine", "scale": "weighted", "metric": "pearson"}]
    states = [ScalingPage.from_query(query, atlas) for query in queries]
    links = ask(tmp_path, ScalingPage, states)["links"]
    assert links[0] == f"/scaling?atlas={SLUG}&stream=self&layer=0&head=0"
    assert [read_back(ScalingPage, link, atlas) for link in links] == states


def test_what_is_as_by_default_is_left_out(tmp_path, atlas):
    (link,) = ask(tmp_path, AtlasPage, [AtlasPage.from_query({}, atlas)])["links"]
    assert link == f"/?atlas={SLUG}&stream=self&method=umap&dims=2&colour=type"


def test_an_address_that_the_server_writes_has_only_parameters_that_are_read():
    assert address("/atlas/", ScalingPage, {"layer": "1"}) == "/atlas/scaling?layer=1"
    with pytest.raises(ValueError, match="colour"):
        address("/", ScalingPage, {"layer": "1", "colour": "type"})


# --- a new switch: one line -------------------------------------------------------------------------------------------


class PictureWithToy(Picture):
    toy: Annotated[bool, Switch(on="yes", off="no", control="toy-box", shows="toy")] = False


class PageWithToy(AtlasPage):
    picture: PictureWithToy


TOY_PAGES = {**PAGES, "atlas": PageWithToy}


def test_a_new_switch_is_read_from_links_with_its_default_and_a_sentence_for_a_bad_value(atlas):
    assert PageWithToy.from_query({}, atlas).picture.toy is False
    assert PageWithToy.from_query({"toy": "yes"}, atlas).picture.toy is True
    found = PageWithToy.from_query({"toy": "perhaps", "rings": "off"}, atlas)
    assert (found.picture.toy, found.picture.rings) == (False, False)
    assert found.dropped == ("toy='perhaps' is not in this atlas; showing no instead.",)
    assert PictureWithToy.from_store({"toy": True}).toy is True
    assert PictureWithToy.from_store({"toy": {"a": 1}}) == PictureWithToy()


def test_the_client_code_takes_a_new_switch_from_its_control_shows_it_and_writes_it_into_the_link(tmp_path, atlas):
    states = [PageWithToy.from_query(query, atlas) for query in ({"toy": "yes"}, {})]
    values = [None] * (len(Picture.choices())) + [["toy"]]
    answer = ask(tmp_path, PageWithToy, states, TOY_PAGES, values)
    assert [("toy=yes" in link) for link in answer["links"]] == [True, False]
    data, *shown = answer["picture"]
    assert data == {**Picture().to_store(), "toy": True}
    assert dict(zip([s.shows for s in PictureWithToy.choices().values() if s.shows], shown, strict=True))["toy"] is True


def test_a_new_switch_is_served_and_changes_the_address_of_the_tables(monkeypatch, dashboard_home):
    before = tables_of(create_app(Settings(home=dashboard_home, demo=False)))
    monkeypatch.setattr(served, "PAGES", TOY_PAGES)
    after = tables_of(create_app(Settings(home=dashboard_home, demo=False)))
    assert before[0] != after[0]
    (toy,) = [one for one in after[1]["pages"]["atlas"]["parameters"] if one["name"] == "toy"]
    assert toy["fields"] == [{"field": "toy", "on": "yes", "off": "no"}]
    assert "toy" not in json.dumps(before[1])


def tables_of(app):
    """Address and content of the script of tables that a page loads."""
    client = app.server.test_client()
    page = client.get("/")
    (path,) = re.findall(r'<script src="(/tables/[0-9a-f]{12}\.js)">', page.text)
    answer = client.get(path)
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.mimetype == "text/javascript"
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    return path, json.loads(answer.text.removeprefix("window.atlasTables = ").rstrip().removesuffix(";"))


# --- nothing is typed twice -------------------------------------------------------------------------------------------

SCRIPTS = sorted([*ROOT.glob("assets/*.js"), *ROOT.glob("components/*/*.js")])
CODE = {path.relative_to(ROOT).as_posix(): re.sub(r"/\*.*?\*/|(?<![:'\"])//[^\n]*", "", path.read_text(), flags=re.S)
        for path in SCRIPTS}  # fmt: skip
ADDRESS = "assets/05-link.js"


_WRITES = re.compile(r"history\b.*(?:State|\[)|searchParams\.(?:set|delete|append)|location\.(?:assign|replace)")


@pytest.mark.parametrize("name", CODE)
def test_one_file_writes_addresses(name):
    if name != ADDRESS:
        written = [line.strip() for line in CODE[name].splitlines() if _WRITES.search(line)]
        # the tour starts on the main page; a static page has places of its own, no parameters
        assert [line for line in written if "?tour=1" not in line and "location.replace(`#" not in line] == []


def texts(node):
    """Words and colours in the tables, as client code would type them; a text with places to fill, in its parts."""
    if isinstance(node, dict | list):
        if isinstance(node, dict) and node.keys() == {"factor", "digits", "unit"}:
            return  # how a measure is written: " %" is in any language
        for value in node.values() if isinstance(node, dict) else node:
            yield from texts(value)
    elif isinstance(node, str) and re.search(r"[ #{]", node) and len(node) > 3 and node != "#ffffff":
        parts = re.split(r"\{\w+\}", node)
        yield from [part for part in parts if len(part) > 3] if len(parts) > 1 else [f'"{node}"']


def lists(node):
    """Lists of three names and more, such as the values of a choice; any language has pairs such as query and key."""
    if isinstance(node, dict | list):
        if isinstance(node, list) and len(node) > 2 and all(isinstance(value, str) for value in node):
            yield node
        for value in node.values() if isinstance(node, dict) else node:
            yield from lists(value)


@pytest.mark.parametrize("name", CODE)
def test_no_client_file_holds_what_the_tables_say(name):
    code, table = CODE[name], tables("/")
    assert [text for text in texts(table) if text in code] == []
    assert [values for values in lists(table) if json.dumps(values)[1:-1] in code] == []
    numbers = "EYE|SHRINK|FEW|LEVELS|REACH|ENOUGH|MOST_VERTICES|MOST_POINTS|MOST_REGIONS|MOST_TEXT"
    assert re.findall(rf"\b({numbers}) = [\d.]", code) == []


@pytest.mark.parametrize("name", CODE)
def test_no_client_file_reads_or_writes_a_parameter_of_links_by_name(name):
    parameters = {parameter for page in PAGES.values() for parameter in page.parameters()}
    if "location.search" in CODE[name] or "window.location" in CODE[name]:
        named = re.findall(r'\.(?:get|set|has|delete|append)\("(\w+)"', CODE[name])
        assert not set(named) & parameters
