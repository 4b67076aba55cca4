"""A reader's own input, run live by the atlas's model and placed into its maps; nothing of it enters the atlas.

asked.py says what is asked and whether it may be, kept.py keeps what was found in the cache and reads it again. Both
are light: the web process imports them. models.py, seen.py and placed.py do the work, in the warm process of the kind
of job "probe" alone; compare.py ranks heads by how differently they attend on two probes.
"""
