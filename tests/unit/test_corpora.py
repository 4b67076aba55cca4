"""Promises of the corpus reader: what is read, what is skipped and told, what is refused and how."""

import csv
import json
import os
import pickle
import tracemalloc
import zipfile
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from services.errors import CorpusError
from services.modalities.corpora import DEMO, decoding, demo_corpus, read_corpus

TEXTS = [
    "The bank is closed.",
    'She said "hi", then left.',
    "שלום עולם",
    "A 🦉 sees <b>you</b><br>",
    "x < y\tz",
]
TOPICS = ["senses", "quotes", "right-to-left", "emoji", ""]
FORMATS = ["csv", "tsv", "jsonl", "json", "parquet"]


def write(path, texts=TEXTS, topics=TOPICS):
    """Texts and topics in the format of the path's ending."""
    rows = [{"text": text, "topic": topic} for text, topic in zip(texts, topics, strict=True)]
    if path.suffix in (".csv", ".tsv"):
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, ["text", "topic"], delimiter="\t" if path.suffix == ".tsv" else ",")
            writer.writeheader()
            writer.writerows(rows)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    elif path.suffix == ".json":
        path.write_text(json.dumps(rows, indent=1, ensure_ascii=False), encoding="utf-8")
    elif path.suffix == ".parquet":
        pq.write_table(pa.table({"text": texts, "topic": topics}), path)
    else:
        path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def file(tmp_path):
    """Write bytes or text under a name."""

    def make(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
        return path

    return make


def refusal(source, **options) -> str:
    """The message of a refusal, which is one line and names the file."""
    with pytest.raises(CorpusError) as caught:
        read_corpus(source, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 1000
    return message


# ── what is read ─────────────────────────────────────────────────────────────────────────────────────────


def test_demo_is_a_corpus_by_name():
    corpus = read_corpus(DEMO)
    assert corpus == demo_corpus()
    assert corpus.name == "demo"
    assert corpus.source == "demo/corpus/sentences.jsonl"
    assert len(corpus.texts) >= 160
    assert len(corpus.columns["topic"]) == len(corpus.texts)
    assert corpus.notes == ()


def test_a_file_called_demo_is_read_by_its_path(file, monkeypatch):
    monkeypatch.chdir(file("demo", "one\n").parent)
    assert read_corpus("./demo").texts == ("one",)


@pytest.mark.parametrize("ending", FORMATS)
def test_texts_and_columns_survive_a_round_trip(tmp_path, ending):
    corpus = read_corpus(write(tmp_path / f"birds.{ending}"))
    assert corpus.texts == tuple(TEXTS)
    assert dict(corpus.columns) == {"topic": tuple(TOPICS)}
    assert corpus.name == "birds"
    assert corpus.source == f"birds.{ending}"
    assert corpus.notes == ()


@pytest.mark.parametrize("name", ["plain.txt", "plain.md", "plain", "PLAIN.TXT"])
def test_a_text_file_of_any_name_has_one_sentence_a_line(tmp_path, name):
    path = tmp_path / name
    path.write_text("\n".join(TEXTS), encoding="utf-8")
    corpus = read_corpus(path)
    assert corpus.texts == tuple(TEXTS)
    assert corpus.columns == {}


def test_a_json_list_of_strings_is_a_corpus(file):
    assert read_corpus(file("a.json", json.dumps(TEXTS))).texts == tuple(TEXTS)


def test_jsonl_lines_may_be_strings(file):
    assert read_corpus(file("a.jsonl", '"one"\n"two"\n')).texts == ("one", "two")


def test_the_hash_depends_on_content_alone(tmp_path):
    hashes = {read_corpus(write(tmp_path / f"{ending}.{ending}")).sha256 for ending in FORMATS}
    assert len(hashes) == 1
    changed_text = read_corpus(write(tmp_path / "a.csv", texts=["Other", *TEXTS[1:]])).sha256
    changed_topic = read_corpus(write(tmp_path / "b.csv", topics=["other", *TOPICS[1:]])).sha256
    assert len(hashes | {changed_text, changed_topic}) == 3


def test_a_text_moved_over_a_boundary_changes_the_hash(file):
    assert read_corpus(file("a.txt", "ab\nc")).sha256 != read_corpus(file("b.txt", "a\nbc")).sha256


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.jsonl", "a.json"])
def test_byte_order_marks_and_all_line_ends_are_understood(file, name, mark, end):
    lines = {
        "a.txt": ["one", "two"],
        "a.csv": ["text", "one", "two"],
        "a.jsonl": ['{"text": "one"}', '{"text": "two"}'],
        "a.json": ["[", '"one",', '"two"', "]"],
    }[name]
    corpus = read_corpus(file(name, mark + end.join(lines) + end))
    assert corpus.texts == ("one", "two")
    assert corpus.notes == ()


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_lines_are_numbered_and_characters_whole_across_the_pieces_in_which_a_file_is_read(file, end, monkeypatch):
    monkeypatch.setattr("services.modalities.corpora.decoding.CHUNK_BYTES", 3)
    path = file("a.txt", end.join(["é🦉é".encode(), b"", "ü".encode(), b"bad \xff"]))
    assert f"line 4, byte offset {path.read_bytes().index(255)}:" in refusal(path)
    good = file("b.txt", end.join(["é🦉é".encode(), b"", "ü".encode()]))
    corpus = read_corpus(good)
    assert corpus.texts == ("é🦉é", "ü")
    assert corpus.notes == ("Skipped 1 blank text: line 2.",)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_json_lists_are_read_alike_in_pieces_of_any_size(file, size, monkeypatch):
    monkeypatch.setattr("services.modalities.corpora.decoding.CHUNK_BYTES", size)
    path = file("a.json", '[ {"text": "one", "n": 12} ,\n\n {"text": "tw\\u00f6", "n": 3456}]\n ')
    corpus = read_corpus(path)
    assert corpus.texts == ("one", "twö")
    assert corpus.columns == {"n": ("12", "3456")}
    assert read_corpus(file("b.json", "[12345, 678]")).texts == ("12345", "678")


def test_csv_fields_may_hold_quotes_commas_and_line_ends(file):
    corpus = read_corpus(file("a.csv", 'text,n\r\n"He said ""no"",\r\nthen left.",1\r\nplain,2\r\n'))
    assert corpus.texts == ('He said "no",\nthen left.', "plain")
    assert corpus.columns == {"n": ("1", "2")}


@pytest.mark.parametrize("mark", [";", "\t"])
def test_csv_of_spreadsheets_with_other_delimiters_is_understood(file, mark):
    corpus = read_corpus(file("a.csv", f"text{mark}topic\na, b{mark}c\n"))
    assert corpus.texts == ("a, b",)
    assert corpus.columns == {"topic": ("c",)}


def test_the_column_can_be_named(file):
    path = file("a.csv", "question,answer\nWhy?,So.\n")
    assert read_corpus(path, column="answer").texts == ("So.",)
    assert read_corpus(path, column="answer").columns == {"question": ("Why?",)}


def test_the_only_column_of_words_is_taken_and_told(file):
    corpus = read_corpus(file("a.csv", "id,phrase\n1,one\n2,two\n"))
    assert corpus.texts == ("one", "two")
    assert corpus.notes == ('The texts come from the column "phrase".',)


def test_parquet_takes_dictionary_columns_and_writes_dates_and_numbers_as_text(tmp_path):
    from datetime import date

    table = pa.table(
        {
            "text": pa.array(["one", "two"]).dictionary_encode(),
            "a.b": pa.array([1, None]),
            "day": pa.array([date(2024, 5, 3), date(2024, 5, 6)]),
            "vector": pa.array([[1.0], [2.0]]),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    corpus = read_corpus(tmp_path / "a.parquet")
    assert corpus.texts == ("one", "two")
    assert corpus.columns == {"a.b": ("1", ""), "day": ("2024-05-03", "2024-05-06")}


def test_markup_emoji_and_right_to_left_stay_as_they_are(file):
    texts = ("<script>alert(1)</script>", "a<br>b", "&amp;", "👩‍👩‍👧 🦉", "שלום", "\u202eabc", "a\u2028b")
    assert read_corpus(file("a.txt", "\n".join(texts))).texts == texts


def test_a_corpus_can_be_sent_to_another_process():
    assert pickle.loads(pickle.dumps(demo_corpus())) == demo_corpus()


# ── what is skipped or changed, and told ─────────────────────────────────────────────────────────────────


def test_blank_texts_are_skipped_and_counted_and_the_others_stripped(file):
    corpus = read_corpus(file("a.txt", "  one \n\n \t \n\u200b\n\u00a0two\n\n"))
    assert corpus.texts == ("one", "two")
    assert corpus.notes == ("Skipped 4 blank texts: line 2, line 3, line 4 ….",)


def test_control_characters_become_spaces_and_are_counted(file):
    corpus = read_corpus(file("a.txt", "ex\0am\x1bple\nleft\tright\n\0\0\n\0end of it all\n"))
    assert corpus.texts == ("ex am ple", "left\tright", "end of it all")
    assert "Replaced 3 control characters by spaces: line 1, line 4." in corpus.notes
    assert "Skipped 1 blank text: line 3." in corpus.notes


def test_csv_with_nul_is_read(file):
    assert read_corpus(file("a.csv", "text\nbefore\0after it\n")).texts == ("before after it",)


def test_lone_surrogates_are_replaced_and_pairs_kept(file):
    corpus = read_corpus(file("a.jsonl", '{"text": "\\ud83e\\udd89"}\n{"text": "bad \\ud800"}\n'))
    assert corpus.texts == ("🦉", "bad \ufffd")
    assert corpus.notes == ("Replaced 1 lone surrogate by the replacement character: line 2.",)


def test_texts_that_are_too_long_are_skipped_with_place_and_length(file):
    corpus = read_corpus(file("a.txt", f"one\n{'x' * 100_000}\n{'y' * 6_000_000}\ntwo\n"))
    assert corpus.texts == ("one", "two")
    assert corpus.notes == ("Skipped 2 texts longer than 20,000 characters: line 2 (100,000), line 3 (6,000,000).",)


def test_a_text_of_just_the_permitted_length_is_kept(file):
    path = file("a.txt", "x" * 10 + "\n" + "y" * 11)
    assert read_corpus(path, max_characters=10).texts == ("x" * 10,)


def test_numbers_become_text_and_nulls_and_lists_are_skipped(file):
    corpus = read_corpus(file("a.json", '[{"text": 12}, {"text": null}, {"text": [1]}, {"text": "b"}, {}]'))
    assert corpus.texts == ("12", "b")
    assert corpus.notes == (
        'Skipped 2 items without a value in the column "text": item 2, item 5.',
        "Skipped 1 item with a list or an object in place of a text: item 3.",
        "Read 1 number as text: item 1.",
    )


def test_texts_beyond_the_limit_are_left_out_and_told(file):
    path = file("a.txt", "one\ntwo\nthree\n\n")
    assert read_corpus(path, max_inputs=2).texts == ("one", "two")
    assert read_corpus(path, max_inputs=2).notes == ("Took the first 2 texts; the file holds more.",)
    assert "more" not in "".join(read_corpus(path, max_inputs=3).notes)


def test_columns_stay_beside_their_texts_when_rows_are_skipped(file):
    corpus = read_corpus(file("a.csv", "text,topic\none,1a\n,2b\nthree,3c\nfour\n"))
    assert corpus.texts == ("one", "three", "four")
    assert corpus.columns == {"topic": ("1a", "3c", "")}


def test_long_values_of_other_columns_are_cut_and_told(file):
    corpus = read_corpus(file("a.jsonl", json.dumps({"text": "a", "topic": "t" * 5000})))
    assert corpus.columns == {"topic": ("t" * 1000,)}
    assert corpus.notes == ("Cut 1 value of other columns at 1,000 characters: line 1.",)


def test_a_flood_of_columns_is_bounded_and_told(file):
    row = {"text": "a"} | {f"c{index}": "x" for index in range(100)}
    corpus = read_corpus(file("a.jsonl", json.dumps(row)))
    assert len(corpus.columns) == 32
    assert corpus.notes == ("Kept the first 32 of 100 other columns.",)


# ── what is refused, and how ─────────────────────────────────────────────────────────────────────────────


def test_a_missing_file_is_named(tmp_path):
    message = refusal(tmp_path / "no.txt")
    assert "no.txt: no such file" in message
    assert '"demo"' in message


def test_a_folder_is_refused(tmp_path):
    assert "is a folder; name a file in it" in refusal(tmp_path)


@pytest.mark.parametrize("source", ["a\0b.txt", "~nobody-of-that-name/a.txt", "x" * 5000, "", "a\nb.txt"])
def test_paths_that_cannot_be(source):
    refusal(source)


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="no device files here")
def test_a_device_is_refused_before_it_is_read():
    assert "not a regular file" in refusal("/dev/zero")


def test_an_unreadable_file_is_refused(file, monkeypatch):
    def refuse(*args, **options):
        raise PermissionError(13, "Permission denied")

    path = file("a.txt", "one")
    monkeypatch.setattr(type(path), "open", refuse)
    assert "a.txt: cannot be read (Permission denied)" in refusal(path)


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.jsonl", "a.json", "a.parquet"])
def test_an_empty_file_is_refused(file, name):
    assert f"{name}: is empty" in refusal(file(name, ""))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", " \n\n"),
        ("b.txt", "\ufeff"),
        ("a.csv", "text\n"),
        ("b.csv", "\n\n"),
        ("a.jsonl", "\n \n"),
        ("a.json", "[]"),
        ("b.json", " "),
        ("c.json", '["", null]'),
    ],
)
def test_a_corpus_of_blanks_is_refused(file, name, content):
    message = refusal(file(name, content))
    assert f"{name}: no text found" in message
    assert "at least one sentence" in message


def test_an_empty_parquet_table_is_refused(tmp_path):
    pq.write_table(pa.table({"text": pa.array([], pa.string())}), tmp_path / "a.parquet")
    assert "no text found" in refusal(tmp_path / "a.parquet")


def test_only_texts_that_are_too_long_are_refused_with_the_reason(file):
    assert "longer than 20,000 characters: line 1 (30,000)" in refusal(file("a.txt", "x" * 30_000))


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.jsonl", "a.json"])
def test_invalid_utf8_is_refused_with_line_byte_and_remedy(file, name):
    data = {
        "a.txt": "one\nnaïve café\n",
        "a.csv": "text\nnaïve café\n",
        "a.jsonl": '"one"\n"naïve café"\n',
        "a.json": '["one",\n"naïve café"]',
    }[name].encode("cp1252")
    message = refusal(file(name, data))
    assert f"{name}: line 2, byte offset {data.index(0xEF)}:" in message
    assert "Windows-1252" in message
    assert "save it again as UTF-8, or build with --encoding cp1252" in message


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32"])
def test_other_unicode_encodings_are_recognised(file, encoding):
    message = refusal(file("a.txt", "A sentence.\nAnother one.\n".encode(encoding)))
    assert encoding.upper().replace("16-", "16") in message
    assert "iconv" in message


def test_a_cut_character_at_the_end_is_invalid_utf8(file):
    assert "line 2, byte offset 5" in refusal(file("a.txt", b"one\na\xc3"))


@pytest.mark.parametrize(
    ("name", "content", "hint"),
    [
        ("a.xlsx", b"PK\x03\x04rest", "export it as CSV"),
        ("a.csv", b"\x1f\x8b\x08rest", "with gzip: add .gz to its name"),
        ("a.csv.gz", b"\x1f\x8b\x08rest", "damaged or cut short"),
        ("a.pdf", b"%PDF-1.7", "export its text"),
        ("a.dat", b"PAR1rest", "the ending .parquet"),
        ("a.txt", bytes(range(256)) * 20, "not look like text"),
        ("b.txt", b"\x01\x02\x03" * 50, "binary"),
    ],
)
def test_files_that_are_no_text_are_refused_with_a_hint(file, name, content, hint):
    assert hint in refusal(file(name, content))


def test_doubt_about_the_column_lists_the_columns(file):
    message = refusal(file("a.csv", "question,answer\nWhy?,So.\n"))
    assert 'which column holds the texts? Name one of "question", "answer"' in message


@pytest.mark.parametrize("ending", FORMATS)
def test_a_missing_column_lists_the_columns(tmp_path, ending):
    message = refusal(write(tmp_path / f"a.{ending}"), column="sentence")
    assert 'no column "sentence"; the columns are "text", "topic"' in message


def test_a_column_of_a_file_without_columns_is_refused(file):
    assert "has no columns" in refusal(file("a.txt", "one\n"), column="text")


def test_a_parquet_column_of_vectors_is_refused(tmp_path):
    pq.write_table(pa.table({"text": pa.array([[1.0]]), "title": ["a"]}), tmp_path / "a.parquet")
    message = refusal(tmp_path / "a.parquet", column="text")
    assert 'column "text" holds list<' in message
    assert 'columns that do: "title"' in message


def test_a_parquet_file_cut_short_is_refused(tmp_path):
    path = write(tmp_path / "a.parquet")
    path.write_bytes(path.read_bytes()[:-20])
    assert "a.parquet: is no whole Parquet file" in refusal(path)


def test_a_parquet_file_with_damaged_pages_is_refused(tmp_path):
    texts = [f"A sentence with the number {index}." for index in range(5000)]
    path = write(tmp_path / "a.parquet", texts, ["t"] * len(texts))
    data = bytearray(path.read_bytes())
    data[100:2000] = b"\xff" * 1900
    path.write_bytes(data)
    assert "a.parquet: " in refusal(path)


def test_a_parquet_file_with_a_damaged_column_name_is_refused(tmp_path):
    path = write(tmp_path / "a.parquet")
    path.write_bytes(path.read_bytes().replace(b"text", b"te\x8bt"))
    assert "a.parquet: " in refusal(path)


def test_parquet_text_that_is_not_utf8_is_refused(tmp_path):
    cells = pa.array([b"good", b"caf\xe9"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"text": cells}), tmp_path / "a.parquet")
    assert "not valid UTF-8" in refusal(tmp_path / "a.parquet")


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.jsonl", '{"text": "a"}\n\n{"text": \n', 3),
        ("b.jsonl", '{"text": "a"} {"text": "b"}\n', 1),
        ("c.jsonl", "[" * 200_000, 1),
        ("d.jsonl", "1" * 10_000, 1),
        ("a.json", '["a",\n\n tru]', 3),
        ("b.json", '["a"\n', 2),
        ("c.json", '["a",\n"b" "c"]', 2),
        ("d.json", '["a"]\n["b"]', 2),
        ("e.json", '["a",\n]', 2),
        ("f.json", "[" * 200_000, 1),
        ("g.json", '["a",\n"never closed', 2),
    ],
)
def test_broken_json_is_refused_with_its_line(file, name, content, line):
    assert f"{name}: line {line} is not valid JSON" in refusal(file(name, content))


def test_json_that_is_no_list_suggests_jsonl(file):
    assert "give it the ending .jsonl" in refusal(file("a.json", '{"text": "a"}\n{"text": "b"}\n'))


def test_a_quote_that_is_never_closed_is_refused_with_its_line(file):
    assert "begins in line 3 is broken" in refusal(file("a.csv", 'text\none\n"two\nthree\n'))


def test_csv_rows_with_too_many_fields_are_refused_not_cut(file):
    message = refusal(file("a.csv", "text\none\nfirst, second\n"))
    assert "line 3 has 2 fields" in message
    assert "hold a comma" in message


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_two_columns_of_one_name_are_refused(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    if ending == "csv":
        path.write_text("text,text\na,b\n")
    else:
        pq.write_table(pa.table([["a"], ["b"]], names=["text", "text"]), path)
    assert 'two columns are called "text"' in refusal(path)


@pytest.mark.parametrize("limits", [{"max_inputs": 0}, {"max_characters": 0}])
def test_limits_below_one_are_refused(limits):
    assert "at least 1" in refusal(DEMO, **limits)


def test_names_from_a_file_cannot_break_a_message(file):
    row = json.dumps({"a\nb\x1b[31m": "x", "c" * 5000: "y", "\ud800": "z"})
    message = refusal(file("a.jsonl", row))
    assert "\x1b" not in message
    message.encode("utf-8")


# ── memory ───────────────────────────────────────────────────────────────────────────────────────────────

LARGE = 60_000_000  # bytes


def peak_of_reading(path, **options) -> int:
    tracemalloc.start()
    try:
        read_corpus(path, **options)
    except CorpusError:
        pass
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    return peak


@pytest.mark.parametrize(
    ("name", "head", "row"),
    [
        ("a.txt", "", "A sentence of the corpus.\n"),
        ("a.csv", "text,topic\n", "A sentence of the corpus.,none\n"),
        ("a.jsonl", "", '{"text": "A sentence of the corpus."}\n'),
        ("a.json", "[", '{"text": "A sentence of the corpus."},\n'),
    ],
)
def test_a_large_file_is_not_read_beyond_the_inputs_wanted(tmp_path, name, head, row):
    path = tmp_path / name
    path.write_text(head + row * (LARGE // len(row)))
    assert peak_of_reading(path, max_inputs=200) < LARGE / 10


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("line.txt", "x" * LARGE),
        ("field.csv", 'text\n"' + ("x" * 99 + "\n") * (LARGE // 100)),
        ("line.jsonl", '{"text": "' + "x" * LARGE),
        ("item.json", '["' + "x" * LARGE),
    ],
)
def test_an_endless_line_or_field_is_never_held_whole(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(content)
    assert peak_of_reading(path) < LARGE * 0.8


# --- encodings, folders, archives, objects ------------------------------------------------------------------------


def test_c5_a_named_encoding_is_read_and_told(tmp_path):
    file = tmp_path / "excel.csv"
    file.write_bytes("text;topic\nDie Größe stimmt – fast.;Maße\n".encode("cp1252"))
    with pytest.raises(CorpusError, match=r"not valid UTF-8\. The file may be in Windows-1252.*--encoding cp1252"):
        read_corpus(file)
    corpus = read_corpus(file, encoding="cp1252")
    assert corpus.texts == ("Die Größe stimmt – fast.",)
    assert corpus.columns["topic"] == ("Maße",)
    assert "Read as cp1252, as it was asked for." in corpus.notes


@pytest.mark.parametrize("encoding", ["shift_jis", "gb18030", "utf-16-le", "latin-1", "cp1251"])
@pytest.mark.parametrize("chunk", [3, 1 << 16])
def test_any_encoding_is_read_in_pieces_of_any_size(encoding, chunk, tmp_path, monkeypatch):
    monkeypatch.setattr(decoding, "CHUNK_BYTES", chunk)
    text = {"shift_jis": "東京は雨です。", "gb18030": "马在路上。", "cp1251": "Дождь идёт."}.get(
        encoding, "Été à Zürich."
    )
    file = tmp_path / "texts.txt"
    file.write_bytes(f"{text}\nsecond\n".encode(encoding))
    assert read_corpus(file, encoding=encoding).texts == (text, "second")


@pytest.mark.parametrize("name", ["nonsense", "base64", "rot13", "a" * 200, "utf-8\x00"])
def test_what_is_no_encoding_is_refused(name, tmp_path):
    file = tmp_path / "texts.txt"
    file.write_text("one\n")
    with pytest.raises(CorpusError, match="is no encoding that is known here"):
        read_corpus(file, encoding=name)


def test_bytes_that_the_named_encoding_has_not_are_told(tmp_path):
    file = tmp_path / "texts.txt"
    file.write_bytes(b"fine\nnot \x81 fine\n")
    with pytest.raises(CorpusError, match="byte offset 9: not valid cp1252; name another --encoding"):
        read_corpus(file, encoding="cp1252")


def test_c8_paragraphs_of_a_book_with_hard_line_ends_are_texts(tmp_path):
    file = tmp_path / "book.txt"
    file.write_text("It was a\ngrey morning.\n\n\n   She left\n  at noon.\n")
    corpus = read_corpus(file, paragraphs=True)
    assert corpus.texts == ("It was a grey morning.", "She left at noon.")
    assert "Read lines between empty ones as one text." in corpus.notes
    (tmp_path / "rows.csv").write_text("text\nx y\n")
    with pytest.raises(CorpusError, match="paragraphs are of plain text, and this is a table"):
        read_corpus(tmp_path / "rows.csv", paragraphs=True)


def made_folder(tmp_path):
    folder = tmp_path / "letters"
    (folder / "1911").mkdir(parents=True)
    (folder / "b.txt").write_text("Second letter.\n\nWith two parts.")
    (folder / "1911" / "a.TXT").write_text("First letter,\nover two lines.")
    (folder / ".hidden.txt").write_text("not this")
    (folder / "photo.png").write_bytes(b"\x89PNG")
    return folder


def test_text_files_of_a_folder_are_texts_with_their_names(tmp_path):
    folder = made_folder(tmp_path)
    corpus = read_corpus(folder)
    assert corpus.texts == ("First letter,\nover two lines.", "Second letter.\n\nWith two parts.")
    assert corpus.columns["file"] == ("1911/a.TXT", "b.txt")
    assert corpus.name == "letters"
    assert "Read 2 text files, each as one text." in corpus.notes
    parts = read_corpus(folder, paragraphs=True)
    assert parts.texts == ("First letter, over two lines.", "Second letter.", "With two parts.")
    assert parts.columns["file"] == ("1911/a.TXT", "b.txt", "b.txt")


def test_an_archive_of_text_files_is_read_as_their_folder(tmp_path):
    folder = made_folder(tmp_path)
    with zipfile.ZipFile(tmp_path / "letters.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
        archive.writestr("__MACOSX/b.txt", "not this")
    assert read_corpus(tmp_path / "letters.zip").texts == read_corpus(folder).texts


def test_archives_that_hold_no_texts_or_are_damaged_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "office.zip", "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    with pytest.raises(CorpusError, match="is an archive without text files"):
        read_corpus(tmp_path / "office.zip")
    (tmp_path / "cut.zip").write_bytes((tmp_path / "office.zip").read_bytes()[:-30])
    with pytest.raises(CorpusError, match="is no whole ZIP archive"):
        read_corpus(tmp_path / "cut.zip")


def test_an_archive_that_unpacks_to_gigabytes_is_read_in_bounded_memory(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", "x" * 40_000_000)
        archive.writestr("b.txt", "a sentence")
    corpus = read_corpus(tmp_path / "bomb.zip")
    assert corpus.texts == ("a sentence",)
    assert any("longer than 20,000 characters" in note for note in corpus.notes)


@pytest.mark.parametrize(
    ("content", "column", "texts"),
    [
        ({"text": {"0": "one day", "1": "two days"}, "n": {"0": 1, "1": 2}}, None, ("one day", "two days")),
        ({"columns": ["text", "n"], "index": [0, 1], "data": [["one day", 1], ["two days", 2]]}, None,
         ("one day", "two days")),
        ({"version": "1", "data": [{"text": "one day"}, {"text": "two days"}]}, None, ("one day", "two days")),
        ({"data": [{"title": "T", "paragraphs": [{"context": "one day"}, {"context": "two days"}]}]},
         "paragraphs[].context", ("one day", "two days")),
        ({"data": [{"paragraphs": [{"qas": [{"question": "who is it"}, {"question": "why is it"}]}]}]},
         "paragraphs[].qas[].question", ("who is it", "why is it")),
    ],
)  # fmt: skip
def test_c6_objects_that_hold_the_entries_are_read(content, column, texts, tmp_path):
    file = tmp_path / "object.json"
    file.write_text(json.dumps(content))
    corpus = read_corpus(file, column=column)
    assert corpus.texts == texts
    assert any(note.startswith("Read") for note in corpus.notes)


def test_an_object_without_one_list_says_which_there_are(tmp_path):
    file = tmp_path / "object.json"
    file.write_text(json.dumps({"train": ["a b"], "test": ["c d"]}))
    with pytest.raises(CorpusError, match='holds one object with the lists "train", "test"; save one list'):
        read_corpus(file)
    file.write_text(json.dumps({"data": [{"title": 3, "paragraphs": [{"context": "one day"}]}]}))
    with pytest.raises(
        CorpusError, match=r'texts are inside other fields; name one of the columns "paragraphs\[\]\.context"'
    ):
        read_corpus(file)


def test_a_first_line_that_looks_like_data_is_told(tmp_path):
    file = tmp_path / "rows.csv"
    file.write_text("1,A kettle sang in the dark.\n2,Nobody saw it.\n")
    corpus = read_corpus(file, column="A kettle sang in the dark.")
    assert any("Took the first line as names of columns, though" in note for note in corpus.notes)


def test_a_random_sample_is_drawn_by_its_seed_from_all_and_keeps_the_order(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("text,kind\n" + "".join(f"Sentence {n}.,k{n % 3}\n" for n in range(500)))
    whole = read_corpus(path)
    drawn = [read_corpus(path, max_inputs=40, sample=seed) for seed in (1, 1, 2)]
    assert drawn[0].texts == drawn[1].texts != drawn[2].texts
    assert drawn[0].notes == ("A random sample of 40 of 500 texts (seed 1).",)
    for corpus in drawn:
        rows = [whole.texts.index(text) for text in corpus.texts]
        assert len(set(rows)) == 40
        assert rows == sorted(rows)
        assert max(rows) > 400
        assert corpus.columns["kind"] == tuple(whole.columns["kind"][row] for row in rows)
    assert read_corpus(path, max_inputs=500, sample=1) == whole
    # each text is as likely as any other: 200 draws of 40 of 500 are 16 each, with a standard deviation of 3.8
    counts = Counter(text for seed in range(200) for text in read_corpus(path, max_inputs=40, sample=seed).texts)
    assert len(counts) == 500
    assert max(counts.values()) < 16 + 5 * 3.8
