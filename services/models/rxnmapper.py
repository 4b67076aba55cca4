"""RXNMapper's ALBERT out of the package rxnmapper: chemical reactions as text, as a folder that transformers loads."""

import json
from pathlib import Path
from typing import Any

import numpy as np

FILE = "rxnmapper/models/transformers/albert_heads_8_uspto_all_1310k/pytorch_model.bin"
SHA256 = "8541f3f500dae71abe678d546bd035ca946e2d1c819f6b2cf41a97faedd7e6a2"
CARD = f"""# RXNMapper's ALBERT, as packaged in rxnmapper

The weights are those of the package rxnmapper 0.4.3 from the Python package index (licence MIT,
https://github.com/rxn4chemistry/rxnmapper), file {FILE}, SHA-256 {SHA256}:
an ALBERT of 12 layers that share one set of weights, trained on chemical reactions written as SMILES (Schwaller et al.
2021, "Extraction of organic chemistry grammar from unsupervised learning of chemical reactions"). Attention Atlas
turned the file into this folder; no number was changed. Its tokenizer is the package's, written as tokenizer.json.
"""
# How the package cuts a reaction (rxnmapper/smiles_utils.py, SMI_REGEX_PATTERN).
PATTERN = r"(\[[^\]]+]|Br?|Cl?|N|O|S|P|F|I|b|c|n|o|s|p|\(|\)|\.|=|#|-|\+|\\|\/|:|~|@|\?|>>?|\*|\$|\%[0-9]{2}|[0-9])"
_SPECIAL = {"unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]"}
_MASK = {"mask_token": "[MASK]"}


def convert(data: bytes, folder: Path, beside: Path) -> None:
    """Write config.json, weights, tokenizer and a card into an empty folder.

    data: the weights, pickled, read by PyTorch's restricted unpickler · beside: the package's own folder of the model.
    Raises: OSError.
    """
    import io

    import torch
    from safetensors.numpy import save_file

    tensors = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    arrays = {name: np.ascontiguousarray(value.numpy()) for name, value in tensors.items()}
    save_file(arrays, folder / "model.safetensors", {"format": "pt"})
    (folder / "config.json").write_bytes((beside / "config.json").read_bytes())
    pieces = (beside / "vocab.txt").read_text(encoding="utf-8").splitlines()
    tokenizer(pieces).save(str(folder / "tokenizer.json"))
    names = {"tokenizer_class": "PreTrainedTokenizerFast", **_SPECIAL, **_MASK, "model_max_length": 512}
    (folder / "tokenizer_config.json").write_text(json.dumps(names, indent=1), encoding="utf-8")
    (folder / "README.md").write_text(CARD, encoding="utf-8")


def tokenizer(pieces: list[str]) -> Any:
    """One token for each match of PATTERN, between [CLS] and [SEP]; other characters are unknown tokens."""
    from tokenizers import AddedToken, Regex, Tokenizer, models, pre_tokenizers, processors

    numbers = {piece: number for number, piece in enumerate(pieces)}
    found = Tokenizer(models.WordLevel(numbers, unk_token="[UNK]"))
    found.pre_tokenizer = pre_tokenizers.Split(Regex(PATTERN), "isolated")
    found.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[(name, numbers[name]) for name in ("[CLS]", "[SEP]")]
    )
    special = [*_SPECIAL.values(), *_MASK.values()]
    found.add_special_tokens([AddedToken(piece, special=True, normalized=False) for piece in special])
    return found
