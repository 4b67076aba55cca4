"""Models, atlases, projections, payloads: everything that is not a web page. No dash, flask, plotly."""
