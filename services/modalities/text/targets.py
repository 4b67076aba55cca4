"""What an encoder–decoder writes: given as a column of the corpus, or written by the model itself, greedily.

A decoder reads what it has written so far: its own start token, then the text without the end, which no step sees.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from services.modalities.corpora import Corpus
from services.modalities.corpora.harvest import TARGET_COLUMN
from services.modalities.text.tokens import TokenisedInput, tokenise
from services.models.loading import LoadedModel, load_writer, quiet

MOST_WRITTEN = 128  # tokens that a model writes of one input
GLOBAL_KIND = "global"
_TOGETHER = 16  # inputs that are written at a time
# How targets come about, in the notes of an atlas.
GIVEN = "What the model writes comes from the column"
OWN = "written by the model itself, greedily"


def writes(loaded: LoadedModel) -> bool:
    """Whether a model writes one text while it reads another."""
    return bool(getattr(loaded.model.config, "is_encoder_decoder", False))


def completed(
    loaded: LoadedModel, corpus: Corpus, max_tokens: int | None, report: Callable[[int, int], None]
) -> Corpus:
    """A corpus whose inputs all have a target; blank ones are written by the model.

    report: called with the targets written and those to write. Raises: ModelError.
    """
    given = list(corpus.columns[corpus.target]) if corpus.target else [""] * len(corpus.texts)
    todo = [index for index, text in enumerate(given) if not text.strip()]
    notes = [f"{GIVEN} {corpus.target}."] if corpus.target else []
    if todo:
        most = min(MOST_WRITTEN, loaded.max_tokens - 2, max_tokens or MOST_WRITTEN)
        report(0, len(todo))
        cut = 0
        for number, (index, (text, whole)) in enumerate(zip(todo, _written(loaded, corpus, todo, most), strict=True)):
            given[index] = text
            cut += not whole
            report(number + 1, len(todo))
        some = f"{len(todo):,} target{'s were' if len(todo) > 1 else ' was'}"
        which = "The targets were" if len(todo) == len(given) else some
        notes.append(f"{which} {OWN}" + (f"; {cut:,} of them cut at {most} tokens." if cut else "."))
    name = corpus.target or TARGET_COLUMN
    return replace(corpus, columns={**corpus.columns, name: tuple(given)}, target=name, notes=(*corpus.notes, *notes))


def _written(loaded: LoadedModel, corpus: Corpus, todo: Sequence[int], most: int) -> Iterator[tuple[str, bool]]:
    """What a model writes of some texts, in order, and whether it came to an end."""
    import torch

    read = tokenise(
        loaded, [corpus.texts[index] for index in todo], pair=[corpus.pair[index] for index in todo if corpus.pair]
    )
    writer = load_writer(loaded)
    end = writer.generation_config.eos_token_id
    ends = set(end) if isinstance(end, list) else {end}
    for start in range(0, len(read), _TOGETHER):
        batch = read[start : start + _TOGETHER]
        longest = max(1, *map(len, batch))
        ids, mask = (torch.zeros((len(batch), longest), dtype=torch.long) for _ in range(2))
        for row, item in enumerate(batch):
            ids[row, : len(item)] = torch.tensor(item.ids, dtype=torch.long)
            mask[row, : len(item)] = 1
        more = {}
        if any(stream.kind == GLOBAL_KIND for stream in loaded.streams):
            more["global_attention_mask"] = torch.zeros_like(ids)
            more["global_attention_mask"][:, 0] = 1
        with torch.inference_mode(), quiet():
            found = writer.generate(
                input_ids=ids.to(loaded.device),
                attention_mask=mask.to(loaded.device),
                do_sample=False,
                num_beams=1,
                max_new_tokens=most,
                min_length=min(getattr(writer.generation_config, "min_length", None) or 0, most),
                early_stopping=False,
                use_cache=_can_cache(writer),
                **{name: values.to(loaded.device) for name, values in more.items()},
            )
        for answer in found.cpu().tolist():
            text = loaded.tokenizer.decode(answer, skip_special_tokens=True, clean_up_tokenization_spaces=False)
            yield " ".join(text.split()), bool(ends & set(answer[1:]))


def _can_cache(writer: Any) -> bool:
    """Not where the decoder has more layers than the encoder: transformers 5.23 makes room for as many as that has."""
    config = writer.config
    layers = getattr(config, "num_decoder_layers", None) or getattr(config, "decoder_layers", None)
    return layers is None or layers <= config.num_hidden_layers


def as_decoder_input(loaded: LoadedModel, item: TokenisedInput) -> TokenisedInput:
    """A target as the decoder reads it: the start token before it, the end left out.

    Models without a start token of their own begin with the last token of the text, which names its language (mBART),
    or with the first, where the tokenizer puts one there.
    """
    tokenizer = loaded.tokenizer
    ends = {tokenizer.eos_token_id, tokenizer.sep_token_id}
    start, parts = _start(loaded.model), list(range(len(item)))
    if start is None and parts and item.special[-1] and item.ids[-1] not in ends:
        start = item.ids[parts.pop()]
    if parts and item.special[parts[-1]] and item.ids[parts[-1]] in ends:
        parts.pop()
    if start is None:
        begins = bool(parts) and item.special[parts[0]]
        known = (tokenizer.bos_token_id, tokenizer.eos_token_id, 0)
        start = item.ids[parts.pop(0)] if begins else next(one for one in known if one is not None)
    limit = loaded.max_tokens - 1
    truncated = item.truncated or len(parts) > limit
    parts = parts[:limit]
    name = tokenizer.convert_ids_to_tokens(start)

    def begun(first: Any, values: Sequence[Any]) -> tuple[Any, ...]:
        return (first, *(values[index] for index in parts))

    return TokenisedInput(
        tokens=begun(name, item.tokens),
        display=begun(name, item.display),
        ids=begun(start, item.ids),
        special=begun(True, item.special),
        offsets=begun((0, 0), item.offsets),
        words=begun(-1, item.words),
        truncated=truncated,
    )


def _start(model: Any) -> int | None:
    for config in (getattr(model, "generation_config", None), model.config):
        start = getattr(config, "decoder_start_token_id", None)
        if isinstance(start, int):
            return start
    return None
