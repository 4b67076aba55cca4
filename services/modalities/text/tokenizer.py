"""The tokenizer of a model's folder, and how long an input may be."""

from typing import Any

from services.errors import ModelError
from services.models.folders import TOKENIZER_STARTS, ModelFolder
from services.models.loading import first_line

LONGEST = 2**20  # stands for "no limit known" in the numbers tokenizers give


def load_tokenizer(folder: ModelFolder) -> Any:
    """Raises: ModelError when it cannot be read, or does not tell where its tokens are in the text."""
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
    if not tokenizer.is_fast:
        raise ModelError(
            f"Model {folder.id}: its tokenizer {type(tokenizer).__name__} does not tell where tokens are"
            " in the text (it has no fast version)."
        )
    return tokenizer


def longest_input(model: Any, tokenizer: Any) -> int:
    """The least of what configuration, tokenizer and position table allow, in tokens."""
    limits = [getattr(model.config, "max_position_embeddings", None), tokenizer.model_max_length]
    for name, module in model.named_modules():
        # RoBERTa's table has a row for padding, and positions start behind it.
        if name.endswith("position_embeddings") and getattr(module, "padding_idx", None) is not None:
            limits.append(module.num_embeddings - module.padding_idx - 1)
    return int(min([limit for limit in limits if isinstance(limit, int) and limit > 0], default=LONGEST))
