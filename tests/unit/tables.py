"""A stand-in for an atlas that has a token table and nothing else."""

import numpy as np

from services.atlas import TokenTable


class OneTable:
    """Inputs are lists of (token, word, special); the text of a token is the token itself."""

    def __init__(self, *inputs: list[tuple[str, int, bool]]) -> None:
        rows = [row for tokens in inputs for row in tokens]
        counts = [len(tokens) for tokens in inputs]
        self.table = TokenTable(
            token=[token for token, _, _ in rows],
            text=[token for token, _, _ in rows],
            input=np.repeat(np.arange(len(inputs), dtype=np.int32), counts),
            position=np.concatenate([np.arange(n, dtype=np.int32) for n in counts]),
            special=np.array([special for _, _, special in rows], bool),
            columns={"word": np.array([word for _, word, _ in rows], np.int32)},
            offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32),
        )

    def tokens(self, table: str = "tokens") -> TokenTable:
        if table != "tokens":
            raise KeyError(table)
        return self.table


SAMPLE = OneTable(
    [("[CLS]", -1, True), ("The", 0, False), ("un", 1, False), ("##believ", 1, False), ("##able", 1, False),
     ("cat", 2, False), (",", 3, False), ("the", 4, False), ("[SEP]", -1, True)],
    [("[CLS]", -1, True), ("\u2581Stra\u00dfe", 0, False), ("able", 1, False), ("##", 2, False), ("_", 3, False),
     ("[SEP]", -1, True)],
)  # fmt: skip
