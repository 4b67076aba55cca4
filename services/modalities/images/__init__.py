"""Images as a kind of input: files in, patches as tokens."""
