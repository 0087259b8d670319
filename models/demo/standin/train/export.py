"""The network as a GGUF file for llama.cpp, with tokeniser and chat template inside.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
from gguf import quants
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ari_agent.llm.reading import SYSTEM_KEY
from train.network import EPSILON, Llama
from train.tokeniser import CONTROL, DECIDE, END, PAD, TEMPLATE, vocabulary

NAME = "ari-agent stand-in: knows one invented company, for tests and the demo only"
_TENSORS = {
    "attention_norm": "attn_norm",
    "q": "attn_q",
    "k": "attn_k",
    "v": "attn_v",
    "o": "attn_output",
    "feed_forward_norm": "ffn_norm",
    "gate": "ffn_gate",
    "up": "ffn_up",
    "down": "ffn_down",
}


def write(path: Path, network: Llama, tokeniser: Tokenizer, pieces: list[str]) -> None:
    """Write matrices as Q8_0 and vectors as they are. Raises OSError."""
    shape = network.shape
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name(NAME)
    writer.add_license("Apache-2.0")
    writer.add_languages(["de"])
    writer.add_string(SYSTEM_KEY, "none")
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_layer_norm_rms_eps(EPSILON)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    _add_tokeniser(writer, tokeniser, pieces, shape.vocabulary)
    weights = {name: value.float().numpy() for name, value in network.state_dict().items()}
    _add(writer, "token_embd", weights["embedding.weight"])
    _add(writer, "output_norm", weights["norm.weight"])
    for layer in range(shape.layers):
        for ours, theirs in _TENSORS.items():
            value = weights[f"blocks.{layer}.{ours}.weight"]
            _add(writer, f"blk.{layer}.{theirs}", _paired(value, shape.heads) if ours in "qk" else value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_tokeniser(writer: gguf.GGUFWriter, tokeniser: Tokenizer, pieces: list[str], size: int) -> None:
    tokens, merges = vocabulary(tokeniser)
    if len(tokens) != size:
        raise ValueError(f"the tokeniser has {len(tokens)} tokens, the network {size}")
    types = dict.fromkeys(CONTROL, gguf.TokenType.CONTROL) | dict.fromkeys(pieces, gguf.TokenType.USER_DEFINED)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([types.get(token, gguf.TokenType.NORMAL) for token in tokens])
    writer.add_token_merges(merges)
    writer.add_bos_token_id(tokens.index(DECIDE))
    writer.add_eos_token_id(tokens.index(END))
    writer.add_pad_token_id(tokens.index(PAD))
    writer.add_add_bos_token(False)  # noqa: FBT003 - the writer's own signature
    writer.add_chat_template(TEMPLATE)


def _add(writer: gguf.GGUFWriter, name: str, value: NDArray[np.float32]) -> None:
    value = np.ascontiguousarray(value, np.float32)
    if value.ndim == 1:
        writer.add_tensor(f"{name}.weight", value)
    else:
        kind = gguf.GGMLQuantizationType.Q8_0
        writer.add_tensor(f"{name}.weight", quants.quantize(value, kind), raw_dtype=kind)


def _paired(weight: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """Reorder rows (out, in) of q or k: rotary pairs are (i, i + half) with us and neighbours in llama.cpp."""
    rows, columns = weight.shape
    size = rows // heads
    return weight.reshape(heads, 2, size // 2, columns).swapaxes(1, 2).reshape(rows, columns)
