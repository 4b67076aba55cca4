"""Why models are refused, for those that no adapter accepts: one line that many will read."""

from typing import Any

# Why models that many will try are refused; the others get the general reason.
ALIBI = "it adds a penalty for distance (ALiBi) to q·k inside its own code"
ROTARY = "its own attention code gives no queries and keys as they are dotted"
WINDOWS = "it attends within windows, and joins patches between layers: its layers do not share one set of tokens"
REASONS = {
    "big_bird": "it attends in sparse blocks, not token to token",
    "bigbird_pegasus": "it attends in sparse blocks, not token to token",
    "bloom": ALIBI,
    "codegen": ROTARY,
    "deberta": "its scores mix content and position vectors (disentangled attention) and are not one q·k",
    "deberta-v2": "its scores mix content and position vectors (disentangled attention) and are not one q·k",
    "esm": ROTARY,
    "falcon": ROTARY,
    "funnel": "it shortens the input between layers",
    "gpt_neo": "its own attention code, global and local layers in turn, is not supported",
    "gptj": ROTARY,
    "longformer": "it attends within local windows, with separate queries and keys for global tokens",
    "mamba": "it has no attention",
    "mamba2": "it has no attention",
    "mpnet": "it adds a position bias to q·k inside its own code",
    "mpt": ALIBI,
    "reformer": "it attends within hashed buckets, and queries are its keys",
    "rwkv": "it has no attention",
    "donut-swin": WINDOWS,
    "focalnet": "it has no attention from token to token",
    "hiera": WINDOWS,
    "levit": WINDOWS,
    "maskformer-swin": WINDOWS,
    "mobilevit": "it attends between pixels of patches, and not between patches",
    "mobilevitv2": "it attends between pixels of patches, and not between patches",
    "pvt": WINDOWS,
    "pvt_v2": WINDOWS,
    "segformer": WINDOWS,
    "siglip2": "it is given patches of any shape already cut, which is not supported yet",
    "siglip2_vision_model": "it is given patches of any shape already cut, which is not supported yet",
    "swin": WINDOWS,
    "swin2sr": WINDOWS,
    "swinv2": WINDOWS,
    "vit_mae": "it hides three of four patches at random",
    "yolos": "it attends with a hundred tokens for objects besides its patches",
    "xlnet": "its scores add terms for relative position to q·k inside its own code",
}
NOT_YET = "and only models of text and of images are supported yet"


def why_not(config: Any, model_class: Any) -> str:
    """Why a model of this configuration cannot be captured, as the end of a sentence that begins with its name."""
    from transformers import __version__

    cannot = "cannot be captured:"
    if config.is_encoder_decoder:
        return "is an encoder–decoder, which is not supported yet."
    if config.model_type in REASONS:
        return f"{cannot} {REASONS[config.model_type]}."
    if _joins_networks(config):
        return f"{cannot} it joins several networks, {NOT_YET}."
    return f"{cannot} its code in transformers {__version__} does not pass its attention through AttentionInterface."


def refused(config: Any) -> bool:
    """Whether a configuration is one whose attention the interface would show wrongly, or not at all."""
    return config.is_encoder_decoder or config.model_type in REASONS or _joins_networks(config)


def _joins_networks(config: Any) -> bool:
    return any(getattr(config, part, None) is not None for part in config.sub_configs)
