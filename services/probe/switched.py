"""An input run with heads or a token switched off, beside the same input as it is: what the model then does.

The run itself is kept as a probe is (services.probe.kept), so that the views of a probe show it; what changed is the
answer to the question.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from services.atlas import Atlas
from services.atlas.schema import StreamInfo
from services.capture.adapters import calls_of, global_tokens, has_hand, seat
from services.capture.predictions import Predicted, predicted, run, total_variation
from services.capture.recorder import Recording
from services.capture.run import visible_pairs
from services.capture.switches import Switches, draws
from services.errors import ProbeError
from services.modalities.contract import ModelInput
from services.modalities.text.modality import of_ids
from services.modalities.text.repeats import sequences
from services.models.loading import LoadedModel
from services.models.predictor import Predictor
from services.probe.kept import INFO, UNIT, being_written, write
from services.probe.question import SwitchQuestion, check_token
from services.probe.read_again import Columns, input_of
from services.probe.seen import keep_image, kept_flags

CHANGED = 12  # predictions that are told
_CANNOT = "Heads of this model cannot be switched off: its attention is worked out in code of its own."


def switch(
    atlas: Atlas,
    loaded: LoadedModel,
    predictor: Predictor | None,
    question: SwitchQuestion,
    folder: Path,
    most_tokens: int,
    check: Callable[[], None],
) -> dict[str, Any]:
    """Run an input with and without, keep both runs, and say what changed; see docs/why.md.

    Raises:
        ProbeError: there is no such head or token, the input cannot be run, or the model's heads cannot be reached.
    """
    stream = question.checked(atlas, most_tokens)
    if not has_hand(loaded.model):
        raise ProbeError(_CANNOT)
    item, columns = _item(atlas, loaded, question, folder, most_tokens, check)
    if question.key is not None:
        check_token("key", question.key, item.lengths[stream.key_table])
    off = _switches(loaded, stream, frozenset(question.heads), question.key)
    check()
    as_is, before = run(loaded, item, None)
    _keep(atlas, loaded, question.untouched, folder, item, columns, before)
    check()
    without, after = run(loaded, item, off)
    _keep(atlas, loaded, question, folder, item, columns, after)
    check()
    found: dict[str, Any] = {
        "before": question.untouched.id(atlas),
        "after": question.id(atlas),
        "heads": {one.name: _moved(loaded, one, before, after) for one in loaded.streams},
        "repeat": len(item) // 2 if question.random else None,
    }
    if predictor is None:
        return found | {"predicts": "vectors", "cosine": _cosine(as_is, without)}
    return found | _losses(loaded, predictor, item, stream, off, frozenset(question.heads), check)


def _switches(
    loaded: LoadedModel, stream: StreamInfo, heads: frozenset[tuple[int, int]], key: int | None = None
) -> Switches:
    """By the names under which a running model knows the stream and its layers."""
    seats = {layer: seat(stream, loaded.streams, layer) for layer in range(stream.layers)}
    return Switches(seats[0][0], frozenset((seats[layer][1], head) for layer, head in heads), key)


def _item(
    atlas: Atlas,
    loaded: LoadedModel,
    question: SwitchQuestion,
    folder: Path,
    most_tokens: int,
    check: Callable[[], None],
) -> tuple[ModelInput, Columns]:
    if not question.random:
        return input_of(atlas, loaded, question, most_tokens, check, folder)
    random = sequences(loaded)
    if not random:
        raise ProbeError("The model takes too few tokens at once for random ones to be said twice.")
    ids = random[0][: 2 * (most_tokens // 2)] if len(random[0]) > most_tokens else random[0]
    half = len(ids) // 2
    twice = np.tile(ids[:half], 2).tolist()
    item = of_ids(loaded, twice, lambda item: global_tokens(loaded.model, item))
    return item, {table: _of_ids(loaded, item, table) for stream in loaded.streams for table in stream.tables}


def _moved(loaded: LoadedModel, stream: StreamInfo, before: Recording, after: Recording) -> list[list[float]]:
    """Of each head, layer by layer, how far its attention moved: mean total variation of its rows."""
    found = []
    runs = [calls_of(record, stream, loaded.streams) for record in (before, after)]
    for one, other in zip(*runs, strict=True):
        sides = [call.attention[0].float().cpu().numpy() for call in (one, other)]
        found.append([round(total_variation(a, b), 6) for a, b in zip(*sides, strict=True)])
    return found


def _cosine(before: Any, after: Any) -> dict[str, Any]:
    """Of a model that predicts nothing: how alike its output vectors are, token by token, and their means."""
    one, other = (answer.last_hidden_state[0].double().cpu() for answer in (before, after))
    alike = torch.cosine_similarity(one, other, dim=-1)
    whole = torch.cosine_similarity(one.mean(dim=0), other.mean(dim=0), dim=0)
    return {"tokens": [round(float(value), 6) for value in alike], "mean": float(whole)}


def _losses(
    loaded: LoadedModel,
    predictor: Predictor,
    item: ModelInput,
    stream: StreamInfo,
    off: Switches,
    heads_off: frozenset[tuple[int, int]],
    check: Callable[[], None],
) -> dict[str, Any]:
    as_is = predicted(loaded, predictor, item, None, check)
    without = predicted(loaded, predictor, item, off, check)
    random = []
    for heads in draws(stream.heads, heads_off):
        check()
        random.append(predicted(loaded, predictor, item, _switches(loaded, stream, heads), check).loss)
    return {
        "predicts": predictor.predicts,
        "places": as_is.places.tolist(),
        "loss": [_rounded(one.loss) for one in (as_is, without)],
        "random": [_rounded(loss) for loss in random],
        "changed": _changed(loaded, as_is, without),
    }


def _changed(loaded: LoadedModel, before: Predicted, after: Predicted) -> list[dict[str, Any]]:
    """Places where another token is foretold, the largest change of loss first."""
    places = np.flatnonzero(before.best != after.best)
    order = places[np.argsort(-np.abs(after.loss - before.loss)[places], kind="stable")][:CHANGED]

    def name(id_: int) -> str:
        return str(loaded.tokenizer.decode([id_]))

    return [
        {
            "place": int(before.places[one]),
            "before": [name(int(before.best[one])), round(float(before.sure[one]), 4)],
            "after": [name(int(after.best[one])), round(float(after.sure[one]), 4)],
            "loss": [round(float(before.loss[one]), 4), round(float(after.loss[one]), 4)],
        }
        for one in order
    ]


def _rounded(values: np.ndarray) -> list[float]:
    return [round(float(value), 5) for value in values]


def _keep(
    atlas: Atlas,
    loaded: LoadedModel,
    question: SwitchQuestion,
    folder: Path,
    item: ModelInput,
    columns: Columns,
    record: Recording,
) -> None:
    """What the views of a probe read; its vectors are not kept, as it has no place on maps."""
    tables = {table for stream in loaded.streams for table in stream.tables}
    with being_written(folder, question.id(atlas)) as half:
        pairs = {}
        for stream in loaded.streams:
            calls = calls_of(record, stream, loaded.streams)
            shown = [call.attention for call in calls if call.attention is not None]
            if not shown:
                continue  # content: nothing attends by it
            pairs[stream.name] = int(visible_pairs(stream, item).sum())
            weights = np.stack([attention[0].float().cpu().numpy() for attention in shown])
            write(half / stream.name / "attention.npy", np.rint(weights * UNIT).clip(0, UNIT).astype("<u2"))
            norms = np.stack([call.value_norms[0].float().cpu().numpy() for call in calls])
            write(half / stream.name / "value_norms.npy", norms)
        info = {
            "key": atlas.info.key,
            "text": question.text,
            "tables": dict(columns),
            "global": {table: kept_flags(item.global_tokens(table)) for table in tables},
            "pairs": pairs,
        } | keep_image(half, item)
        (half / INFO).write_text(json.dumps(info), encoding="utf-8")


def _of_ids(loaded: LoadedModel, item: Any, table: str) -> dict[str, list[Any]]:
    """Columns of random tokens."""
    ids = list(item.side(table).ids)
    names = loaded.tokenizer.convert_ids_to_tokens(ids)
    texts = [loaded.tokenizer.decode([id_]) for id_ in ids]
    return {"token": names, "text": texts, "special": [False] * len(ids)}
