"""The door before Dash's callbacks: a post that is no call of one of them gets a 400 with a reason, not a traceback.

Dash reads the body of a callback as its own browser part writes it and fails in many places when it is anything else.
What the values of a call are is each callback's own business; here only its form is checked, and the values of the
page router, which is Dash's.
"""

from collections.abc import Mapping
from typing import Any

from dash import Dash, Output
from dash.exceptions import DashException
from flask import Response, request

ROUTER = "_pages_location"
LONGEST_ADDRESS = 64_000  # browsers and servers stop far below


def guard_callbacks(app: Dash, path: str) -> None:
    """Check each post to `path` before Dash reads it."""

    @app.server.before_request
    def check() -> Response | None:
        if request.method != "POST" or request.path != path:
            return None
        try:
            body = request.get_json(force=True, silent=True)
        except RecursionError:  # brackets in brackets
            body = None
        problem = _problem(body, app.callback_map)
        return None if problem is None else Response(problem, 400, mimetype="text/plain")


def _problem(body: Any, known: Mapping[str, Mapping[str, Any]]) -> str | None:
    if not isinstance(body, dict):
        return "This is no call of a callback: a JSON object is needed."
    callback = known.get(body["output"]) if isinstance(body.get("output"), str) else None
    if callback is None or "callback" not in callback:  # others are the browser's own
        return "There is no such callback."
    outputs = body.get("outputs", [])
    parts = [*_list(body.get("inputs")), *_list(body.get("state", [])), *(_list(outputs, single=True))]
    if not all(_is_part(part) for part in parts):
        return "Inputs, state and outputs must be lists of an id and a property each."
    if not _fits(body, callback):
        return "Inputs, state and outputs must be those of the callback."
    changed = body.get("changedPropIds", [])
    if not isinstance(changed, list) or not all(isinstance(name, str) and "." in name for name in changed):
        return "changedPropIds must be a list of names."
    addresses = [part.get("value") for part in parts if isinstance(part, dict) and part.get("id") == ROUTER]
    return None if all(value is None or _is_address(value) for value in addresses) else "This is no address of a page."


def _fits(body: dict[str, Any], callback: Mapping[str, Any]) -> bool:
    """Whether all parts are there, in the order in which the callback has them; Dash counts on it."""
    for name in ("inputs", "state"):
        given = body.get(name, [])
        if len(given) != len(callback[name]) or not all(map(_is_of, given, callback[name])):
            return False
    if callback.get("no_output"):
        return True
    wanted, given = callback["output"], body.get("outputs")
    if not isinstance(wanted, list | tuple):
        wanted, given = [wanted], [given]
    return isinstance(given, list) and len(given) == len(wanted) and all(map(_is_output, given, wanted))


def _is_of(part: Any, declared: Mapping[str, Any]) -> bool:
    """Whether a part is what was declared; one that is declared by a pattern is one or all that match it."""
    if declared["id"].startswith("{"):
        return True
    return isinstance(part, dict) and (part["id"], part["property"]) == (declared["id"], declared["property"])


def _is_output(part: Any, declared: Output) -> bool:
    if isinstance(part, list) and not declared.has_wildcard():
        return False
    parts = part if isinstance(part, list) else [part]
    try:
        return all(Output(one["id"], one["property"].split("@")[0]) == declared for one in parts)
    except (TypeError, ValueError, AttributeError, DashException):  # ids of other kinds than Dash has
        return False


def _list(value: Any, *, single: bool = False) -> list[Any]:
    """A list as it is; with `single`, one part as a list of it; None, which is no part, for anything else."""
    if isinstance(value, list):
        return value
    return [value] if single and isinstance(value, dict) else [None]


def _is_part(part: Any) -> bool:
    if isinstance(part, list):  # all matches of a pattern
        return all(_is_part(one) for one in part)
    return isinstance(part, dict) and isinstance(part.get("id"), str | dict) and isinstance(part.get("property"), str)


def _is_address(value: Any) -> bool:
    if not isinstance(value, str) or len(value) > LONGEST_ADDRESS:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:  # half a character
        return False
    return True
