"""A loaded model with the head that predicts tokens on top, where its files hold one."""

from dataclasses import dataclass
from typing import Any, Literal

from services.models.files import check_memory
from services.models.loading import LoadedModel, from_tensors, load_writer, quiet
from services.models.weights import read_headers

Predicts = Literal["next", "masked"]


@dataclass(frozen=True)
class Predictor:
    """model: answers logits [B, n, tokens]; `loaded.model` is a part of it where it can be · predicts: what of

    next: each token from those before it (of an encoder–decoder: the tokens it writes) · masked: a token in whose place
    the mask token stands.
    """

    model: Any
    predicts: Predicts


def load_predictor(loaded: LoadedModel) -> Predictor | None:
    """The predictor; None where the files hold no head, or transformers knows none for such a model.

    Raises:
        ModelError: its weights cannot be read, or do not fit into memory.
    """
    from transformers import MODEL_FOR_CAUSAL_LM_MAPPING, MODEL_FOR_MASKED_LM_MAPPING

    folder, config = loaded.folder, loaded.model.config
    if folder is None or loaded.modality != "text":
        return None
    if any(stream.name == "cross" for stream in loaded.streams):
        return Predictor(load_writer(loaded), "next")
    written = all(stream.mask.reach[1] == 0 for stream in loaded.streams)  # nobody sees a later token
    mapping = MODEL_FOR_CAUSAL_LM_MAPPING if written else MODEL_FOR_MASKED_LM_MAPPING
    if type(config) not in mapping or (not written and loaded.tokenizer.mask_token_id is None):
        return None
    headers = read_headers(folder.weights, folder.id)
    check_memory(folder.id, sum(header.size for header in headers.values()))
    with quiet():
        model, report = from_tensors(mapping[type(config)], folder, config)
    base = model.base_model_prefix
    if any(not name.startswith(f"{base}.") for name in report["missing_keys"]):
        return None
    if hasattr(model, base):
        setattr(model, base, loaded.model)  # one copy of the weights in memory, but for a tied head's
        if getattr(config, "tie_word_embeddings", False):
            model.tie_weights()
    return Predictor(model.to(loaded.device).eval(), "next" if written else "masked")
