"""The tokenizer of a model's folder, and how long an input may be."""

from typing import Any

from services.errors import ModelError
from services.modalities.text.aligned import AlignedTokenizer
from services.models.folders import TOKENIZER_STARTS, ModelFolder
from services.models.loading import first_line

LONGEST = 2**20  # stands for "no limit known" in the numbers tokenizers give


FILE = "tokenizer.json"
# What rebuilt tokenizers lose first: accents, white space, digits, capitals, other scripts, signs.
PROBES = (
    "The cat sat on the mat because it was tired.",
    "La marée montait, là-bas ; Größe 12,345.67",
    "  two  spaces\n\nand\tlines  ",
    "don't STOP e\u0301 ﬁne naïve_word(x+1)=[y]",
    "猫は座った 🙂 кошка قطة",
)


def load_tokenizer(folder: ModelFolder) -> tuple[Any, tuple[str, ...]]:
    """The tokenizer, and what a reader should know of it.

    Raises: ModelError when it cannot be read.
    """
    from transformers import AutoTokenizer

    if not any((folder.processor / name).is_file() for name in TOKENIZER_STARTS):
        raise ModelError(
            f"Model {folder.id} has no tokenizer (no tokenizer.json or vocabulary file):"
            " save one next to the weights with tokenizer.save_pretrained(folder), or name one by --tokenizer."
        )
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder.processor, trust_remote_code=False, local_files_only=True)
    except Exception as error:  # each tokenizer library has its own
        raise ModelError(f"Model {folder.id}: its tokenizer cannot be read ({first_line(error)}).") from error
    if not set(tokenizer.get_vocab()) - set(tokenizer.all_special_tokens):
        raise ModelError(
            f"Model {folder.id}: transformers' {type(tokenizer).__name__} reads no vocabulary from the files that are"
            " there, so that every word would be unknown: save it as tokenizer.json, or name another by --tokenizer."
        )
    if not tokenizer.is_fast:
        shown = type(tokenizer).__name__
        return AlignedTokenizer(tokenizer), (
            f"Where tokens are in the texts was found by matching: {shown} does not tell.",
        )
    return _as_its_file_says(folder, tokenizer)


def _as_its_file_says(folder: ModelFolder, tokenizer: Any) -> tuple[Any, tuple[str, ...]]:
    """The same where it cuts as tokenizer.json does, else one made of that file, and a note.

    transformers rebuilds the tokenizers of some classes from vocabulary and merges alone, without the file's own
    pre-tokenizer (huggingface/transformers#45701). Raises: ModelError.
    """
    file = folder.processor / FILE
    if not file.is_file():
        return tokenizer, ()
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    try:
        own = Tokenizer.from_file(str(file))
        own.no_truncation()
        own.no_padding()
        wanted = [own.encode(text).ids for text in PROBES]
    except Exception as error:
        raise ModelError(f"Model {folder.id}: its {FILE} cannot be used ({first_line(error)}).") from error
    differs = next((text for text, ids in zip(PROBES, wanted, strict=True) if _ids(tokenizer, text) != ids), None)
    if differs is None:
        return tokenizer, ()
    names = {
        kind: token
        for kind, token in tokenizer.special_tokens_map.items()
        if isinstance(token, str) and own.token_to_id(token) is not None
    }
    made = PreTrainedTokenizerFast(tokenizer_object=own, model_max_length=tokenizer.model_max_length, **names)
    if [_ids(made, text) for text in PROBES] != wanted:
        raise ModelError(
            f"Model {folder.id}: transformers cuts {differs!r} into other tokens than its {FILE} does: save the"
            " tokenizer again with tokenizer.save_pretrained(folder), or name another by --tokenizer."
        )
    shown = type(tokenizer).__name__
    return made, (f"Its tokens are those of its {FILE}: transformers' {shown} would cut texts in another way.",)


def _ids(tokenizer: Any, text: str) -> list[int] | None:
    """None: it cannot cut the text at all."""
    try:
        return list(tokenizer(text).input_ids)
    except Exception:
        return None


def longest_input(model: Any, tokenizer: Any) -> int:
    """The least of what configuration, tokenizer and position table allow, in tokens."""
    limits = [getattr(model.config, name, None) for name in ("max_position_embeddings", "max_seq_len")]
    limits.append(min(tokenizer.model_max_length, LONGEST))
    for name, module in model.named_modules():
        # RoBERTa's table has a row for padding, and positions start behind it.
        if name.endswith("position_embeddings") and getattr(module, "padding_idx", None) is not None:
            limits.append(module.num_embeddings - module.padding_idx - 1)
    return int(min([limit for limit in limits if isinstance(limit, int) and limit > 0], default=LONGEST))
