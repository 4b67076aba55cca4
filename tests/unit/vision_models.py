"""Tiny vision transformers of every architecture that is captured, with the image processors that go with them."""

import json
from pathlib import Path

import numpy as np
import torch
import transformers as t
from PIL import Image

TINY = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, "image_size": 48,
    "patch_size": 16,
}  # fmt: skip
DINO = {**TINY, "patch_size": 14, "image_size": 56}
TEXT = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
CLS = ("[CLS]",)
REGISTERS = (*CLS, "[REG1]", "[REG2]", "[REG3]", "[REG4]")
# name: (makes the model, its image processor, names of its special tokens)
CAPTURED = {
    "vit": (lambda: t.ViTModel(t.ViTConfig(**TINY)), "ViTImageProcessor", CLS),
    "deit": (lambda: t.DeiTModel(t.DeiTConfig(**TINY)), "ViTImageProcessor", ("[CLS]", "[DIST]")),
    "dinov2": (lambda: t.Dinov2Model(t.Dinov2Config(**DINO)), "BitImageProcessor", CLS),
    "dinov2 with registers": (
        lambda: t.Dinov2WithRegistersModel(t.Dinov2WithRegistersConfig(**DINO, num_register_tokens=4)),
        "BitImageProcessor",
        REGISTERS,
    ),
    "dinov3": (
        lambda: t.DINOv3ViTModel(t.DINOv3ViTConfig(**TINY, num_register_tokens=4)),
        "DINOv3ViTImageProcessorFast",
        REGISTERS,
    ),
    "clip": (lambda: t.CLIPModel(t.CLIPConfig(vision_config=TINY, text_config=TEXT)), "CLIPImageProcessor", CLS),
    "clip tower": (lambda: t.CLIPVisionModel(t.CLIPVisionConfig(**TINY)), "CLIPImageProcessor", CLS),
    "siglip": (
        lambda: t.SiglipModel(t.SiglipConfig(vision_config=TINY, text_config=TEXT)),
        "SiglipImageProcessor",
        (),
    ),
    "beit": (lambda: t.BeitModel(t.BeitConfig(**TINY, use_relative_position_bias=True)), "BeitImageProcessor", CLS),
    "beit, shared bias": (
        lambda: t.BeitModel(t.BeitConfig(**TINY, use_shared_relative_position_bias=True)),
        "BeitImageProcessor",
        CLS,
    ),
}
REFUSED = {
    "swin": (
        lambda: t.SwinModel(
            t.SwinConfig(image_size=64, patch_size=4, embed_dim=16, depths=[1, 1], num_heads=[1, 2], window_size=4)
        ),
        "attends within windows",
    ),
    "masked autoencoder": (lambda: t.ViTMAEModel(t.ViTMAEConfig(**TINY)), "hides three of four patches"),
    "yolos": (
        lambda: t.YolosModel(t.YolosConfig(**{**TINY, "image_size": [48, 48]})),
        "a hundred tokens for objects",
    ),
}


def save(make, processor: str, folder: Path, **changes) -> Path:
    """A model with weights large enough for uneven attention, and its image processor, as a folder."""
    torch.manual_seed(0)
    model = make()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    model.save_pretrained(folder)
    config = getattr(model.config, "vision_config", model.config)
    side = config.image_size if isinstance(config.image_size, int) else config.image_size[0]
    settings = {
        "image_processor_type": processor, "do_resize": True, "size": {"height": side, "width": side}, "resample": 3,
        "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True, "image_mean": [0.485, 0.456, 0.406],
        "image_std": [0.229, 0.224, 0.225], "do_center_crop": False,
    } | changes  # fmt: skip
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))
    return folder


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))
