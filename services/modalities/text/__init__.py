"""Text: tokens, their marks, parts of speech."""
