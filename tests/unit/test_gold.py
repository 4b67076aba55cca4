"""What a corpus says of its words reaches the tokens that stand for them, and nothing that does not fit them does (C3).

Trees are written out by hand; what the tokens should say is worked out from them, not from the code.
"""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.panels.kinds import cell_details, kinds_card
from components.state.atlas_page import KindTable, View
from services.atlas import open_atlas
from services.attributes.registry import attribute_of, in_atlas, offered
from services.measures import related
from services.measures.kinds import kind_matrix
from services.measures.kinds import offered as kinds_offered
from services.modalities.corpora import read_corpus
from services.modalities.corpora.gold import Word, is_tree, placed
from services.pipeline.build import build
from services.pipeline.progress import Progress
from tests.unit.building import request_for
from tests.unit.tiny_models import save_model

TREE = """\
# text = The dogged cat sat.
1\tThe\tthe\tDET\tDT\t_\t3\tdet\t_\t_
2\tdogged\tdogged\tADJ\tJJ\t_\t3\tamod\t_\t_
3\tcat\tcat\tNOUN\tNN\t_\t4\tnsubj\t_\tNER=B-PER
4\tsat\tsit\tVERB\tVBD\t_\t0\troot\t_\tSpaceAfter=No
5\t.\t.\tPUNCT\t.\t_\t4\tpunct\t_\t_
"""
GERMAN = """\
# text = im Haus
1-2\tim\t_\t_\t_\t_\t_\t_\t_\t_
1\tin\tin\tADP\t_\t_\t3\tcase\t_\t_
2\tdem\tder\tDET\t_\t_\t3\tdet\t_\t_
3\tHaus\tHaus\tNOUN\t_\t_\t0\troot\t_\t_
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_model(tmp_path_factory.mktemp("model"), "bert")


def built(model, tmp_path, name, content, **choices):
    file = tmp_path / name
    if isinstance(content, pa.Table):
        pq.write_table(content, file)
    else:
        file.write_text(content, encoding="utf-8")
    folder = tmp_path / "atlas"
    build(request_for(model, file, dims=(2,), **choices), folder, Progress("made", bar=False))
    return open_atlas(folder)


def rows(atlas, *names):
    tokens = atlas.tokens("tokens")
    return [tuple(values) for values in zip(tokens.text, *(tokens.columns[name] for name in names), strict=True)]


def test_a_treebank_says_part_of_speech_relation_head_and_entity_of_each_token(model, tmp_path):
    atlas = built(model, tmp_path, "a.conllu", TREE)
    found = rows(atlas, "pos", "relation", "entity", "tree_word", "tree_head")
    assert found[0] == ("[CLS]", "SPECIAL", "", "", -1, -1)
    assert found[1] == ("the", "DET", "det", "", 0, 2)
    assert found[2:4] == [("dog", "ADJ", "amod", "", 1, 2), ("##g", "ADJ", "amod", "", 1, 2)]
    assert ("cat", "NOUN", "nsubj", "PER", 2, 3) in found
    assert ("sat", "VERB", "root", "", 3, -1) in found
    assert found[-2:] == [(".", "PUNCT", "punct", "", 4, 3), ("[SEP]", "SPECIAL", "", "", -1, -1)]
    assert "Parts of speech are those of the corpus." in atlas.info.corpus.notes
    assert not any("left out" in note for note in atlas.info.corpus.notes)


def test_they_are_colours_kinds_and_columns_of_that_atlas_and_of_no_other(model, tmp_path, small_atlas):
    atlas = built(model, tmp_path, "a.conllu", TREE)
    stream = atlas.info.default_stream
    names = [one.name for one in offered(atlas)]
    assert {"relation", "entity"} < set(names)
    assert {"relation", "entity", "role", "segment", "corpus_tag"}.isdisjoint(
        one.name for one in offered(open_atlas(small_atlas))
    )
    relation = in_atlas(atlas, attribute_of("relation"))
    assert relation.categories[0] == "no relation"
    assert set(relation.categories[1:]) == {"det", "amod", "nsubj", "root", "punct"}
    assert relation.categories[1] == "amod"  # of more tokens than any other
    numbers = relation.values(atlas, stream)
    cat = list(atlas.tokens("tokens").text).index("cat")
    assert relation.categories[numbers[cat]] == "nsubj"
    assert {"pos", "relation", "entity"} < set(kinds_offered(atlas))
    matrix = kind_matrix(atlas, stream, 0, 0, "relation")
    assert {"nsubj", "root"} < set(matrix.names)


def test_words_of_a_contraction_share_its_token_and_heads_go_by_the_first(model, tmp_path):
    atlas = built(model, tmp_path, "a.conllu", GERMAN)
    found = rows(atlas, "pos", "relation", "tree_word", "tree_head")
    im = [row for row in found if row[0] in ("i", "##m")]
    assert {row[1:] for row in im} == {("ADP", "case", 0, 2)}
    assert placed("im Haus", [Word("in", whole=(0, "im")), Word("dem", whole=(0, "im")), Word("Haus")]) == (
        (0, 2),
        (0, 2),
        (3, 7),
    )
    assert placed("don't", [Word("do", whole=(0, "don't")), Word("n't", whole=(0, "don't"))]) == ((0, 2), (2, 5))


def test_trees_that_do_not_fit_are_left_out_and_told(tmp_path):
    file = tmp_path / "a.conllu"
    other = TREE.replace("# text = The dogged cat sat.", "# text = Another text.")
    circle = TREE.replace("\t0\troot", "\t3\tcop")
    away = TREE.replace("\t3\tamod", "\t9\tamod")
    file.write_text("\n".join([TREE, other, circle, away]), encoding="utf-8")
    corpus = read_corpus(file)
    assert [bool(one.words) for one in corpus.gold] == [True, False, True, True]
    assert [one.tree for one in corpus.gold] == [True, False, False, False]
    assert corpus.gold[2].words[0].tag == "DET"  # what is no part of the tree stays
    assert "The words of 1 text are not found in their text, so that their tags were left out: line 8." in corpus.notes
    assert "The heads of 2 texts make no tree, so that their relations were left out: line 15, line 22." in corpus.notes


@pytest.mark.parametrize(
    ("heads", "yes"),
    [([1, -1], True), ([-1, -1], True), ([1, 0], False), ([0], False), ([None, -1], False), ([5, -1], False),
     ([-1, 0, 1, 2], True), ([1, 2, 1, -1], False)],
)  # fmt: skip
def test_what_a_tree_is(heads, yes):
    assert is_tree(heads) is yes


def test_other_kinds_of_conll_give_tags_and_entities(model, tmp_path):
    content = "-DOCSTART- -X- O O\n\nPeter NNP B-NP B-PER\nsat VBZ B-VP O\n\nthe DT B-NP O\nmat NN I-NP O\n"
    atlas = built(model, tmp_path, "a.conll", content, pos="none")
    found = rows(atlas, "corpus_tag", "entity")
    assert {row[1:] for row in found if row[0] in ("p", "##e", "##t", "##r")} == {("NNP", "PER")}
    assert ("sat", "VBZ", "") in found
    assert ("the", "DT", "") in found
    tag = in_atlas(atlas, attribute_of("corpus_tag"))
    assert set(tag.categories) == {"no tag", "NNP", "VBZ", "DT", "NN"}


def test_numbered_columns_with_heads_are_trees(tmp_path):
    lines = ["1 Dogs dog N NNS _ 2 SBJ _ _", "2 bark bark V VBP _ 0 ROOT _ _"]
    file = tmp_path / "a.conll"
    file.write_text("\n".join(lines))
    (gold,) = read_corpus(file).gold
    assert gold.tree
    assert [(word.tag, word.head, word.relation) for word in gold.words] == [("N", 1, "SBJ"), ("V", -1, "ROOT")]


def test_lists_beside_a_list_of_words_are_their_tags(model, tmp_path):
    lists = {"tokens": [["Peter", "sat"], ["the", "mat"]], "ner_tags": [[1, 0], [0, 0]]}
    said = {"info": {"features": {"ner_tags": {"feature": {"names": ["O", "B-PER"], "_type": "ClassLabel"}}}}}
    table = pa.table(lists).replace_schema_metadata({"huggingface": json.dumps(said)})
    atlas = built(model, tmp_path, "a.parquet", table, pos="none")
    assert {row[1] for row in rows(atlas, "entity") if row[0] in ("p", "##e", "##t", "##r")} == {"PER"}
    file = tmp_path / "a.jsonl"
    row = {"tokens": ["Dogs", "bark"], "upos": ["NOUN", "VERB"], "head": ["2", "0"], "deprel": ["nsubj", "root"]}
    file.write_text(json.dumps(row))
    (gold,) = read_corpus(file, column="tokens").gold
    assert [(word.tag, word.head, word.relation) for word in gold.words] == [("NOUN", 1, "nsubj"), ("VERB", -1, "root")]


# Relations as pairs of words.


def plainly(atlas, layer, head, name, up):
    """Mean weight, even weight and number of queries of one relation in one direction, token by token."""
    stream, tokens = atlas.info.default_stream, atlas.tokens("tokens")
    given, flat = [], []
    for index in range(len(atlas.inputs)):
        rows = tokens.rows(index)
        block = np.asarray(atlas.attention(stream).block(index, layer, head), float)
        relation = list(tokens.columns["relation"])[rows]
        word, above = (np.asarray(tokens.columns[one])[rows].tolist() for one in ("tree_word", "tree_head"))
        for q in range(len(block)):
            if up:
                keys = [k for k in range(len(block)) if relation[q] == name and above[q] >= 0 and word[k] == above[q]]
            else:
                keys = [k for k in range(len(block)) if relation[k] == name and above[k] >= 0 and above[k] == word[q]]
            if keys:
                given.append(block[q, keys].sum())
                flat.append(len(keys) / len(block))
    return np.mean(given), np.mean(flat), len(given)


def test_relations_are_kinds_of_pairs_and_equal_a_loop_over_words(model, tmp_path):
    more = TREE.replace("The dogged cat sat.", "The dogged dog sat.").replace("cat\tcat", "dog\tdog")
    atlas = built(model, tmp_path, "a.conllu", "\n".join([TREE, more] * 4))
    stream = atlas.info.default_stream
    assert related.known(atlas, stream)
    found = related.kind_matrix(atlas, stream, 1, 2)
    assert set(found.names) == {"det", "amod", "nsubj", "punct"}  # a root has no head
    assert found.columns == ("word → its head", "head → its word")
    for row, name in enumerate(found.names):
        for column, direction in enumerate(found.columns):
            weight, even, count = plainly(atlas, 1, 2, name, up=column == 0)
            assert found.weight[row, column] == pytest.approx(weight, rel=1e-4)
            assert found.even[row, column] == pytest.approx(even, rel=1e-5)
            assert found.queries[row, column] == count
            assert found.low[row, column] <= found.weight[row, column] * 1.0001
            lifts = related.lift_of_all(atlas, stream, related.NAME, name, direction)
            assert lifts[1, 2] == pytest.approx(weight / even, rel=1e-3)
    tokens, (queries, _) = atlas.tokens("tokens"), atlas.points(stream)
    pairs = related.strongest_pairs(atlas, stream, 1, 2, related.NAME, "nsubj", found.columns[0])
    assert {tokens.text[point] for point in pairs if point < queries} <= {"cat", "dog"}
    assert {tokens.text[point - queries] for point in pairs if point >= queries} == {"sat"}
    with pytest.raises(KeyError):
        related.lift_of_all(atlas, stream, related.NAME, "obj", found.columns[0])


def test_the_panel_offers_relations_where_there_are_trees_and_only_there(model, tmp_path, small_atlas):
    atlas = built(model, tmp_path, "a.conllu", "\n".join([TREE] * 6))
    stream = atlas.info.default_stream
    words = json.dumps(kinds_card(atlas, stream, View(), KindTable()), default=lambda part: part.to_plotly_json())
    assert "Relation between two words" in words
    plain = open_atlas(small_atlas)
    words = json.dumps(
        kinds_card(plain, plain.info.default_stream, View(), KindTable()), default=lambda part: part.to_plotly_json()
    )
    assert "Relation between two words" not in words
    view = View(atlas=atlas.slug, stream=stream.name, layer=0, head=1, method="pca", dims=2)
    row = related.relations_of(atlas, stream).index("amod")
    shown = cell_details(atlas, view, related.NAME, row, 0, "/")
    words = json.dumps(shown, default=lambda part: part.to_plotly_json(), ensure_ascii=False)
    assert "amod: word → its head" in words
    assert "Light up its strongest pairs" in words
    assert "cell=amod%3Eword" in words  # heads in which it is strongest open with it


# Pairs of texts.


def test_words_of_a_pair_are_those_of_their_own_text(model, tmp_path):
    """The words of a treebank belong to its text, also where that is the second of a pair."""
    second = TREE.replace("# text = The", "# other = the mat\n# text = The")
    for column, pair, side in (("text", "other", 0), ("other", "text", 1)):
        place = tmp_path / column
        place.mkdir()
        atlas = built(model, place, "a.conllu", second, column=column, pair=pair, pos="auto")
        found = rows(atlas, "segment", "relation", "tree_word", "tree_head")
        assert {row[1] for row in found if row[2]} == {side}
        assert ("cat", side, "nsubj", 2, 3) in found
        assert all(row[2:] == ("", -1, -1) for row in found if row[1] == 1 - side)
        said = f"Parts of speech are those of the corpus, of the {('first', 'second')[side]} text of a pair alone."
        assert said in atlas.info.corpus.notes


def test_tags_beside_one_list_of_words_are_its_own_and_beside_two_they_are_left_out(tmp_path):
    file = tmp_path / "a.jsonl"
    row = {"tokens": ["Dogs", "bark"], "upos": ["NOUN", "VERB"], "other": "Cats sleep", "more": ["Cats", "sleep"]}
    file.write_text(json.dumps(row))
    alone = read_corpus(file, column="other", pair="tokens")
    assert alone.gold == ()
    assert [word.tag for word in alone.pair_gold[0].words] == ["NOUN", "VERB"]
    assert [len(one.words) for one in alone.gold_of(0)] == [0, 2]
    both = read_corpus(file, column="tokens", pair="more")
    assert (both.gold, both.pair_gold) == ((), ())
    assert any(note.startswith("Left out the tags of 1 pair of two lists of words") for note in both.notes)
