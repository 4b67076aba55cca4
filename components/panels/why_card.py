"""What the tab Why says of a pair: steps of the softmax, what its score is made of, where it stands, what it moves."""

from collections.abc import Mapping, Sequence
from typing import Any

from dash import html

from services.payloads.why import Part, Standing, Step, largest

TOLD = 8  # parts of a score that are told one by one
Line = tuple[str, tuple[str, float | None], str]  # name, the number as shown and in full, what is said of it


def heading(query: str, key: str, name: str) -> html.H2:
    return html.H2(
        ["Why ", html.Bdi(f"“{query}”"), " → ", html.Bdi(f"“{key}”"), f" in {name}?"], className="facts-title"
    )


def steps(step: Step, hides: str) -> list[Any]:
    """From q·k to the share of attention."""
    rows: list[Line] = [("q·k", _num(step.dot), "")]
    rows.append(("× the layer's factor", _num(step.score), f"{step.score / step.dot:.4g} × q·k" if step.dot else ""))
    if step.added is not None:
        rows.append(("+ for the place of the key", _num(step.added), "a bias that the model has learnt, or ALiBi's"))
        rows.append(("= score", _num(step.total), ""))
    if not step.visible:
        return [
            _table(rows),
            html.P(f"{_capital(hides)} hides this key from the query: its share is 0.", className="why-said"),
        ]
    rows.append(("− the query's largest score", _num(step.total - step.top), f"that is {number(step.top)}"))
    rows.append(("exp", _num(step.power), f"of {number(step.whole)}, the sum over {_keys(step.keys)}"))
    share = "softmax of the scores" if step.weight is None or step.hidden_terms else _agreeing(step)
    rows.append(("= share of the attention", _pct(step.share), share))
    if step.hidden_terms:
        told = "" if step.weight is None else f" The model's own share is {percent(step.weight)}."
        note = f"The model adds more to its scores than the atlas knows: ask the model for the terms below.{told}"
        return [_table(rows), html.P(note, className="why-said")]
    return [_table(rows)]


def _agreeing(step: Step) -> str:
    assert step.weight is not None
    return "the model's own ✓" if step.agrees else f"the model's own: {percent(step.weight)}"


def stands(step: Step, standing: Standing) -> list[Any]:
    """Ranks, in words."""
    if not step.visible:
        return []
    told = [
        html.Li(
            "The only key that this query sees in this input."
            if step.keys == 1
            else f"{ordinal(step.rank)} of the {step.keys} keys that this query sees in this input."
        ),
        html.Li(
            f"{ordinal(standing.rank)} by q·k of {standing.keys:,} keys of all inputs: how well the key would do if"
            " this query saw them all."
        ),
    ]
    if standing.weaker is not None:
        told.append(
            html.Li(
                f"Stronger than {percent(standing.weaker)} of {standing.pairs:,} pairs of this head in"
                f" {standing.inputs} inputs."
            )
        )
    return [html.H3("How strong is that?"), html.Ul(told, className="why-list")]


def moves(step: Step) -> list[Any]:
    """Attention by what is read."""
    if not step.visible:
        return []
    return [
        html.H3("What it reads"),
        html.P(
            f"‖α·v‖ = {number(step.moved)}: the share times the length of the key's value vector ({number(step.norm)})."
            f" That is {percent(step.moved_share)} of all that this query reads here, {ordinal(step.moved_rank)} of its"
            " keys.",
            className="facts-note",
        ),
    ]


def made_of(title: str, note: str, parts: Sequence[Part], total: float, is_open: bool = False) -> html.Details:
    """Parts of a score, the largest first, with what is left and their sum."""
    told, rest = largest(list(parts), TOLD)
    return html.Details(
        [
            html.Summary(title),
            html.P(note, className="facts-note"),
            bars([(part.name, part.value, _alike(part)) for part in told], rest.value if rest else None, total, rest),
        ],
        className="why-parts",
        open=is_open,
    )


def _alike(part: Part) -> str:
    if not part.asks:
        return ""
    return f"queries like {', '.join(part.asks)} · keys like {', '.join(part.answers)}"


def bars(told: Sequence[tuple[str, float, str]], rest: float | None, total: float, name: Part | None) -> html.Table:
    """Rows of a signed bar and a number; the last one is their sum."""
    most = max((abs(value) for _, value, _ in told), default=0.0) or 1.0
    rows = [
        html.Tr(
            [
                html.Th([html.Span(label), *([html.Small(html.Bdi(says))] if says else [])], scope="row"),
                html.Td(_bar(value / most), **{"aria-hidden": "true"}),
                _value(signed(value), value),
            ]
        )
        for label, value, says in told
    ]
    if rest is not None and name is not None:
        rows.append(html.Tr([html.Th(name.name, scope="row"), html.Td(), _value(signed(rest), rest)]))
    rows.append(html.Tr([html.Th("sum", scope="row"), html.Td(), _value(signed(total), total)], className="why-sum"))
    return html.Table(html.Tbody(rows), className="why-bars")


def _bar(share: float) -> html.Div:
    side = "why-plus" if share >= 0 else "why-minus"
    return html.Div(html.Div(className=side, style={"width": f"{50 * min(1.0, abs(share)):.1f}%"}), className="why-bar")


def of_the_model(found: Mapping[str, Any], texts: Sequence[str]) -> list[Any]:
    """The answer of services.probe.pair. texts: of the keys of the input."""
    rows: list[Line] = [("q·k × factor", _num(found["score"]), "")]
    if found["capped"] is not None:
        rows.append(("soft cap", _num(found["capped"]), f"{found['cap']:g} · tanh(score / {found['cap']:g})"))
    rows += [(f"+ {name}", (signed(value), value), "") for name, value in found["terms"]]
    if found["hidden"]:
        rows.append(("mask", ("hidden", None), "this key is out of the query's sight"))
    else:
        rows.append(("= score", _num(found["total"]), ""))
    if found["sink"] is not None:
        rows.append(("a sink beside the keys", _num(found["sink"]), "one more score in the softmax, of no token"))
    rows.append(("share", _pct(found["share"]), f"the model's own: {percent(found['weight'])}"))
    body: list[Any] = [html.H3("The model's own terms"), _table(rows)]
    body += _basis(found)
    return body + _read(found, texts)


def _basis(found: Mapping[str, Any]) -> list[Any]:
    basis = found["basis"]
    if basis is None:
        return [html.P(found["why_no_basis"], className="facts-note")]
    body: list[Any] = []
    if basis["turned"]:
        turn = found["score"] - basis["content"]
        body += [
            html.H3("Content and position"),
            bars(
                [("content: q·k before the rotation", basis["content"], ""), ("what the rotation adds", turn, "")],
                None, found["score"], None,
            ),
        ]  # fmt: skip
    what = "the content" if basis["turned"] else "the score"
    told = [(f"direction {number}", value, "") for number, value in basis["parts"]]
    rest = Part(f"the other {basis['others']} together", basis["rest"])
    some = basis["others"] > 0 or abs(basis["rest"]) > 1e-6
    return [
        *body,
        html.H3("In the head's own directions"),
        html.P(
            f"Singular vectors of W_Qᵀ W_K, what this head was built to compare, by number (1 is the largest); they sum"
            f" to {what}.",
            className="facts-note",
        ),
        bars(told, rest.value if some else None, basis["content"], rest),
    ]


def _read(found: Mapping[str, Any], texts: Sequence[str]) -> list[Any]:
    moved = found["moved"]
    if moved is None:
        return []
    most = "" if moved["rank"] == 1 else f" Most is read from “{texts[moved['most']]}”."
    return [
        html.H3("What it writes"),
        html.P(
            f"‖α·W_O v‖ = {number(moved['norm'])} (Kobayashi et al. 2020): {percent(moved['share'])} of what this query"
            f" gets from its {moved['keys']} keys through this head, {ordinal(moved['rank'])} of them.{most}",
            className="facts-note",
        ),
    ]


# --- words and numbers ------------------------------------------------------------------------------------------------


def _table(rows: Sequence[Line]) -> html.Table:
    lines = [
        html.Tr([html.Th(name, scope="row"), _value(*value), html.Td(html.Small(says))]) for name, value, says in rows
    ]
    return html.Table(html.Tbody(lines), className="why-steps")


def _value(shown: str, value: float | None) -> html.Td:
    """A number as it is read, and in full for the file that the Export menu makes."""
    return html.Td(shown, **({} if value is None else {"data-value": repr(float(value))}))


def _num(value: float) -> tuple[str, float]:
    return number(value), value


def _pct(share: float) -> tuple[str, float]:
    return percent(share), share


def number(value: float) -> str:
    size = abs(value)
    if size >= 1000 or (0 < size < 0.001):
        return f"{value:.3g}".replace("-", "−")
    return f"{value:.{1 if size >= 100 else 3}f}".replace("-", "−")


def signed(value: float) -> str:
    return number(value) if value < 0 else f"+{number(value)}"


def percent(share: float) -> str:
    shown = 100 * share
    if 0 < shown < 0.1:
        return f"{shown:.2g} %"
    return f"{min(shown, 99.9) if share < 1 else shown:.1f} %"


def ordinal(rank: int) -> str:
    if 10 <= rank % 100 <= 20:
        return f"{rank:,}th"
    return f"{rank:,}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(rank % 10, 'th') }"


def _keys(count: int) -> str:
    return "1 key" if count == 1 else f"{count} keys"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
