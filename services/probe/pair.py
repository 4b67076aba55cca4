"""Why a pair, asked of the model itself: every term of the score, its projections' own directions, what W_O reads."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from services.atlas import Atlas
from services.capture.adapters import has_hand, recording, seat
from services.capture.inside import Inside, moved, terms_apart
from services.capture.own_code import undone
from services.capture.recorder import Call
from services.modalities.registry import modality_named
from services.models.loading import LoadedModel
from services.numerics.bilinear import own_basis
from services.probe.question import PairQuestion, check_token
from services.probe.read_again import input_of

MOST = 6  # directions told one by one
TERMS = {"c2p": "content of the query with the place of the key", "p2c": "place of the query with content of the key"}
ADDED = "added for the place of the key"
_HIDDEN = -1e30  # a mask hides with less than this
_BY_HEAD = "Its projections cannot be seen apart: something stands between them and q·k that changes lengths."
_OWN_CODE = "Its projections cannot be seen apart: its attention is worked out in code of its own."


def explain(
    atlas: Atlas,
    loaded: LoadedModel,
    question: PairQuestion,
    most_tokens: int,
    check: Callable[[], None],
    folder: Path | None = None,
) -> dict[str, Any]:
    """JSON of what the model itself tells of a pair; see docs/why.md. folder: of probes, for images that readers bring.

    Raises:
        ProbeError: there is no such token, or the text cannot be run.
    """
    stream = question.checked(atlas, most_tokens)
    item, _ = input_of(atlas, loaded, question, most_tokens, check, folder)
    counts = [item.lengths[table] for table in stream.tables]
    check_token("query", question.query, counts[0])
    check_token("key", question.key, counts[1])
    check()
    inside = Inside(*seat(stream, loaded.streams, question.layer))
    seen: dict[str, torch.Tensor] = {}
    arguments = modality_named(loaded.modality).arguments(loaded, [item])
    own_hand = has_hand(loaded.model)
    with recording(loaded.model, keep_masks=True, hand=inside) as record, undone() as undo:
        if not own_hand:
            module = _attention_module(loaded.model, question.layer)
            if module is not None:
                terms_apart(module, undo, seen)
        with inside.looking(loaded.model):
            loaded.model(**arguments)
    call = record.calls(inside.stream)[inside.layer]
    place = question.head, question.query, question.key
    found = _steps(call, place, stream.group, seen)
    found["basis"] = _directions(inside, question, stream.group, call.scaling)
    found["why_no_basis"] = "" if found["basis"] else _BY_HEAD if own_hand else _OWN_CODE
    found["moved"] = _moved(inside, call, place, stream.group)
    return found


def _attention_module(model: Any, layer: int) -> Any:
    """The layer's module that adds terms of its own, as DeBERTa's; None elsewhere."""
    found = [module for module in model.modules() if hasattr(module, "pos_att_type") and hasattr(module, "pos_dropout")]
    return found[layer] if layer < len(found) else None


def _steps(call: Call, place: tuple[int, int, int], group: int, seen: dict[str, torch.Tensor]) -> dict[str, Any]:
    """From q·k to the share, each term of its own, as the model's layer has it."""
    head, query, key = place
    q = call.queries[0, head, query].double()
    keys = call.keys[0, head // group].double()
    scores = keys @ q * call.scaling
    capped = scores if call.softcap is None else torch.tanh(scores / call.softcap) * call.softcap
    totals, terms = capped.clone(), []
    for kind, term in seen.items():
        row = term.reshape(-1, call.queries.shape[1], *term.shape[-2:])[0, head, query].double()
        terms.append((TERMS[kind], float(row[key])))
    if call.bias is not None:
        row = _row(call.bias, head, query, len(keys)).double()
        totals = totals + row
        if not seen and bool(call.bias.any()):
            terms.append((ADDED, float(row[key])))
    hidden = torch.zeros(len(keys), dtype=torch.bool)
    if call.mask is not None:
        row = _row(call.mask, head, query, len(keys))
        hidden = ~row if row.dtype == torch.bool else row.double() < _HIDDEN
        if row.dtype != torch.bool:
            soft = torch.where(hidden, 0.0, row.double())
            if bool(soft.any()):
                terms.append(("added by the mask", float(soft[key])))
                totals = totals + soft
    totals = torch.where(hidden, -torch.inf, totals)
    top = float(totals.max())
    sink = None if call.sinks is None else float(call.sinks.detach().reshape(-1)[head])
    powers = torch.exp(totals - top)
    whole = float(powers.sum()) + (0.0 if sink is None else float(np.exp(sink - top)))
    return {
        "dot": float(keys[key] @ q),
        "scaling": float(call.scaling),
        "score": float(scores[key]),
        "capped": None if call.softcap is None else float(capped[key]),
        "cap": call.softcap,
        "terms": [[name, value] for name, value in terms],
        "hidden": bool(hidden[key]),
        "total": None if hidden[key] else float(totals[key]),
        "sink": sink,
        "share": float(powers[key]) / whole if whole else 0.0,
        "weight": float(_weights(call)[head, query, key]),
    }


def _weights(call: Call) -> torch.Tensor:
    """[heads, n_q, n_k]; a stream without is not asked about (services.probe.question)."""
    assert call.attention is not None
    return call.attention[0]


def _row(term: torch.Tensor, head: int, query: int, keys: int) -> torch.Tensor:
    """[keys] of a term [B or 1, heads or 1, n_q or 1, n_k]."""
    one = term[0]
    one = one[head if one.shape[0] > 1 else 0]
    return one[query if one.shape[0] > 1 else 0][:keys].detach().cpu()


def _directions(inside: Inside, question: PairQuestion, group: int, scaling: float) -> dict[str, Any] | None:
    """The parts of q·k in the singular directions of W_Qᵀ W_K, before any rotation; what the rotation adds apart."""
    asks, answers = inside.queries, inside.keys
    if asks is None or answers is None:
        return None
    sides = (asks, question.head, question.query), (answers, question.head // group, question.key)
    query, key = (side.vectors[head, place].double().cpu().numpy() for side, head, place in sides)
    w_query, w_key = (side.weight[head].double().cpu().numpy() for side, head, _ in sides)
    basis = own_basis(w_query @ w_query.T, w_key @ w_key.T)
    parts = basis.parts(query, key) * scaling
    content = float(query @ key) * scaling
    order = np.argsort(-np.abs(parts), kind="stable")
    told = order[:MOST]
    return {
        "content": content,
        "turned": asks.turned,
        "parts": [[int(number) + 1, float(parts[number])] for number in told],
        "others": len(parts) - len(told),
        "rest": content - float(parts[told].sum()),
    }


def _moved(inside: Inside, call: Call, place: tuple[int, int, int], group: int) -> dict[str, Any] | None:
    """‖α W_O v‖ of the pair among the keys of its query."""
    if inside.out is None or inside.value is None:
        return None
    head, query, key = place
    found = moved(_weights(call)[head, query], inside.out, inside.value, head, group).double().cpu().numpy()
    return {
        "norm": float(found[key]),
        "share": float(found[key] / max(found.sum(), 1e-300)),
        "rank": 1 + int((found > found[key]).sum()),
        "keys": len(found),
        "most": int(found.argmax()),
    }
