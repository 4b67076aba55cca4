"""Random tokens that are said twice in the same order: what shows induction and duplicate heads."""

import numpy as np

from services.models.loading import LoadedModel

LENGTH, SEQUENCES = 50, 10  # TransformerLens, main demo: 10 sequences of 50 random tokens, said twice
LEAST_LENGTH = 4
SEED = 0


def sequences(loaded: LoadedModel) -> list[np.ndarray]:
    """int [2 · length] ids of plain tokens, each twice in the same order; none where the model takes too few."""
    length = min(LENGTH, loaded.max_tokens // 2)
    rng = np.random.default_rng(SEED)
    special = {id_ for id_ in loaded.tokenizer.all_special_ids if id_ is not None}
    known = min(len(loaded.tokenizer), int(loaded.model.get_input_embeddings().num_embeddings))
    plain = np.array(sorted(set(range(known)) - special))
    if length < LEAST_LENGTH or len(plain) < length:
        return []
    return [np.tile(rng.choice(plain, length, replace=False), 2) for _ in range(SEQUENCES)]
