"""Find tokens and choose sets of them: queries, patterns, hits, sets, the token table."""
