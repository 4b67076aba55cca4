"""How Dash is told of the components of ours."""

import sys

from dash.development.base_component import ComponentRegistry


def register(module: str, namespace: str | None = None) -> None:
    """Have the scripts of a module served, and its namespace found.

    Dash looks for the scripts of the top-level package, `components`; they are the module's. And for each property of
    a component it imports the namespace, to name its version in an error: a name that stands for nothing would be
    searched for on the whole path each time, forty times a page.
    """
    ComponentRegistry.registry.add(module)
    if namespace:
        sys.modules.setdefault(namespace, sys.modules[module])
