"""Words are tagged by a real tagger, and every piece of a word has the word's tag."""

import pytest

from services.atlas import open_atlas
from services.errors import BuildError
from services.modalities.text.columns import has_tags, tags, words
from services.modalities.text.parts_of_speech import GROUP_OF, GROUPS, SPECIAL, UPOS, align, tags_named
from services.modalities.text.tagging import choose_tagger, language_of, split_words


@pytest.fixture(scope="module")
def english():
    return choose_tagger("hanta-en", [])[0]


def tagged(tagger, text):
    return [(text[first:end], tag) for first, end, tag in tagger.tag(text)]


def test_a_sentence_is_tagged_as_a_reader_would(english):
    assert tagged(english, "Rome\u2019s old bank didn't lend 1,000.5 dollars to the U.S. team, but she has $5.") == [
        ("Rome", "PROPN"), ("\u2019s", "PART"), ("old", "ADJ"), ("bank", "NOUN"), ("did", "AUX"), ("n't", "PART"),
        ("lend", "VERB"), ("1,000.5", "NUM"), ("dollars", "NOUN"), ("to", "ADP"), ("the", "DET"), ("U.S.", "PROPN"),
        ("team", "NOUN"), (",", "PUNCT"), ("but", "CCONJ"), ("she", "PRON"), ("has", "VERB"), ("$", "SYM"),
        ("5", "NUM"), (".", "PUNCT"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("choice", "text", "tags"),
    [
        ("hanta-de", "Der alte Hund schläft nicht.", ["DET", "ADJ", "NOUN", "VERB", "PART", "PUNCT"]),
        ("hanta-nl", "De oude hond slaapt in Amsterdam.", ["DET", "ADJ", "NOUN", "VERB", "ADP", "PROPN", "PUNCT"]),
    ],
)
def test_german_and_dutch_are_mapped_to_universal_tags(choice, text, tags):
    assert [tag for _, _, tag in choose_tagger(choice, [])[0].tag(text)] == tags


@pytest.mark.parametrize(
    "text", ["", "   ", "\0\x01", "\U0001f370 \u05e9\u05dc\u05d5\u05dd <script>", "' '' `", "word " * 700]
)
def test_any_text_is_tagged_without_an_error(english, text):
    spans = english.tag(text)
    assert all(tag in UPOS for _, _, tag in spans)
    assert [(first, end) for first, end, _ in spans] == split_words(text)


def test_auto_tags_only_languages_it_knows():
    assert language_of(["The cat sat on the mat because it was tired of the rain."]) == "en"
    assert language_of(["Der Hund ist in dem Haus und die Katze ist auch da."]) == "de"
    assert language_of(["De kat zit op het dak van een huis en kijkt naar de straat."]) == "nl"
    for texts in ([], [""], ["Le chat est sur la table de la maison."], ["x = y + 1"], ["\u732b\u304c\u3044\u308b"]):
        tagger, reason = choose_tagger("auto", texts)
        assert tagger is None
        assert reason.startswith("No parts of speech")
    assert choose_tagger("none", ["The cat"]) == (None, "")


@pytest.mark.parametrize("choice", ["hanta-xx", "magic", "spacy:no_such_model", "spacy:../../etc"])
def test_a_tagger_that_is_not_there_is_an_error_in_one_line(choice):
    with pytest.raises(BuildError, match=r"^--pos"):
        choose_tagger(choice, ["The cat"])


def test_pieces_take_the_tag_of_their_word():
    text = "unbelievable cats"
    words = [(0, 12, "ADJ"), (13, 17, "NOUN")]
    spans = [(0, 0), (0, 2), (2, 8), (8, 12), (12, 17), (17, 17), (0, 0)]
    special = [True, False, False, False, False, False, True]
    assert text[12:17] == " cats"
    assert align(words, spans, special) == [SPECIAL, "ADJ", "ADJ", "ADJ", "NOUN", "", SPECIAL]


def test_a_token_over_several_words_takes_the_longest():
    assert align([(0, 1, "DET"), (2, 9, "NOUN")], [(0, 9)], [False]) == ["NOUN"]
    assert align([(0, 2, "PRON"), (2, 4, "AUX")], [(0, 4), (2, 4)], [False, False]) == ["PRON", "AUX"]
    assert align([], [(0, 3)], [False]) == [""]


def test_names_of_tags_are_understood():
    assert tags_named("noun") == tags_named(" NOUN ") == tags_named("Nouns") == {"NOUN"}
    assert tags_named("conjunction") == {"CCONJ", "SCONJ"}
    assert tags_named("special") == {SPECIAL}
    assert tags_named("") == tags_named("gerund") == frozenset()


def test_every_tag_has_one_of_twelve_groups():
    assert len(GROUPS) == 12
    assert sorted(tag for _, tags in GROUPS for tag in tags) == sorted([*UPOS, SPECIAL, ""])
    assert set(GROUP_OF) == {*UPOS, SPECIAL, ""}


def test_a_build_stores_the_tags_of_its_tokens(small_atlas):
    atlas = open_atlas(small_atlas)
    tokens = atlas.tokens()
    assert has_tags(atlas)
    assert "HanTa" in atlas.info.libraries
    assert any("HanTa (English)" in note for note in atlas.info.corpus.notes)
    tag_of = dict(zip(tokens.text, tags(tokens), strict=True))
    assert (tag_of["[CLS]"], tag_of["france"], tag_of["muddy"], tag_of["."]) == (SPECIAL, "PROPN", "ADJ", "PUNCT")
    first = list(words(tokens)).index(0, tokens.offsets[6])
    pieces = [row for row in range(first, first + 9) if words(tokens)[row] == 0]
    assert "".join(tokens.text[row].removeprefix("##") for row in pieces) == "photosynthesis"
    assert len(pieces) > 1
    assert len({tags(tokens)[row] for row in pieces}) == 1
