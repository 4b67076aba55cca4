"""Why models are refused, for those that no adapter accepts: one line that many will read."""

from typing import Any

# Why models that many will try are refused; the others get the general reason.
WINDOWS = "it attends within windows, and joins patches between layers: its layers do not share one set of tokens"
DILATED = "its windows leave tokens out (attention_dilation), which transformers does not compute"
REASONS = {
    "big_bird": "it attends in sparse blocks, not token to token",
    "bigbird_pegasus": "it attends in sparse blocks, not token to token",
    "deberta": "it mixes the scores of its heads (talking heads)",
    "funnel": "it shortens the input between layers",
    "led": DILATED,
    "longt5": "its encoder attends within blocks of neighbours, not token to token",
    "pegasus_x": "its encoder attends within blocks of neighbours, not token to token",
    "longformer": DILATED,
    "mamba": "it has no attention",
    "mamba2": "it has no attention",
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
}
NOT_YET = "and only models of text and of images are supported yet"


def why_not(config: Any, model_class: Any) -> str:
    """Why a model of this configuration cannot be captured, as the end of a sentence that begins with its name."""
    from transformers import __version__

    cannot = "cannot be captured:"
    if config.model_type in REASONS:
        return f"{cannot} {REASONS[config.model_type]}."
    if config.is_encoder_decoder and not _writes(config):
        return f"{cannot} its config.json says that it writes one text while reading another, and it has no decoder."
    if _joins_networks(config):
        return f"{cannot} it joins several networks, {NOT_YET}."
    return f"{cannot} its code in transformers {__version__} does not pass its attention through AttentionInterface."


def refused(config: Any) -> bool:
    """Whether a configuration is one whose attention the interface would show wrongly, or not at all."""
    return config.model_type in REASONS or _joins_networks(config)


def _writes(config: Any) -> bool:
    from transformers import MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING

    return type(config) in MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING


def _joins_networks(config: Any) -> bool:
    return any(getattr(config, part, None) is not None for part in config.sub_configs)
