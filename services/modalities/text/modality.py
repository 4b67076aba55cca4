"""Text as a kind of input: sentences or documents, cut into tokens by the model's own tokenizer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import compress
from typing import Any

import pyarrow as pa

from services.atlas import Atlas
from services.errors import CorpusError, ModelError
from services.modalities.contract import IsGlobal, Prepared
from services.modalities.corpora import Corpus, read_corpus
from services.modalities.text import pairs
from services.modalities.text.chats import ROLE, TEMPLATE, check_chats, rendered, role_column
from services.modalities.text.columns import has_tags
from services.modalities.text.inputs import inputs_with, preview
from services.modalities.text.parts_of_speech import UNTAGGED
from services.modalities.text.tagging import choose_tagger, tags_of
from services.modalities.text.targets import as_decoder_input, completed, writes
from services.modalities.text.tokenizer import load_tokenizer, longest_input
from services.modalities.text.tokens import TextPair, TokenisedInput, tokenise
from services.modalities.text.words import word_columns
from services.models.folders import ModelFolder
from services.models.loading import LoadedModel
from services.streams.registry import GLOBAL, TOKENS, WRITTEN

TRIAL_TEXT = "The cat sat on the mat because it was tired."
LEAST_TRIAL, MOST_TRIAL = 8, 512  # tokens; more than a model's window show it
_SIDES = {TOKENS: "what is read", WRITTEN: "what is written"}
Text = TokenisedInput | TextPair


class TextModality:
    """See `services.modalities.contract.Modality`."""

    name = "text"
    label = "Text"
    corpora = "a file: .txt (one input a line), .csv, .tsv, .json, .jsonl, .parquet, .conllu or .conll"
    main_input = "input_ids"
    token_columns: Mapping[str, str] = {
        "token": "as the vocabulary writes it",
        "text": "readable",
        "special": "added by the tokenizer, or a control token",
        "word": "index within the input, −1 outside words",
        "pos": "the Universal part-of-speech tag of its word; not in every atlas",
        "segment": "of pairs: 0 in the first text, 1 in the second, −1 of tokens that the tokenizer added",
        "role": 'of chats: who speaks, "" where the template does',
        "corpus_tag": "part of speech as the corpus writes it, where that is no Universal tag",
        "entity": "of corpora with named entities: kind of the name it is a part of",
        "relation": "of treebanks: relation of its word to that word's head",
        "tree_word": "of treebanks: number of its word in the sentence, −1 for none",
        "tree_head": "of treebanks: number of the word that is its word's head, −1 for none",
    }

    def reads(self, config: Mapping[str, Any]) -> bool:
        return "vocab_size" in config and "patch_size" not in config

    def read_corpus(
        self, source: str, *, column: str | None, target: str | None = None, max_inputs: int, **reading: Any
    ) -> Corpus:
        return read_corpus(source, column=column, target=target, max_inputs=max_inputs, **reading)

    def load_processor(self, folder: ModelFolder) -> tuple[Any, tuple[str, ...]]:
        return load_tokenizer(folder)

    def longest(self, model: Any, processor: Any) -> int:
        return longest_input(model, processor)

    def trial(self, loaded: LoadedModel) -> Text:
        """As long as it takes to see past the model's window."""
        window = getattr(loaded.model.config, "sliding_window", None)
        wanted = window + 3 if isinstance(window, int) and LEAST_TRIAL <= window + 3 <= MOST_TRIAL else LEAST_TRIAL
        ids = loaded.tokenizer(TRIAL_TEXT).input_ids
        ids = (ids * (1 + wanted // max(len(ids), 1)))[: min(wanted, loaded.max_tokens)] if ids else ids
        known = _known(loaded)
        if len(ids) < 2 or max(ids) >= known:
            raise ModelError(
                f"Model {loaded.info.id}: its tokenizer makes {len(ids)} tokens of a plain sentence, the largest"
                f" number {max(ids, default=0)} of {known}: tokenizer and model do not belong together."
            )
        return _as_input(loaded, *(_of_ids(some) for some in (ids, ids[:-1])))

    def complete(
        self, loaded: LoadedModel, corpus: Corpus, *, max_tokens: int | None, report: Callable[[int, int], None]
    ) -> Corpus:
        check_chats(loaded, corpus, writes=WRITTEN in _tables(loaded))
        return completed(loaded, corpus, max_tokens, report) if WRITTEN in _tables(loaded) else corpus

    def prepare(
        self, loaded: LoadedModel, corpus: Corpus, *, max_tokens: int | None, tags: str, is_global: IsGlobal
    ) -> Prepared:
        corpus, spoken, said = rendered(loaded, corpus)
        read = tokenise(loaded, corpus.texts, max_tokens, pair=corpus.pair, rendered=corpus.rendered)
        flags = [is_global(item) for item in read]
        read = [
            item if mine is None else replace(item, is_global=tuple(mine))
            for item, mine in zip(read, flags, strict=True)
        ]
        texts = {TOKENS: corpus.texts}
        inputs: Sequence[Text] = read
        if WRITTEN in _tables(loaded):
            assert corpus.target is not None  # `complete` saw to it
            texts[WRITTEN] = corpus.columns[corpus.target]
            written = tokenise(loaded, texts[WRITTEN], max_tokens, written=True)
            inputs = [TextPair(one, as_decoder_input(loaded, other)) for one, other in zip(read, written, strict=True)]
        kept = [index for index, item in enumerate(inputs) if not item.empty]
        if not kept:
            raise CorpusError(f"{corpus.source}: the tokenizer of {loaded.info.id} makes no token of any input.")
        notes = [*said, *_typed(read, corpus.rendered), *pairs.notes(read, loaded.info.id)]
        if len(kept) < len(inputs):
            notes.append(f"{len(inputs) - len(kept)} inputs without any token were left out.")
        cut = sum(inputs[index].truncated for index in kept)
        if cut:
            notes.append(f"{cut} inputs were cut to {max_tokens or loaded.max_tokens} tokens.")
        inputs = [inputs[index] for index in kept]
        used = loaded.used_tokens
        if used is not None and (beyond := sum(max(item.lengths.values()) > used for item in inputs)):
            notes.append(f"{beyond} inputs are longer than the {used} tokens that sentence-transformers reads.")
        columns = {table: token_columns([item.side(table) for item in inputs]) for table in texts}
        sides = [item.side(TOKENS) for item in inputs]
        if corpus.gold or corpus.pair_gold:
            columns[TOKENS] |= word_columns(sides, [corpus.gold_of(index) for index in kept])
        if spoken or corpus.by_turns:
            columns[TOKENS][ROLE] = role_column(corpus, sides, kept, spoken)
        libraries: dict[str, str] = {}
        for table, whole in texts.items():
            if table == TOKENS and tags == "auto" and "pos" in columns[TOKENS]:
                one_side = bool(corpus.pair) and not (corpus.gold and corpus.pair_gold)
                which = f", of the {'first' if corpus.gold else 'second'} text of a pair alone" if one_side else ""
                notes.append(f"Parts of speech are those of the corpus{which}.")
                continue
            second = corpus.pair if table == TOKENS else ()
            kept_texts = [(whole[index], second[index]) if second else (whole[index],) for index in kept]
            tagger, reason = choose_tagger(tags, [text for some in kept_texts for text in some])
            side = "" if len(texts) == 1 else f" ({_SIDES[table]})"
            if tagger:
                libraries |= tagger.versions()
                notes.append(f"Parts of speech by {tagger.label}{side}.")
                tagged = (
                    tags_of(some, item.side(table), tagger) for some, item in zip(kept_texts, inputs, strict=True)
                )
                columns[table]["pos"] = [tag for tags_of_input in tagged for tag in tags_of_input]
            elif reason:
                notes.append(f"{reason.removesuffix('.')}{side}.")
        if any("pos" in columns[table] for table in texts):  # where one of two texts has none, its tokens have none
            for table in texts:
                columns[table].setdefault("pos", [""] * sum(len(item.side(table)) for item in inputs))
        if GLOBAL in _tables(loaded):
            chosen = [flag for item in inputs for flag in item.side(TOKENS).is_global or (False,) * len(item)]
            columns[GLOBAL] = {
                name: values.filter(pa.array(chosen))
                if isinstance(values, pa.Array)
                else list(compress(values, chosen))
                for name, values in columns[TOKENS].items()
                if name != "global"
            }
        shown, told = _lines(corpus, kept)
        return Prepared(kept, inputs, columns, tuple(notes), libraries, told, texts=shown)

    def check(self, loaded: LoadedModel, inputs: Sequence[Any]) -> None:
        known = _known(loaded)
        sides = (item.side(table) for item in inputs for table in item.lengths)
        if any(id_ >= known for side in sides for id_ in side.ids):
            raise ModelError(
                f"The tokenizer of {loaded.info.id} gives tokens that the model does not know:"
                " they do not belong together."
            )

    def arguments(self, loaded: LoadedModel, inputs: Sequence[Any]) -> dict[str, Any]:
        """Padded on the right whatever the tokenizer would do: positions are then as without padding, and tokenizers
        without a padding token (GPT-2) work too. Padding is masked, so its id means nothing; a tokenizer's own may even
        be unknown to the model (Qwen 2).
        """
        found: dict[str, Any] = {}
        for table, prefix in ((TOKENS, ""), (WRITTEN, "decoder_")):
            if table in inputs[0].lengths:
                sides = [item.side(table) for item in inputs]
                found[f"{prefix}input_ids"] = _padded([side.ids for side in sides], loaded.device)
                found[f"{prefix}attention_mask"] = _padded([(1,) * len(side) for side in sides], loaded.device)
                types = [side.type_ids for side in sides]
                if any(types):
                    rows = [one or (0,) * len(side) for one, side in zip(types, sides, strict=True)]
                    found[f"{prefix}token_type_ids"] = _padded(rows, loaded.device)
        flags = [item.global_tokens(TOKENS) for item in inputs]
        if any(flag is not None for flag in flags):
            wide = [[0] if flag is None else flag.astype(int).tolist() for flag in flags]
            width = found["input_ids"].shape[1]
            found["global_attention_mask"] = _padded(wide, loaded.device, width)
        if getattr(loaded.model.config, "use_cache", False):
            found["use_cache"] = False
        return found

    def lacking(self, atlas: Atlas, *, tags: str) -> str | None:
        said = any(note.startswith(UNTAGGED) for note in atlas.info.corpus.notes)
        return None if tags == "none" or said or has_tags(atlas) else "parts of speech"

    def preview(self, atlas: Atlas, index: int) -> str:
        return preview(atlas.inputs.text[index])

    def find_inputs(self, atlas: Atlas, words: str) -> tuple[list[tuple[int, str]], int]:
        """Those that hold all words, or have the number."""
        return inputs_with(atlas, words)


def token_columns(inputs: Sequence[TokenisedInput]) -> dict[str, Any]:
    """What the token table holds of some inputs, one after the other."""
    columns = {
        "token": [token for item in inputs for token in item.tokens],
        "text": [text for item in inputs for text in item.display],
        "special": [flag for item in inputs for flag in item.special],
        "word": pa.array([word for item in inputs for word in item.words], pa.int32()),
    }
    if any(item.segments is not None for item in inputs):
        sides = (item.segments or (0,) * len(item) for item in inputs)
        columns[pairs.SEGMENT] = pa.array([side for some in sides for side in some], pa.int8())
    if any(item.is_global is not None for item in inputs):
        flags = (item.is_global or (False,) * len(item) for item in inputs)
        columns["global"] = [flag for flags_of_input in flags for flag in flags_of_input]
    return columns


def _lines(corpus: Corpus, kept: Sequence[int]) -> tuple[list[str] | None, dict[str, Any]]:
    """Inputs as a reader sees them, None where that is their text; and columns to read them again by."""
    if corpus.pair:
        second = [corpus.pair[index] for index in kept]
        lines = [pairs.joined(corpus.texts[index], other) for index, other in zip(kept, second, strict=True)]
        return lines, {pairs.SECOND: second}
    return ([corpus.texts[index] for index in kept], {TEMPLATE: [True] * len(kept)}) if corpus.rendered else (None, {})


def _typed(inputs: Sequence[TokenisedInput], rendered: bool) -> list[str]:
    """Notes on control tokens that stand in the texts themselves; those of a chat template belong there."""
    notes: list[str] = []
    if rendered:
        return notes
    doubled = [item for item in inputs if item.doubled]
    if doubled:
        notes.append(
            f"{len(doubled)} inputs begin with {doubled[0].tokens[0]}, which the tokenizer adds by itself: one of the"
            " two was left out."
        )
    typed = [item.typed for item in inputs if item.typed]
    if typed:
        notes.append(
            f"{len(typed)} inputs hold control tokens in their text, {typed[0][0]} for one: the model reads them as"
            " such, and they are marked as special."
        )
    return notes


def _tables(loaded: LoadedModel) -> set[str]:
    return {table for stream in loaded.streams for table in stream.tables}


def _as_input(loaded: LoadedModel, read: TokenisedInput, written: TokenisedInput) -> Text:
    """As the model takes it."""
    return TextPair(read, written) if writes(loaded) else read


def of_ids(loaded: LoadedModel, ids: Sequence[int], is_global: IsGlobal) -> Text:
    """Tokens by their numbers as an input; an encoder–decoder reads and writes them."""
    read = _of_ids(ids)
    flags = is_global(read)
    return _as_input(loaded, read if flags is None else replace(read, is_global=tuple(flags)), _of_ids(ids))


def _of_ids(ids: Sequence[int]) -> TokenisedInput:
    """An input of which only the numbers of its tokens matter."""
    n = len(ids)
    names = tuple(map(str, ids))
    return TokenisedInput(names, names, tuple(ids), (False,) * n, ((0, 0),) * n, tuple(range(n)), False)


def _known(loaded: LoadedModel) -> int:
    """Tokens that the model has an embedding for."""
    return int(loaded.model.get_input_embeddings().num_embeddings)


def _padded(rows: Sequence[Sequence[int]], device: str, width: int | None = None) -> Any:
    """int64 [rows, longest], 0 behind the end of each."""
    import torch

    found = torch.zeros((len(rows), max(map(len, rows)) if width is None else width), dtype=torch.long)
    for number, row in enumerate(rows):
        found[number, : len(row)] = torch.tensor(tuple(row), dtype=torch.long)
    return found.to(device)
