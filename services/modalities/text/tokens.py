"""Text to tokens, with what a reader needs to find them again in the text."""

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress
from typing import Any

import numpy as np

from services.errors import ModelError
from services.modalities.text.aligned import AlignedTokenizer
from services.models.loading import LoadedModel
from services.streams.registry import GLOBAL, TOKENS, WRITTEN

SPACE = "▁"  # how a space inside a token is shown, after SentencePiece
# C0 controls and DEL have pictures of their own; line ends and tabs get the signs people know.
CONTROLS = {code: chr(0x2400 + code) for code in range(32)} | {127: "␡", 9: "⇥", 10: "↵", 32: SPACE}
SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class TokenisedInput:
    """One input cut into n tokens; all tuples have n entries.

    tokens: as the tokenizer writes them ("##ing", "Ġcat"), for exact search.
    display: readable: pieces of byte-level tokenizers decoded ("Ġcat" → "▁cat", "Ã©" → "é"), a space shown as
        "▁", control characters by their pictures ("↵", "␀"), half a character as its bytes ("<0xF0>").
    special: added by the tokenizer, or a control token typed in the text; an unknown word is not special.
    offsets: character span in the text, (0, 0) for tokens that the tokenizer added.
    words: index of the word the token belongs to, −1 for tokens outside words.
    truncated: whether the text went on.
    is_global: which tokens see and are seen by all; None: none.
    doubled: the text began with the token that the tokenizer puts first: one of the two was left out.
    segments: of a pair of texts which one a token is of, 0 or 1, and −1 of tokens that the tokenizer added; offsets are
        then those in its own text. None: a single text.
    type_ids: what the model is told of that (BERT's segment ids); None: it is told nothing.
    """

    tokens: tuple[str, ...]
    display: tuple[str, ...]
    ids: tuple[int, ...]
    special: tuple[bool, ...]
    offsets: tuple[tuple[int, int], ...]
    words: tuple[int, ...]
    truncated: bool
    is_global: tuple[bool, ...] | None = None
    doubled: bool = False
    segments: tuple[int, ...] | None = None
    type_ids: tuple[int, ...] | None = None

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def typed(self) -> tuple[str, ...]:
        """Control tokens that stand in the text."""
        marked = zip(self.tokens, self.special, self.offsets, strict=True)
        return tuple(token for token, special, (start, stop) in marked if special and stop > start)

    @property
    def shape(self) -> tuple[int, ...]:
        return ()

    @property
    def lengths(self) -> Mapping[str, int]:
        """Number of tokens, by token table."""
        found = {TOKENS: len(self.ids)}
        return found if self.is_global is None else found | {GLOBAL: sum(self.is_global)}

    def side(self, table: str) -> "TokenisedInput":
        """The tokens of a table. Raises: KeyError."""
        if table == GLOBAL and self.is_global is not None:
            return self._some(self.is_global)
        if table != TOKENS:
            raise KeyError(table)
        return self

    def _some(self, chosen: Sequence[bool]) -> "TokenisedInput":
        return TokenisedInput(
            tokens=tuple(compress(self.tokens, chosen)),
            display=tuple(compress(self.display, chosen)),
            ids=tuple(compress(self.ids, chosen)),
            special=tuple(compress(self.special, chosen)),
            offsets=tuple(compress(self.offsets, chosen)),
            words=tuple(compress(self.words, chosen)),
            truncated=self.truncated,
            segments=None if self.segments is None else tuple(compress(self.segments, chosen)),
        )

    def global_tokens(self, table: str) -> np.ndarray | None:
        """bool [tokens]: which see and are seen by all; None when none is."""
        return None if table != TOKENS or self.is_global is None else np.asarray(self.is_global, bool)

    @property
    def empty(self) -> bool:
        """No token that stands for text: a blank line, for example. Such an input is best left out."""
        return all(self.special)


@dataclass(frozen=True)
class TextPair:
    """An input of a model that reads one text and writes another: the tokens of both."""

    read: TokenisedInput
    written: TokenisedInput

    def __len__(self) -> int:
        return len(self.read) + len(self.written)

    @property
    def shape(self) -> tuple[int, ...]:
        return ()

    @property
    def lengths(self) -> Mapping[str, int]:
        return {**self.read.lengths, WRITTEN: len(self.written)}

    def side(self, table: str) -> TokenisedInput:
        return self.written if table == WRITTEN else self.read.side(table)

    def global_tokens(self, table: str) -> np.ndarray | None:
        return self.read.global_tokens(table)

    @property
    def empty(self) -> bool:
        return self.read.empty or self.written.empty

    @property
    def truncated(self) -> bool:
        return self.read.truncated or self.written.truncated


def tokenise(
    loaded: LoadedModel,
    texts: Sequence[str],
    max_tokens: int | None = None,
    *,
    written: bool = False,
    pair: Sequence[str] = (),
    rendered: bool = False,
) -> list[TokenisedInput]:
    """Cut each text into at most `max_tokens` tokens, special ones included (None: the model's limit).

    written: as what the model writes, which some tokenizers cut by other rules or begin with another language.
    pair: a second text of each, read with the first; where both are too long, the longer one is cut first.
    rendered: texts hold all special tokens already, as a chat template has written them.
    Any string is taken: blank, with NUL, emoji or right-to-left text. Lone surrogates, which no tokenizer
    takes, count as U+FFFD. ModelError when `max_tokens` leaves no room for text.
    """
    tokenizer = loaded.tokenizer
    limit = loaded.max_tokens if max_tokens is None else min(max_tokens, loaded.max_tokens)
    least = (0 if rendered else tokenizer.num_special_tokens_to_add(bool(pair))) + (2 if pair else 1)
    if limit < least:
        raise ModelError(f"A limit of {limit} tokens leaves no room for text: {loaded.info.id} needs at least {least}.")
    if not texts:
        return []
    clean = [SURROGATES.sub("\ufffd", text) for text in texts]
    second = [SURROGATES.sub("\ufffd", text) for text in pair]
    given: dict[str, Any] = {"text_target" if written else "text": clean}
    given |= {"text_pair": second} if pair else {}
    given |= {"add_special_tokens": False} if rendered else {}
    encodings = tokenizer(**given, truncation=True, max_length=limit, padding=False).encodings
    marks = _marks(tokenizer, reads_types(loaded))
    both = zip(clean, second, strict=True) if pair else ((text,) for text in clean)
    return [_tokenised(encoding, one, marks) for encoding, one in zip(encodings, both, strict=True)]


def reads_types(loaded: LoadedModel) -> bool:
    """Whether a model is told which of two texts a token is of: not those that take the argument for something else."""
    known = getattr(loaded.model.config, "type_vocab_size", None)
    relative = any(name.endswith("seg_embed") for name, _ in loaded.model.named_parameters())  # XLNet
    if not relative and (not isinstance(known, int) or known < 2):
        return False
    return "token_type_ids" in inspect.signature(loaded.model.forward).parameters


@dataclass(frozen=True)
class _Marks:
    """byte_level: the vocabulary writes bytes as letters · literal: ids of tokens that are not part of it and stand as
    they are written · control: ids of tokens that mean something to the model and are no text · types: `reads_types`
    """

    byte_level: bool
    literal: frozenset[int]
    control: frozenset[int]
    types: bool


def _marks(tokenizer: Any, types: bool) -> _Marks:
    aligned = isinstance(tokenizer, AlignedTokenizer)
    added = tokenizer.added_tokens_decoder if aligned else tokenizer.backend_tokenizer.get_added_tokens_decoder()
    control = {*tokenizer.all_special_ids, *(id_ for id_, token in added.items() if token.special)}
    byte_level = not aligned and "ByteLevel" in repr(tokenizer.backend_tokenizer.decoder)
    return _Marks(byte_level, frozenset(added), frozenset(control - {tokenizer.unk_token_id}), types)


def _tokenised(encoding: Any, texts: Sequence[str], marks: _Marks) -> TokenisedInput:
    flags, ids = encoding.special_tokens_mask, encoding.ids
    doubled = len(ids) > 1 and ids[0] == ids[1] and ids[0] in marks.control and bool(flags[0]) and not flags[1]
    kept = [index for index in range(len(ids)) if not (doubled and index == 1)]
    tokens, ids, spans, word_ids = (
        [values[index] for index in kept] for values in (encoding.tokens, ids, encoding.offsets, encoding.word_ids)
    )
    added = [bool(flags[index]) for index in kept]
    offsets = tuple((0, 0) if flag else tuple(span) for flag, span in zip(added, spans, strict=True))
    pair = len(texts) > 1
    sides = [-1 if one is None else one for one in (encoding.sequence_ids[index] for index in kept)] if pair else []
    types = [encoding.type_ids[index] for index in kept] if pair and marks.types else []
    return TokenisedInput(
        tokens=tuple(tokens),
        display=tuple(
            _readable(token, marks.byte_level and id_ not in marks.literal)
            for token, id_ in zip(tokens, ids, strict=True)
        ),
        ids=tuple(ids),
        special=tuple(flag or id_ in marks.control for flag, id_ in zip(added, ids, strict=True)),
        offsets=offsets,
        words=_words_of_both(word_ids, added, offsets, texts, sides),
        truncated=bool(encoding.overflowing),
        doubled=doubled,
        segments=tuple(sides) if pair else None,
        type_ids=tuple(types) if any(types) else None,
    )


def _words_of_both(
    ids: Sequence[int | None],
    added: Sequence[bool],
    offsets: Sequence[tuple[int, ...]],
    texts: Sequence[str],
    sides: Sequence[int],
) -> tuple[int, ...]:
    """Word of each token, −1 for added ones; those of a second text go on behind those of the first."""
    if len(texts) == 1:
        return _words(ids, added, offsets, texts[0])
    found, behind = [-1] * len(ids), 0
    for side, text in enumerate(texts):
        own = [index for index, one in enumerate(sides) if one == side]
        words = _words([ids[one] for one in own], [added[one] for one in own], [offsets[one] for one in own], text)
        for index, word in zip(own, words, strict=True):
            found[index] = word + behind if word >= 0 else -1
        behind += max(words, default=-1) + 1
    return tuple(found)


def _words(
    ids: Sequence[int | None], added: Sequence[bool], offsets: Sequence[tuple[int, ...]], text: str
) -> tuple[int, ...]:
    """Word of each token, −1 for added ones, counted from 0 without gaps."""
    known = [None if flag else id_ for id_, flag in zip(ids, added, strict=True)]
    if len({id_ for id_ in known if id_ is not None}) > 1:
        order: dict[int, int] = {}
        return tuple(-1 if id_ is None else order.setdefault(id_, len(order)) for id_ in known)
    # SentencePiece-like tokenizers see the whole text as one word: cut it at white space, which goes with the
    # word that follows.
    words, word, end, only_space = [], -1, 0, False
    for flag, (start, stop) in zip(added, offsets, strict=True):
        if flag:
            words.append(-1)
            continue
        inside = text[start:stop]
        begin = start + len(inside) - len(inside.lstrip())
        space = any(letter.isspace() for letter in text[end:begin])
        if word < 0 or (space and not only_space):
            word += 1
        only_space = not inside.strip() and (space or only_space)
        end = max(end, stop)
        words.append(word)
    return tuple(words)


def _readable(token: str, byte_level: bool) -> str:
    if byte_level:
        letters = _byte_letters()
        if all(letter in letters for letter in token):
            token = _decoded(bytes(letters[letter] for letter in token))
    return token.translate(CONTROLS)


def _decoded(raw: bytes) -> str:
    """UTF-8 text; bytes that are only a part of a character as "<0xF0>"."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        text = raw.decode(errors="surrogateescape")
        return SURROGATES.sub(lambda match: f"<0x{ord(match[0]) - 0xDC00:02X}>", text)


@lru_cache(maxsize=1)
def _byte_letters() -> dict[str, int]:
    """Letter → byte in byte-level vocabularies (GPT-2): printable bytes as they are, the rest moved up."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + i): byte for i, byte in enumerate(others)}
