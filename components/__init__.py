"""Functions that return Dash components, and our own components."""
