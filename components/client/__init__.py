"""What all views of the browser share: fetched data and wishes for it, numbers of layers, sets of heads. No component.

Plain JavaScript that hangs on one object, `window.atlas_client`; a component that uses it imports this package, so
that Dash serves its scripts with the component's.
"""

from components.registered import register

__version__ = "0.1.0"

SCRIPTS = ("fetch_cache.js", "wishes.js", "layers.js", "head_sets.js")
_js_dist = [{"relative_package_path": name, "namespace": __name__} for name in SCRIPTS]
register(__name__)
