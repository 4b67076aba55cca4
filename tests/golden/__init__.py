"""Golden records: what every payload route and every export answers for two small atlases, so that a change of code
that should change nothing can be told from one that does.

    python -m tests.golden            write tests/golden/payloads.json anew
    python -m tests.golden --check    say what differs, and write nothing

`atlases.py` makes the atlases from whole numbers, without a model, a random generator or BLAS: the same bytes on every
machine. `record.py` asks and digests. tests/app/test_golden.py compares. Write the record anew only when an answer is
meant to change, and say so in the commit.
"""
