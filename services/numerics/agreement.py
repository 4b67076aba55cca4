"""What is shared by everything that compares distance with score: the size of a sample, and why a value is missing."""

SAMPLE = 500  # queries, and points, that stand for all
NOT_FINITE = "the map holds positions that are not finite"
FEW_PAIRS = "no input has three tokens or more, so there is no order of keys to compare"
EQUAL_SCORES = "all dot products, or all distances, are equal"
