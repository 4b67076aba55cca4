"""Chats are read as their model reads them: written by its own template, or turn by turn (C6, B4)."""

import json

import pytest

from services.atlas import open_atlas
from services.attributes.registry import attribute_of, in_atlas
from services.capture import load_model
from services.errors import AtlasError
from services.modalities.corpora import read_corpus
from services.pipeline.build import build
from services.pipeline.progress import Progress
from services.probe.question import PairQuestion
from services.probe.read_again import input_of
from services.probe.seen import check_same
from tests.one_line import one_line
from tests.unit.building import request_for
from tests.unit.tiny_models import save_model

TEMPLATE = "{{ bos_token }}{% for m in messages %}[{{ m['role'] }}] {{ m['content'] }}{{ eos_token }}{% endfor %}"
CHATS = [
    [{"role": "user", "content": "a cat"}, {"role": "assistant", "content": "the mat"}],
    [{"role": "user", "content": "cat cat"}, {"role": "assistant", "content": "cat"}],
]


@pytest.fixture
def chats(tmp_path):
    file = tmp_path / "chats.jsonl"
    file.write_text("\n".join(json.dumps({"messages": chat}) for chat in CHATS))
    return file


def model_with(folder, template):
    save_model(folder, "llama")
    if template is not None:
        (folder / "chat_template.jinja").write_text(template)
    return folder


def built(model, file, place, **choices):
    build(request_for(model, file, dims=(2,), pos="none", **choices), place, Progress("made", bar=False))
    return open_atlas(place)


def test_a_chat_is_one_input_written_by_the_models_template_with_one_bos(chats, tmp_path):
    model = model_with(tmp_path / "model", TEMPLATE)
    atlas = built(model, chats, tmp_path / "atlas")
    assert list(atlas.inputs.text) == [
        "<s>[user] a cat</s>[assistant] the mat</s>",
        "<s>[user] cat cat</s>[assistant] cat</s>",
    ]
    tokens = atlas.tokens("tokens")
    loaded = load_model(str(model))
    wanted = loaded.tokenizer.apply_chat_template(CHATS[0], tokenize=True, return_dict=True)["input_ids"]
    assert loaded.tokenizer.convert_ids_to_tokens(wanted) == list(tokens.token[tokens.rows(0)])
    assert list(tokens.token).count("<s>") == 2
    assert "Chats are written by the chat template of model." in atlas.info.corpus.notes


def test_each_token_says_who_speaks(chats, tmp_path):
    atlas = built(model_with(tmp_path / "model", TEMPLATE), chats, tmp_path / "atlas")
    tokens = atlas.tokens("tokens")
    spoken: dict[str, str] = {}
    some = tokens.rows(0)
    for text, role in zip(tokens.text[some], list(tokens.columns["role"])[some], strict=True):
        spoken[role] = spoken.get(role, "") + text.replace("▁", "")
    assert spoken == {"user": "acat", "assistant": "themat", "": "<s>[user]</s>[assistant]</s>"}
    role = in_atlas(atlas, attribute_of("role"))
    assert set(role.categories) == {"template", "user", "assistant"}


def test_an_input_is_read_again_without_a_second_bos(chats, tmp_path):
    model = model_with(tmp_path / "model", TEMPLATE)
    atlas = built(model, chats, tmp_path / "atlas")
    loaded = load_model(str(model))
    check_same(atlas, loaded)
    question = PairQuestion(stream=atlas.info.default_stream.name, input=1, layer=0, head=0, query=1, key=1)
    item, _ = input_of(atlas, loaded, question, 64, lambda: None)
    assert item.tokens.count("<s>") == 1


def test_a_model_without_a_template_reads_turns_and_says_so_or_one_line_when_it_was_asked_for(chats, tmp_path):
    model = model_with(tmp_path / "model", None)
    atlas = built(model, chats, tmp_path / "atlas")
    assert list(atlas.inputs.text) == ["a cat", "the mat", "cat cat", "cat"]
    assert "Model model has no template for chats." in atlas.info.corpus.notes
    roles = set(zip(atlas.tokens("tokens").special.tolist(), atlas.tokens("tokens").columns["role"], strict=True))
    assert roles == {(True, ""), (False, "user"), (False, "assistant")}
    with pytest.raises(AtlasError, match="has no chat template") as caught:
        built(model, chats, tmp_path / "other", chats="template")
    assert one_line(caught)


def test_turns_can_be_asked_for(chats, tmp_path):
    atlas = built(model_with(tmp_path / "model", TEMPLATE), chats, tmp_path / "atlas", chats="turns")
    assert list(atlas.inputs.text) == ["a cat", "the mat", "cat cat", "cat"]


@pytest.mark.parametrize(
    "template",
    ["{{ raise_exception('roles must alternate') }}", "{% for %}", "{{ ''.__class__.__mro__[1].__subclasses__() }}"],
)
def test_a_template_that_fails_or_reaches_out_of_its_sandbox_is_one_line(template, chats, tmp_path):
    model = model_with(tmp_path / "model", template)
    with pytest.raises(AtlasError, match="chat 1 does not suit the template of model") as caught:
        built(model, chats, tmp_path / "atlas")
    assert one_line(caught)


def test_a_template_that_changes_what_is_said_is_told(chats, tmp_path):
    shouted = "{% for m in messages %}{{ m['content'] | upper }}{% endfor %}"
    atlas = built(model_with(tmp_path / "model", shouted), chats, tmp_path / "atlas")
    assert "The template changes what is said in 2 chats: their tokens have no role." in atlas.info.corpus.notes


def test_sharegpt_lists_are_chats_too(tmp_path):
    file = tmp_path / "a.json"
    turns = [{"from": "human", "value": "Hi."}, {"from": "gpt", "value": "Hello."}]
    file.write_text(json.dumps([{"conversations": turns}]))
    corpus = read_corpus(file, column="conversations")
    assert corpus.texts == ("Hi.", "Hello.")
    assert corpus.columns["role"] == ("user", "assistant")
    (chat,) = read_corpus(file, column="conversations", chats="template").chats
    assert [(turn.role, turn.content) for turn in chat] == [("user", "Hi."), ("assistant", "Hello.")]
