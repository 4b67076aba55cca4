"""Every architecture of text that is captured or refused: a tiny model of each, and what docs/models.md says of it.

tests/unit/test_architectures.py holds the table to what capture does; `python -m tools.architectures --write` writes it
into the document.
"""

from dataclasses import dataclass, field
from pathlib import Path

from tests.unit import tiny_models
from tests.unit.tiny_models import GROUPED, NO_ENDS, POSITIONS, SMALL

SELF, TWO_TEXTS, FOUR = ("self",), ("encoder", "decoder", "cross"), {"num_hidden_layers": 4}
ROTARY, LEARNED = "rotary", "learned"


@dataclass(frozen=True)
class Architecture:
    """One row.

    label: as people call it · config: class and arguments of a tiny one · tokenizer: of tiny_models
    positions: how it tells them · adds: what its scores hold besides q·k, in words; "": nothing
    mask: kind of its first stream's mask · layers: those that attend, where others do not
    remark: what a reader should know
    """

    label: str
    config: str
    arguments: dict = field(repr=False)
    tokenizer: str
    positions: str
    mask: str = "causal"
    adds: str = ""
    streams: tuple[str, ...] = SELF
    remark: str = ""
    layers: tuple[int, ...] = ()


GPT = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64, **NO_ENDS}
MLA = {
    **SMALL, **POSITIONS, **NO_ENDS, "num_key_value_heads": 4, "q_lora_rank": 8, "kv_lora_rank": 8,
    "qk_rope_head_dim": 4, "qk_nope_head_dim": 4, "v_head_dim": 8, "first_k_dense_replace": 2, "n_routed_experts": 2,
    "num_experts_per_tok": 1,
}  # fmt: skip
DEBERTA = {
    **SMALL, **POSITIONS, "relative_attention": True, "pos_att_type": ["c2p", "p2c"], "position_biased_input": False,
}  # fmt: skip
DISENTANGLED = "content with position, both ways"
T5 = {
    "d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_heads": 4, "num_decoder_layers": 3,
    "relative_attention_num_buckets": 8, "pad_token_id": 0, "eos_token_id": 2, "decoder_start_token_id": 0,
}  # fmt: skip
BART = {
    "d_model": 32, "encoder_layers": 2, "decoder_layers": 3, "encoder_attention_heads": 4, "decoder_attention_heads": 4,
    "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, **POSITIONS, **NO_ENDS, "decoder_start_token_id": 2,
}  # fmt: skip
HYBRID = {**GROUPED, "num_hidden_layers": 4}
LINEAR = {
    "linear_num_value_heads": 2, "linear_num_key_heads": 2, "linear_key_head_dim": 8, "linear_value_head_dim": 8
}  # fmt: skip
STATES = {
    "mamba_n_heads": 4, "mamba_d_head": 16, "mamba_d_state": 8, "mamba_n_groups": 1, "mamba_chunk_size": 8
}  # fmt: skip
EXPERTS = {"num_experts": 2, "num_experts_per_tok": 1, "moe_intermediate_size": 16}
BIAS = "a bias by distance, in encoder and decoder"
ALIBI = "a penalty for distance"
MIXED = [["global", "local"], 1]

ROWS: dict[str, Architecture] = {
    "bert": Architecture("BERT, MiniLM, mBERT", *tiny_models.ARCHITECTURES["bert"], LEARNED, "full"),
    "roberta": Architecture(
        "RoBERTa, XLM-RoBERTa, CamemBERT", *tiny_models.ARCHITECTURES["roberta"], LEARNED, "full"
    ),
    "distilbert": Architecture("DistilBERT", *tiny_models.ARCHITECTURES["distilbert"], LEARNED, "full"),
    "electra": Architecture("ELECTRA", *tiny_models.ARCHITECTURES["electra"], LEARNED, "full"),
    "albert": Architecture(
        "ALBERT", *tiny_models.ARCHITECTURES["albert"], LEARNED, "full", remark="layers that share weights stay apart"
    ),
    "modernbert": Architecture("ModernBERT", *tiny_models.ARCHITECTURES["modernbert"], ROTARY, "full"),
    "eurobert": Architecture("EuroBERT", "EuroBertConfig", GROUPED, "bytes", ROTARY, "full"),
    "nomic_bert": Architecture("NomicBERT", "NomicBertConfig", {**SMALL, **POSITIONS}, "wordpiece", ROTARY, "full"),
    "ernie": Architecture("ERNIE", "ErnieConfig", {**SMALL, **POSITIONS}, "wordpiece", LEARNED, "full"),
    "xmod": Architecture(
        "X-MOD",
        "XmodConfig",
        {**SMALL, **POSITIONS, "pad_token_id": 1, "default_language": "en_XX"},
        "bytes",
        LEARNED,
        "full",
    ),
    "esm": Architecture(
        "ESM-2",
        "EsmConfig",
        {**SMALL, **POSITIONS, "position_embedding_type": "rotary", "pad_token_id": 0, "mask_token_id": 4},
        "wordpiece",
        ROTARY,
        "full",
    ),
    "mpnet": Architecture(
        "MPNet",
        "MPNetConfig",
        {**SMALL, **POSITIONS, "pad_token_id": 1},
        "bytes",
        LEARNED,
        "full",
        "a bias by distance",
    ),
    "deberta": Architecture("DeBERTa", "DebertaConfig", DEBERTA, "wordpiece", "relative", "full", DISENTANGLED),
    "deberta-v2": Architecture(
        "DeBERTa v2, v3, mDeBERTa",
        "DebertaV2Config",
        {**DEBERTA, "position_buckets": 8, "share_att_key": True},
        "wordpiece",
        "relative",
        "full",
        DISENTANGLED,
    ),
    "xlnet": Architecture(
        "XLNet",
        "XLNetConfig",
        {"d_model": 32, "n_layer": 2, "n_head": 4, "d_inner": 48, **NO_ENDS},
        "wordpiece",
        "relative",
        "full",
        "content with distance and with segment",
        remark="queries hold the bias that content is asked with; without a permutation, as when it is used",
    ),
    "clip_text_model": Architecture(
        "CLIP, text tower saved alone", "CLIPTextConfig", {**SMALL, **POSITIONS, **NO_ENDS}, "bytes", LEARNED
    ),
    "gpt2": Architecture("GPT-2", *tiny_models.ARCHITECTURES["gpt2"], LEARNED),
    "gpt_bigcode": Architecture("StarCoder, SantaCoder", "GPTBigCodeConfig", GPT, "bytes", LEARNED),
    "gpt_neo": Architecture(
        "GPT-Neo",
        "GPTNeoConfig",
        {"hidden_size": 32, "num_layers": 2, "num_heads": 4, "window_size": 5, "attention_types": [MIXED],
         **POSITIONS, **NO_ENDS},
        "bytes",
        LEARNED,
        remark="local layers have weight 0 beyond their window",
    ),
    "gptj": Architecture("GPT-J", "GPTJConfig", {**GPT, "rotary_dim": 4}, "bytes", ROTARY),
    "codegen": Architecture("CodeGen", "CodeGenConfig", {**GPT, "rotary_dim": 4}, "bytes", ROTARY),
    "gpt_neox": Architecture("GPT-NeoX, Pythia", *tiny_models.ARCHITECTURES["gpt_neox"], ROTARY),
    "opt": Architecture("OPT", *tiny_models.ARCHITECTURES["opt"], LEARNED),
    "biogpt": Architecture("BioGPT", "BioGptConfig", {**SMALL, **POSITIONS, **NO_ENDS}, "bytes", LEARNED),
    "ctrl": Architecture(
        "CTRL", "CTRLConfig", {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64, "dff": 48}, "bytes", "fixed"
    ),
    "bloom": Architecture(
        "BLOOM", "BloomConfig", {"hidden_size": 32, "n_layer": 2, "n_head": 4, **NO_ENDS}, "bytes", "ALiBi", adds=ALIBI
    ),
    "mpt": Architecture(
        "MPT", "MptConfig", {"d_model": 32, "n_layers": 2, "n_heads": 4, "max_seq_len": 64}, "bytes", "ALiBi",
        adds=ALIBI,
    ),
    "falcon": Architecture(
        "Falcon",
        "FalconConfig",
        {**SMALL, **NO_ENDS, "new_decoder_architecture": True, "num_kv_heads": 2},
        "bytes",
        ROTARY,
    ),
    "falcon, one key head": Architecture("Falcon-7B", "FalconConfig", {**SMALL, **NO_ENDS}, "bytes", ROTARY),
    "falcon, ALiBi": Architecture(
        "Falcon-RW",
        "FalconConfig",
        {**SMALL, **NO_ENDS, "alibi": True, "multi_query": False},
        "bytes",
        "ALiBi",
        adds=ALIBI,
    ),
    "llama": Architecture("Llama, SmolLM2, Yi, TinyLlama", *tiny_models.ARCHITECTURES["llama"], ROTARY),
    "mistral": Architecture("Mistral", *tiny_models.ARCHITECTURES["mistral"], ROTARY, "sliding"),
    "mixtral": Architecture("Mixtral", "MixtralConfig", {**GROUPED, "num_local_experts": 2}, "metaspace", ROTARY),
    "qwen2": Architecture("Qwen 2, 2.5", *tiny_models.ARCHITECTURES["qwen2"], ROTARY),
    "qwen3": Architecture("Qwen 3", *tiny_models.ARCHITECTURES["qwen3"], ROTARY),
    "phi": Architecture("Phi-1, 2", *tiny_models.ARCHITECTURES["phi"], ROTARY),
    "phi3": Architecture("Phi-3, 4", "Phi3Config", GROUPED, "metaspace", ROTARY),
    "gemma": Architecture("Gemma", "GemmaConfig", {**GROUPED, "head_dim": 8}, "metaspace", ROTARY),
    "gemma2": Architecture("Gemma 2", *tiny_models.ARCHITECTURES["gemma2"], ROTARY, adds="a soft cap"),
    "gemma3_text": Architecture(
        "Gemma 3, text",
        "Gemma3TextConfig",
        {**GROUPED, "head_dim": 8, "sliding_window": 5, "layer_types": ["sliding_attention", "full_attention"]},
        "metaspace",
        ROTARY,
    ),
    "gpt_oss": Architecture("GPT-OSS", *tiny_models.ARCHITECTURES["gpt_oss"], ROTARY, adds="learned sinks"),
    "deepseek_v2": Architecture("DeepSeek V2", "DeepseekV2Config", MLA, "bytes", ROTARY),
    "deepseek_v3": Architecture(
        "DeepSeek V3, R1",
        "DeepseekV3Config",
        {**MLA, "n_group": 1, "topk_group": 1},
        "bytes",
        ROTARY,
        remark="latent keys are shown as they are dotted, one a head",
    ),
    "olmo2": Architecture("OLMo 2", "Olmo2Config", GROUPED, "bytes", ROTARY),
    "cohere": Architecture("Command R", "CohereConfig", GROUPED, "bytes", ROTARY),
    "granite": Architecture("Granite 3", "GraniteConfig", GROUPED, "bytes", ROTARY),
    "glm4": Architecture("GLM-4", "Glm4Config", {**GROUPED, "head_dim": 8}, "bytes", ROTARY),
    "smollm3": Architecture(
        "SmolLM3", "SmolLM3Config", GROUPED, "bytes", ROTARY, remark="every fourth layer is not rotated"
    ),
    "starcoder2": Architecture("StarCoder 2", "Starcoder2Config", GROUPED, "bytes", ROTARY),
    "stablelm": Architecture("StableLM", "StableLmConfig", GROUPED, "bytes", ROTARY),
    "qwen3_next": Architecture(
        "Qwen3-Next",
        "Qwen3NextConfig",
        {**HYBRID, **LINEAR, **EXPERTS, "head_dim": 8, "num_hidden_layers": 8, "shared_expert_intermediate_size": 16},
        "bytes", ROTARY, layers=(3, 7),
    ),
    "qwen3_5_text": Architecture(
        "Qwen 3.5, text", "Qwen3_5TextConfig", {**HYBRID, **LINEAR, "head_dim": 8, "num_hidden_layers": 8}, "bytes",
        ROTARY, layers=(3, 7),
    ),
    "lfm2": Architecture(
        "LFM2",
        "Lfm2Config",
        {**HYBRID, "layer_types": ["conv", "full_attention", "full_attention", "conv"], "block_multiple_of": 16},
        "bytes", ROTARY, layers=(1, 2),
    ),
    "lfm2_moe": Architecture(
        "LFM2, experts",
        "Lfm2MoeConfig",
        {**HYBRID, **EXPERTS, "layer_types": ["conv", "full_attention", "conv", "full_attention"],
         "num_dense_layers": 4},
        "bytes", ROTARY, layers=(1, 3),
    ),
    "jamba": Architecture(
        "Jamba",
        "JambaConfig",
        {**HYBRID, "attn_layer_period": 2, "attn_layer_offset": 1, "num_experts": 2, "num_experts_per_tok": 1,
         "mamba_d_state": 4, "mamba_d_conv": 2, "use_mamba_kernels": False},
        "bytes", "none", layers=(1, 3),
    ),
    "granitemoehybrid": Architecture(
        "Granite 4 hybrid",
        "GraniteMoeHybridConfig",
        {**HYBRID, **STATES, "layer_types": ["mamba", "mamba", "attention", "mamba"], "num_local_experts": 0,
         "shared_intermediate_size": 32},
        "bytes", "none", layers=(2,),
    ),
    "bamba": Architecture(
        "Bamba", "BambaConfig", {**HYBRID, **STATES, "attn_layer_indices": [0, 3]}, "bytes", ROTARY, layers=(0, 3)
    ),
    "nemotron_h": Architecture(
        "Nemotron-H",
        "NemotronHConfig",
        {**GROUPED, "hybrid_override_pattern": "M*-M*", "head_dim": 8, "mamba_num_heads": 4, "mamba_head_dim": 8,
         "ssm_state_size": 8, "n_groups": 1, "chunk_size": 8},
        "bytes", "none", layers=(1, 4),
    ),
    "falcon_h1": Architecture(
        "Falcon-H1",
        "FalconH1Config",
        {**GROUPED, **STATES, "mamba_d_head": 8, "mamba_d_ssm": 32},
        "bytes", ROTARY, remark="attention stands beside a state space in every layer",
    ),
    "olmo_hybrid": Architecture("OLMo hybrid", "OlmoHybridConfig", HYBRID, "bytes", ROTARY, layers=(3,)),
    "recurrent_gemma": Architecture(
        "RecurrentGemma",
        "RecurrentGemmaConfig",
        {**HYBRID, "num_hidden_layers": 3, "lru_width": 32, "attention_window_size": 8},
        "metaspace", ROTARY, "sliding", layers=(2,),
    ),
    "gemma4_text": Architecture(
        "Gemma 4, text",
        "Gemma4TextConfig",
        {**HYBRID, "head_dim": 8, "global_head_dim": 16, "sliding_window": 5, "hidden_size_per_layer_input": 8,
         "layer_types": ["sliding_attention", "full_attention", "sliding_attention", "full_attention"],
         "vocab_size_per_layer_input": 1000, "num_kv_shared_layers": 0},
        "metaspace", ROTARY, "sliding", streams=("self_4x8", "self_4x16"),
        remark="layers whose heads are larger are a stream of their own",
    ),
    "longformer": Architecture(
        "Longformer", "LongformerConfig", {**SMALL, **POSITIONS, "pad_token_id": 1, "attention_window": [4, 8]},
        "bytes", LEARNED, "local", "", ("local", "global"),
        "the first token of an input is global; it asks in the stream Global",
    ),
    "led": Architecture(
        "LED",
        "LEDConfig",
        {**BART, "max_encoder_position_embeddings": 64, "max_decoder_position_embeddings": 64, "attention_window": 4},
        "bytes", LEARNED, "local", "", ("local", "global", "decoder", "cross"),
        "the encoder as Longformer; the first token of what is read is global",
    ),
    "t5": Architecture("T5, FLAN-T5", "T5Config", T5, "wordpiece", "relative", "full", BIAS, TWO_TEXTS),
    "mt5": Architecture("mT5", "MT5Config", T5, "wordpiece", "relative", "full", BIAS, TWO_TEXTS),
    "umt5": Architecture("UMT5", "UMT5Config", T5, "wordpiece", "relative", "full", BIAS, TWO_TEXTS),
    "bart": Architecture("BART", "BartConfig", BART, "bytes", LEARNED, "full", "", TWO_TEXTS),
    "mbart": Architecture("mBART", "MBartConfig", BART, "bytes", LEARNED, "full", "", TWO_TEXTS),
    "pegasus": Architecture("Pegasus", "PegasusConfig", BART, "bytes", "fixed", "full", "", TWO_TEXTS),
    "marian": Architecture(
        "Marian (OPUS-MT)", "MarianConfig", BART, "wordpiece", "fixed", "full", "", TWO_TEXTS,
        "needs a tokenizer.json: transformers' own Marian tokenizer needs the package sentencepiece",
    ),
    "m2m_100": Architecture("M2M-100, NLLB", "M2M100Config", BART, "bytes", "fixed", "full", "", TWO_TEXTS),
    "blenderbot": Architecture("Blenderbot", "BlenderbotConfig", BART, "bytes", LEARNED, "full", "", TWO_TEXTS),
    "plbart": Architecture("PLBART", "PLBartConfig", BART, "bytes", LEARNED, "full", "", TWO_TEXTS),
}  # fmt: skip

# What is refused, with a part of the reason: configurations that transformers itself makes.
REFUSED: dict[str, tuple[str, str, str]] = {
    "longt5": ("LongT5", "LongT5Config", "within blocks of neighbours"),
    "pegasus_x": ("Pegasus-X", "PegasusXConfig", "within blocks of neighbours"),
    "big_bird": ("BigBird", "BigBirdConfig", "in sparse blocks"),
    "bigbird_pegasus": ("BigBird-Pegasus", "BigBirdPegasusConfig", "in sparse blocks"),
    "funnel": ("Funnel", "FunnelConfig", "it shortens the input"),
    "reformer": ("Reformer", "ReformerConfig", "within hashed buckets"),
    "mamba": ("Mamba", "MambaConfig", "it has no attention"),
    "mamba2": ("Mamba 2", "Mamba2Config", "it has no attention"),
    "rwkv": ("RWKV", "RwkvConfig", "it has no attention"),
    "roformer": ("RoFormer", "RoFormerConfig", "does not pass its attention through AttentionInterface"),
    "xlm": ("XLM", "XLMConfig", "does not pass its attention through AttentionInterface"),
    "prophetnet": ("ProphetNet", "ProphetNetConfig", "does not pass its attention through AttentionInterface"),
    "fsmt": ("FSMT", "FSMTConfig", "does not pass its attention through AttentionInterface"),
}


def save(folder: Path, name: str) -> Path:
    """A tiny model of a row with its tokenizer."""
    row = ROWS[name]
    tiny_models.ARCHITECTURES.setdefault(name, (row.config, row.arguments, row.tokenizer))
    return tiny_models.save_model(folder, name)
