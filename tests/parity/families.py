"""A small random checkpoint of each sequence-classification class that the installed transformers has."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import processors
from transformers import CONFIG_MAPPING, PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase
from transformers.models.auto.modeling_auto import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES

from testkit.checkpoints import LABELS, SENTENCES, byte_pairs, spread_logits

CLASSES: dict[str, str] = dict(MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES)
"""Name of the class of each family (`model_type`)."""

READABLE = SENTENCES[:8]
"""Sentences that are long enough for every family."""

WIDTH, LAYERS, HEADS, INNER, POSITIONS = 32, 2, 4, 64, 514

MOST_WEIGHTS = 30_000_000
"""A configuration with more than this is not small: a value that makes it so is missing below."""

_SMALL: dict[str, Any] = {
    **dict.fromkeys(("hidden_size", "d_model", "n_embd", "dim", "emb_dim", "embedding_size", "d_embed"), WIDTH),
    **dict.fromkeys(("num_hidden_layers", "n_layer", "n_layers", "num_layers", "encoder_layers"), LAYERS),
    **dict.fromkeys(("decoder_layers", "num_decoder_layers"), LAYERS),
    **dict.fromkeys(("num_attention_heads", "n_head", "n_heads", "num_heads"), HEADS),
    **dict.fromkeys(("encoder_attention_heads", "decoder_attention_heads"), HEADS),
    **dict.fromkeys(("num_key_value_heads", "num_kv_heads"), HEADS // 2),
    **dict.fromkeys(("intermediate_size", "ffn_dim", "d_ff", "d_inner", "n_inner", "hidden_dim"), INNER),
    **dict.fromkeys(("encoder_ffn_dim", "decoder_ffn_dim", "ffn_hidden_size", "feed_forward_size", "dff"), INNER),
    **dict.fromkeys(("moe_intermediate_size", "shared_expert_intermediate_size", "expert_hidden_dim"), INNER),
    **dict.fromkeys(("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len"), POSITIONS),
    **dict.fromkeys(("head_dim", "d_kv"), WIDTH // HEADS),
    **dict.fromkeys(("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts"), 4),
    **dict.fromkeys(("num_experts_per_tok", "moe_k"), 2),
    **dict.fromkeys(("initializer_range", "init_std", "embed_init_std"), 0.2),
}
"""Values that make a model small, under the names that configurations have for them."""

_MLA = {
    "num_key_value_heads": HEADS,
    "q_lora_rank": 16,
    "kv_lora_rank": 16,
    "qk_rope_head_dim": 8,
    "qk_nope_head_dim": 8,
    "v_head_dim": 8,
    "n_group": 1,
    "topk_group": 1,
    "first_k_dense_replace": 1,
    "n_shared_experts": 1,
}
_SEQ2SEQ = {"decoder_start_token_id": 2, "forced_eos_token_id": 2}
_T5_GEMMA = {"num_hidden_layers": 2, "hidden_size": 32, "num_attention_heads": 4, "num_key_value_heads": 2}
_ROPE = {"rope_parameters": {"rope_type": "default", "rope_theta": 10000.0}, "head_dim": 8}
_LINEAR = {
    "layer_types": ["linear_attention", "full_attention"],
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 2,
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
}

SPECIAL: dict[str, dict[str, Any]] = {
    **dict.fromkeys(("bart", "mbart", "mvp", "plbart", "bigbird_pegasus", "t5", "mt5", "umt5"), _SEQ2SEQ),
    **dict.fromkeys(("deepseek_v2", "deepseek_v3", "minicpm3", "axk1", "axk2", "mistral4"), _MLA),
    **dict.fromkeys(("qwen3_5_text", "qwen3_next"), _LINEAR),
    "big_bird": {"block_size": 16},
    "ctrl": {"dff": INNER},
    "data2vec-text": {"pad_token_id": 1},
    "deberta": {"relative_attention": True, "pos_att_type": ["p2c", "c2p"]},
    "deberta-v2": {"relative_attention": True, "pos_att_type": ["p2c", "c2p"]},
    "funnel": {"block_sizes": [1, 1, 1], "d_head": 8, "type_vocab_size": 3},
    "gpt_neo": {"num_layers": 2, "attention_types": [[["global", "local"], 1]]},
    "jamba": {"mamba_expand": 2, "mamba_d_state": 8, "attn_layer_period": 2, "attn_layer_offset": 1},
    "deepseek_v2": {**_MLA, "num_experts_per_tok": 2},
    "gptj": {"rotary_dim": 8},
    **dict.fromkeys(("hunyuan_v1_dense", "hunyuan_v1_moe", "ministral"), _ROPE),
    "layoutlmv3": {"coordinate_size": 6, "shape_size": 4},
    "lilt": {"hidden_size": 48},
    "luke": {"entity_vocab_size": 10, "entity_emb_size": 16},
    "nemotron": {"num_key_value_heads": 2},
    "longformer": {"attention_window": 16},
    "mra": {"max_position_embeddings": 512},
    "mobilebert": {"intra_bottleneck_size": 16, "true_hidden_size": 16, "embedding_size": 16},
    "nystromformer": {"num_landmarks": 64, "segment_means_seq_len": 64},
    "perceiver": {"d_latents": 32, "num_latents": 8, "num_self_attends_per_block": 2},
    "reformer": {"axial_pos_shape": [16, 32], "axial_pos_embds_dim": [16, 16], "attn_layers": ["local", "lsh"]},
    "rembert": {"input_embedding_size": 16, "output_embedding_size": 16},
    "squeezebert": {"q_groups": 1, "k_groups": 1, "v_groups": 1},
    "xlnet": {"d_head": 8},
    "xmod": {"languages": ["en_XX"], "default_language": "en_XX"},
    "roc_bert": {"enable_shape": False, "enable_pronunciation": False},
    "zamba2": {
        "mamba_d_state": 8,
        "mamba_headdim": 8,
        "num_mem_blocks": 1,
        "n_mamba_heads": 8,
        "hybrid_layer_ids": [1],
    },
    "zamba": {"mamba_d_state": 8, "n_mamba_heads": 2, "attn_layer_period": 2, "attn_layer_offset": 1},
}
"""What a family needs beside the small values."""

TYPES = {"xlnet": "$A:0 </s>:0 <s>:2", "funnel": "<s>:2 $A:0 </s>:0"}
"""The special tokens of families that give them a token type of their own."""


def make_family(folder: Path, family: str, *, seed: int = 0, **config: Any) -> Path:
    """Save a small random checkpoint of a family (a `model_type` of transformers) into `folder`, and return the folder.

    Raises:
        Exception: Whatever transformers raises where its own model cannot compute a sentence.
    """
    tokenizer = _tokenizer(family)
    _require_small(family, _config(family, tokenizer, config))
    torch.manual_seed(seed)
    model = _class(family)(_config(family, tokenizer, config)).train(mode=False)
    spread_logits(model, tokenizer, READABLE)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _require_small(family: str, config: PreTrainedConfig) -> None:
    with torch.device("meta"):
        size = sum(weight.numel() for weight in _class(family)(config).parameters())
    if size > MOST_WEIGHTS:
        message = f"the small configuration of {family} has {size / 1e6:.0f} million weights"
        raise ValueError(message)


def _class(family: str) -> Callable[[PreTrainedConfig], PreTrainedModel]:
    found: Callable[[PreTrainedConfig], PreTrainedModel] = getattr(transformers, CLASSES[family])
    return found


def _tokenizer(family: str) -> PreTrainedTokenizerBase:
    if family == "canine":
        return transformers.CanineTokenizer()  # type: ignore[no-untyped-call] # untyped in the package
    tokenizer = byte_pairs()
    if family in TYPES:
        tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
            single=TYPES[family], special_tokens=[("<s>", 0), ("</s>", 2)]
        )
    return tokenizer


def _config(family: str, tokenizer: PreTrainedTokenizerBase, given: dict[str, Any]) -> PreTrainedConfig:
    kind = CONFIG_MAPPING[family]
    values = _small(kind())
    if family != "canine":
        _set(values, {"vocab_size": len(tokenizer), "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2})
    labels = {"problem_type": "multi_label_classification", "id2label": dict(enumerate(LABELS))}
    return kind(**{**values, **labels, **SPECIAL.get(family, {}), **given})


def _small(default: PreTrainedConfig) -> dict[str, Any]:
    """The small values that a configuration and the configurations in it have names for."""
    names = default.to_dict()
    values = {name: value for name, value in _SMALL.items() if isinstance(names.get(name), int | float)}
    for part in default.sub_configs:
        inner = getattr(default, part, None)
        if isinstance(inner, PreTrainedConfig):
            values[part] = {"model_type": inner.model_type, **_small(inner)}
    return values


def _set(values: dict[str, Any], tokens: dict[str, int]) -> None:
    """Set what depends on the tokenizer, in the configurations of the parts that read text too."""
    for part in [inner for name, inner in values.items() if isinstance(inner, dict) and name != "vision_config"]:
        _set(part, tokens)
    values |= tokens
