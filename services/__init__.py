"""Models, atlases, projections, payloads: everything that is not a web page. No dash, flask, plotly."""

__version__ = "0.1.0"  # the one place: pyproject.toml reads it, atlases record it
