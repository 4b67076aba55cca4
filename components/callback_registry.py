"""Callbacks of modules that Python imports once, for every app of a process.

Dash hands each callback that was registered globally to the first app that serves; pages are imported anew for a
second app, the components they use are not. So what was registered is kept, and given to each app.
"""

from typing import Any

from dash import _callback

_kept: dict[str, tuple[dict[str, Any], Any]] = {}


def share_callbacks() -> None:
    """Call once for each app, after its pages were imported and before it serves."""
    listed = {entry["output"]: entry for entry in _callback.GLOBAL_CALLBACK_LIST}
    _kept.update({output: (entry, _callback.GLOBAL_CALLBACK_MAP.get(output)) for output, entry in listed.items()})
    _callback.GLOBAL_CALLBACK_LIST[:] = [entry for entry, _ in _kept.values()]
    for output, (_, handler) in _kept.items():
        if handler is not None:
            _callback.GLOBAL_CALLBACK_MAP.setdefault(output, handler)
