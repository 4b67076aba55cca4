"""The page "Scaling"."""
