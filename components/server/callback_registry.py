"""Callbacks of modules that Python imports once, for every app of a process.

Dash hands each callback that was registered globally to the first app that serves; pages are imported anew for a
second app, the components they use are not. So what was registered is kept, and given to each app at once: two apps
that are made before either serves get their own as well.
"""

from typing import Any

from dash import Dash, _callback

_kept: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}


def share_callbacks(app: Dash) -> None:
    """Call once for each app, after its pages were imported and before it serves."""
    for entry in _callback.GLOBAL_CALLBACK_LIST:
        output = entry["output"]
        _kept[output] = (entry, _callback.GLOBAL_CALLBACK_MAP[output])
    _callback.GLOBAL_CALLBACK_LIST.clear()
    _callback.GLOBAL_CALLBACK_MAP.clear()
    for output, (entry, handler) in _kept.items():
        app._callback_list.append(dict(entry))
        app.callback_map[output] = dict(handler)
