"""Files that people bring: each is read as what it is, what was guessed is said, and the rest is one line.

The names of the tests begin with the public case that they hold (C1 … C8).
"""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from services.errors import CorpusError
from services.modalities.corpora import read_corpus
from tests.one_line import one_line


@pytest.fixture
def file(tmp_path):
    """Write bytes or text under a name."""

    def make(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return make


def refusal(source, **options):
    with pytest.raises(CorpusError) as caught:
        read_corpus(source, **options)
    assert one_line(caught)
    return str(caught.value)


# C1: quotation marks between tabs


def test_c1_a_quote_that_is_not_closed_on_its_line_is_a_letter(file):
    lines = ["id\ttext\tlabel", '1\t"Stop there, she said.\t0', "2\tA kettle sang.\t1", '3\tNobody saw the fox."\t1']
    corpus = read_corpus(file("a.tsv", "\n".join(lines)))
    assert corpus.texts == ('"Stop there, she said.', "A kettle sang.", 'Nobody saw the fox."')
    assert corpus.columns["label"] == ("0", "1", "1")
    assert corpus.notes == ("Read quotation marks as letters: line 2 has one that is not closed.",)


def test_c1_the_last_of_many_lines_decides_for_all(file):
    lines = ["text\tn", *(f'"Quoted {n}."\t{n}' for n in range(5000)), 'A 19" rack.\t1', '"Open.\t2']
    corpus = read_corpus(file("a.tsv", "\n".join(lines)))
    assert len(corpus.texts) == 5002
    assert corpus.texts[0] == '"Quoted 0."'


def test_c1_fields_that_are_all_quoted_as_wholes_are_unquoted(file):
    corpus = read_corpus(file("a.tsv", 'id\ttext\n1\t"She said ""hi""\tand left."\n2\tA "kettle" sang.\n'))
    assert corpus.texts == ('She said "hi"\tand left.', 'A "kettle" sang.')
    assert corpus.notes == ()


def test_c1_rows_over_several_lines_are_counted(file):
    corpus = read_corpus(file("a.csv", 'id,text\n1,"Line one\nline two, with comma"\n2,"She said ""no""."\n'))
    assert corpus.texts == ("Line one\nline two, with comma", 'She said "no".')
    assert corpus.notes == ("1 row goes over several lines: line 2.",)
    assert "close every quoted field" in refusal(file("b.csv", 'id,text\n1,"Never closed\n2,Next\n'))


# C2: bytes that are text, and numbers that are none


def test_c2_bytes_of_a_parquet_file_are_text_where_they_are_utf8(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": pa.array(["Bytes, naïve".encode(), None], pa.binary()), "id": [1, 2]}), path)
    corpus = read_corpus(path)
    assert corpus.texts == ("Bytes, naïve",)
    pq.write_table(pa.table({"words": pa.array([b"one more", b"two"], pa.binary()), "id": [1, 2]}), path)
    assert read_corpus(path).texts == ("one more", "two")


def test_c2_bytes_that_are_no_text_and_numbers_are_not_guessed(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"image": pa.array([b"\x89PNG\x00", b"\xff"], pa.binary()), "id": [1, 2]}), path)
    assert 'its one readable column "id" holds numbers and no words' in refusal(path)
    assert read_corpus(path, column="id").texts == ("1", "2")
    late = [*[b"fine"] * 200, b"\xff\xfe"]
    pq.write_table(pa.table({"text": pa.array(late, pa.binary())}), path)
    assert "is not valid UTF-8" in refusal(path)


def test_c2_a_csv_of_numbers_is_not_guessed(file):
    assert "holds numbers and no words" in refusal(file("a.csv", "id\n1\n2\n"))


# C3: sentences that are cut into words


def test_c3_conllu_gives_the_sentence_and_what_is_said_of_it(file):
    words = [
        *((1, "Dogs", "_"), (2, "bark", "_"), None),
        *(("1-2", "Im", "_"), (1, "In", "_"), (2, "dem", "_"), (3, "Haus", "SpaceAfter=No"), ("3.1", "x", "_")),
        (4, ".", "SpaceAfter=No"),
    ]
    rows = ["\t".join([str(word[0]), word[1], *"_______", word[2]]) if word else "" for word in words]
    lines = ["# sent_id = s1", "# text = Dogs bark.", *rows]
    corpus = read_corpus(file("a.conllu", "\n".join(lines)))
    assert corpus.texts == ("Dogs bark.", "Im Haus.")
    assert corpus.columns["sent_id"] == ("s1", "")
    assert corpus.notes == (
        "Read a sentence from the words of each block of lines, with their tags where there are any.",
    )
    assert "line 1 has 2 fields between tabs, and CoNLL-U 10" in refusal(file("b.conllu", "1\tDogs\n"))


def test_c3_conll_of_other_kinds_joins_the_words(file):
    corpus = read_corpus(file("a.conll", "-DOCSTART- -X- O O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\nPeter NNP\n"))
    assert corpus.texts == ("EU rejects", "Peter")
    assert read_corpus(file("b.conll", "1\tDogs\tdog\n2\tbark\tbark\n")).texts == ("Dogs bark",)


def test_c3_lists_of_words_are_joined(tmp_path, file):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"tokens": [["Dogs", "bark", "."], ["Cats", "sleep"]], "tags": [[0, 1, 2], [0, 1]]}), path)
    corpus = read_corpus(path)
    assert corpus.texts == ("Dogs bark .", "Cats sleep")
    assert "Joined 2 lists of words with spaces: row 1, row 2." in corpus.notes
    assert read_corpus(file("a.jsonl", '{"tokens": ["a", "b"], "id": 1}\n')).texts == ("a b",)


# C5: what spreadsheets write


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_c5_a_line_that_names_the_delimiter_is_obeyed(file, mark):
    content = f"sep={mark}\r\nid{mark}text{mark}topic\r\n1{mark}The mill stopped.{mark}work\r\n"
    corpus = read_corpus(file("a.csv", content))
    assert corpus.texts == ("The mill stopped.",)
    assert corpus.columns["topic"] == ("work",)


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        ('"id";"comment, free text"\n1;"Late, but fine."\n2;"Never again, thanks."\n', ("Late, but fine.",)),
        ("id;words, free\n1;Late\n2;Early, then\n", ("Late",)),
        ("id|text\n1|Rain, then sun; wind\n", ("Rain, then sun; wind",)),
        ('id,text\n1,"Rain; then sun"\n', ("Rain; then sun",)),
        ("text\nRain fell.\n", ("Rain fell.",)),
    ],
)
def test_c5_the_delimiter_is_looked_for_outside_quotes(file, content, texts):
    corpus = read_corpus(file("a.csv", content))
    assert corpus.texts[:1] == texts


def test_c5_utf16_is_read_by_its_mark_and_said(file):
    corpus = read_corpus(file("a.tsv", "id\ttext\n1\tGrüße aus Köln.\n".encode("utf-16")))
    assert corpus.texts == ("Grüße aus Köln.",)
    assert corpus.notes == ("Read as UTF-16, which the mark at the beginning of the file names.",)
    assert "not valid UTF-16" in refusal(file("b.txt", "Grüße\n".encode("utf-16") + b"\x00"))


# C7: packed files


@pytest.mark.parametrize("name", ["a.txt.gz", "a.jsonl.gz", "a.tsv.gz", "a.parquet.gz"])
def test_c7_gzip_is_opened(tmp_path, name):
    inner = tmp_path / name.removesuffix(".gz")
    if ".parquet" in name:
        pq.write_table(pa.table({"text": ["Rain fell."]}), inner)
    else:
        content = {".txt": "Rain fell.", ".jsonl": '{"text": "Rain fell."}', ".tsv": "id\ttext\n1\tRain fell."}
        inner.write_text(content[inner.suffix])
    (tmp_path / name).write_bytes(gzip.compress(inner.read_bytes()))
    corpus = read_corpus(tmp_path / name)
    assert corpus.texts == ("Rain fell.",)
    assert corpus.name == "a"
    (tmp_path / name).write_bytes(gzip.compress(inner.read_bytes())[:-9])
    assert "a." in refusal(tmp_path / name)


# C8: the same text again


def test_c8_texts_that_come_again_are_counted(file):
    corpus = read_corpus(file("a.txt", "One.\n" * 50 + "Two.\n"))
    assert len(corpus.texts) == 51
    assert corpus.notes == ("49 texts are the same as an earlier one.",)


# C6: chats, and fields within fields


def test_c6_each_turn_of_a_chat_is_an_input_and_its_role_a_column(file):
    turns = '[{"role": "user", "content": "Hi there."}, {"role": "assistant", "content": "Hello."}]'
    corpus = read_corpus(file("a.jsonl", f'{{"messages": {turns}, "id": 7}}\n{{"messages": [], "id": 8}}\n'))
    assert corpus.texts == ("Hi there.", "Hello.")
    assert corpus.columns["role"] == ("user", "assistant")
    assert corpus.columns["id"] == ("7", "7")
    assert "Read each turn of a chat as an input of its own; who speaks is the column role." in corpus.notes


def test_c6_fields_within_fields_are_named_with_dots(file):
    path = file("a.jsonl", '{"id": 1, "translation": {"en": "Rain fell.", "de": "Es regnete."}}\n')
    assert 'name one of the columns "translation.en", "translation.de"' in refusal(path)
    assert read_corpus(path, column="translation.de").texts == ("Es regnete.",)
    assert 'no column "translation.fr"' in refusal(path, column="translation.fr")


# C7: data sets saved to a folder


def test_c7_a_saved_data_set_is_read_from_its_folder(tmp_path):
    folder = tmp_path / "train"
    folder.mkdir()
    for number, texts in enumerate((["One.", "Two."], ["Three."])):
        batch = pa.record_batch({"text": texts, "label": [number] * len(texts)})
        with pa.ipc.new_stream(folder / f"data-{number}.arrow", batch.schema) as stream:
            stream.write_batch(batch)
    files = [{"filename": f"data-{number}.arrow"} for number in (0, 1)]
    (folder / "state.json").write_text(json.dumps({"_data_files": files}))
    corpus = read_corpus(folder)
    assert corpus.texts == ("One.", "Two.", "Three.")
    assert corpus.columns["label"] == ("0", "0", "1")
    assert corpus.name == "train"
    assert read_corpus(folder / "data-1.arrow").texts == ("Three.",)

    (tmp_path / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    assert 'holds the splits "train", "test"; name the folder of one of them' in refusal(tmp_path)
    (folder / "data-1.arrow").write_bytes(b"nothing")
    assert "is no whole Arrow file" in refusal(folder)
    (folder / "data-1.arrow").unlink()
    assert "files that its state.json names are missing" in refusal(folder)
    (folder / "state.json").write_text("[]")
    assert "cannot be read; save the data set again" in refusal(folder)
