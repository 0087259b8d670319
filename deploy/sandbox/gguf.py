"""GGUF files with the shape of real language models and random weights: for speed, memory and faults, never for sense.

The tokeniser is a byte-level BPE that was learnt from our own German texts, so that prompts are about as many tokens
as with a real model; the chat template is ChatML. Every file comes out the same, byte for byte.
Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import argparse
import heapq
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

import gguf
import numpy as np

from ari_agent.dialogue import wording
from ari_agent.llm import prompt
from sandbox.settings import CACHE, COMPANY

FOLDER = CACHE / "gguf"
"""Where the command writes unless told otherwise."""

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
"""Control tokens, behind all others; the first ends a text, the last a turn."""


@dataclass(frozen=True)
class Shape:
    """What decides about speed and memory."""

    layers: int
    width: int
    heads: int
    kv_heads: int
    feed_forward: int
    vocabulary: int
    merges: int
    """Most pairs that the tokeniser learns; the rest of the vocabulary is never used, but costs its time."""
    quantisation: gguf.GGMLQuantizationType
    """Of all matrices but the embedding, which has eight bits."""


SHAPES = {
    "tiny": Shape(2, 64, 4, 2, 128, 1024, 600, gguf.GGMLQuantizationType.Q8_0),
    "0.5B": Shape(24, 896, 14, 2, 4864, 151_936, 4000, gguf.GGMLQuantizationType.Q4_0),
    "1.5B": Shape(28, 1536, 12, 2, 8960, 151_936, 4000, gguf.GGMLQuantizationType.Q4_0),
}
"""The two big ones are those of Qwen 2.5: https://huggingface.co/Qwen/Qwen2.5-0.5B/blob/main/config.json"""
CONTEXT = 32_768
"""Tokens of one text that the model claims to be made for."""


def write(
    path: Path,
    shape: Shape,
    *,
    architecture: str = "qwen2",
    template: str | None = CHATML,
    context: int = CONTEXT,
    metadata: Mapping[str, str] = MappingProxyType({}),
) -> Path:
    """Write a model of this shape and return its path. Raises OSError."""
    tokens, merges = tokeniser(shape)
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name(f"random weights, {shape.layers} layers of {shape.width}")
    writer.add_context_length(context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(1e6)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_0)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    ordinary = len(tokens) - len(CONTROL)
    writer.add_token_types([gguf.TokenType.NORMAL] * ordinary + [gguf.TokenType.CONTROL] * len(CONTROL))
    writer.add_token_merges(merges)
    # Else llama.cpp takes the number that GPT-2 has for it: here the comma, which servers then leave out of answers.
    writer.add_bos_token_id(ordinary)
    writer.add_eos_token_id(len(tokens) - 1)
    writer.add_pad_token_id(ordinary)
    writer.add_add_bos_token(False)  # noqa: FBT003 - the writer's own signature
    if template is not None:
        writer.add_chat_template(template)
    for key, value in metadata.items():
        writer.add_string(key, value)
    _write_tensors(writer, shape)
    return path


def tokeniser(shape: Shape) -> tuple[list[str], list[str]]:
    """Return tokens and merges, in the byte-level alphabet of GPT-2."""
    words = Counter(re.findall(r" ?[^\W\d]+|\d| ?[^\s\w]+|\s+", _corpus()))
    alphabet = _alphabet()
    merges = _learn({"".join(alphabet[byte] for byte in word.encode()): count for word, count in words.items()}, shape)
    tokens = [*sorted(alphabet.values()), *(a + b for a, b in merges)]
    tokens = list(dict.fromkeys(tokens))
    room = shape.vocabulary - len(CONTROL)
    tokens += [f"Ġunbenutzt{number}" for number in range(room - len(tokens))]
    return [*tokens, *CONTROL], [f"{a} {b}" for a, b in merges]


def _corpus() -> str:
    """German text of the kind that a prompt holds."""
    sources = [COMPANY, *(Path(str(module.__file__)) for module in (prompt, wording))]
    return "\n".join(source.read_text(encoding="utf-8") for source in sources)


def _alphabet() -> dict[int, str]:
    """A printable letter for every byte: https://github.com/openai/gpt-2/blob/master/src/encoder.py"""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = (byte for byte in range(256) if byte not in printable)
    return {**{byte: chr(byte) for byte in printable}, **{byte: chr(256 + i) for i, byte in enumerate(others)}}


def _learn(words: dict[str, int], shape: Shape) -> list[tuple[str, str]]:
    """Merge the most frequent pair again and again; ties go to the pair that sorts first."""
    parts = [list(word) for word in words]
    counts = list(words.values())
    pairs: Counter[tuple[str, str]] = Counter()
    places: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for at, word in enumerate(parts):
        for pair in pairwise(word):
            pairs[pair] += counts[at]
            places[pair].add(at)
    queue = [(-count, pair) for pair, count in pairs.items()]
    heapq.heapify(queue)
    most = min(shape.merges, shape.vocabulary - 256 - len(CONTROL))
    merges: list[tuple[str, str]] = []
    while queue and len(merges) < most:
        count, pair = heapq.heappop(queue)
        if -count != pairs[pair]:
            continue  # an older count
        if -count < 2:
            break
        merges.append(pair)
        changed = set()
        for at in places.pop(pair):
            for old in pairwise(parts[at]):
                pairs[old] -= counts[at]
                changed.add(old)
            parts[at] = _merged(parts[at], pair)
            for new in pairwise(parts[at]):
                pairs[new] += counts[at]
                places[new].add(at)
                changed.add(new)
        for each in changed:
            if pairs[each] > 0:
                heapq.heappush(queue, (-pairs[each], each))
    return merges


def _merged(parts: Sequence[str], pair: tuple[str, str]) -> list[str]:
    found: list[str] = []
    for part in parts:
        if found and (found[-1], part) == pair:
            found[-1] += part
        else:
            found.append(part)
    return found


def _tensors(shape: Shape) -> Iterator[tuple[str, tuple[int, ...], gguf.GGMLQuantizationType | None]]:
    """Yield name, shape (rows, columns) and quantisation, None for vectors; the output is tied to the embedding."""
    head = shape.width // shape.heads
    kv = shape.kv_heads * head
    yield "token_embd", (shape.vocabulary, shape.width), gguf.GGMLQuantizationType.Q8_0
    yield "output_norm", (shape.width,), None
    for layer in range(shape.layers):
        for name in ("attn_norm", "ffn_norm"):
            yield f"blk.{layer}.{name}", (shape.width,), None
        for name, rows, columns in (
            ("attn_q", shape.width, shape.width),
            ("attn_k", kv, shape.width),
            ("attn_v", kv, shape.width),
            ("attn_output", shape.width, shape.width),
            ("ffn_gate", shape.feed_forward, shape.width),
            ("ffn_up", shape.feed_forward, shape.width),
            ("ffn_down", shape.width, shape.feed_forward),
        ):
            yield f"blk.{layer}.{name}", (rows, columns), shape.quantisation


def _write_tensors(writer: gguf.GGUFWriter, shape: Shape) -> None:
    """Write random blocks straight in their quantised form; quantising real numbers would take minutes."""
    biases = [
        (f"blk.{layer}.{name}.bias", rows)
        for layer in range(shape.layers)
        for name, rows in (
            ("attn_q", shape.width),
            ("attn_k", shape.kv_heads * shape.width // shape.heads),
            ("attn_v", shape.kv_heads * shape.width // shape.heads),
        )
    ]
    generator = np.random.default_rng(0)
    tensors = list(_tensors(shape))
    for name, size, quantisation in tensors:
        if quantisation is None:
            writer.add_tensor_info(name + ".weight", size, np.dtype(np.float32), int(np.prod(size)) * 4)
        else:
            stored = gguf.quant_shape_to_byte_shape(size, quantisation)
            writer.add_tensor_info(
                name + ".weight", stored, np.dtype(np.uint8), int(np.prod(stored)), raw_dtype=quantisation
            )
    for name, rows in biases:
        writer.add_tensor_info(name, (rows,), np.dtype(np.float32), rows * 4)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for name, size, quantisation in tensors:
        if quantisation is None:
            writer.write_tensor_data(np.ones(size, np.float32))
        else:
            sharp = name.endswith(("attn_q", "attn_k"))  # else all words count alike, and every prompt ends the same
            writer.write_tensor_data(_blocks(generator, size, quantisation, 3.0 if sharp else 1.0))
    for _, rows in biases:
        writer.write_tensor_data(np.zeros(rows, np.float32))
    writer.close()


def _blocks(
    generator: np.random.Generator, size: tuple[int, ...], quantisation: gguf.GGMLQuantizationType, gain: float
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Random blocks of 32 numbers and a half-precision scale: as many columns as numbers leave their size as it was."""
    rows, columns = size
    _, block = gguf.GGML_QUANT_SIZES[quantisation]
    deviation = 74.0 if quantisation is gguf.GGMLQuantizationType.Q8_0 else 4.6  # of the whole numbers
    scale = np.float16(gain / np.sqrt(columns) / deviation)
    data = generator.integers(0, 256, (rows, columns // 32, block), dtype=np.uint8)
    data[:, :, :2] = np.frombuffer(scale.tobytes(), np.uint8)
    return data.reshape(rows, -1)


def main() -> int:
    """Run the command line; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.gguf",
        description="Write GGUF files with random weights: the speed and memory of a real model without its sense.",
        epilog="environment: ARI_AGENT_CACHE  folder of the files, which go to its gguf (default /var/cache/ari-agent)",
    )
    parser.add_argument("shape", nargs="+", choices=list(SHAPES), help="shape of the model")
    parser.add_argument("--folder", type=Path, default=FOLDER, help=f"where to write (default {FOLDER})")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for name in options.shape:
        began = time.monotonic()
        path = write(options.folder / f"random-{name}.gguf", SHAPES[name])
        print(f"{path}: {path.stat().st_size / 2**20:.1f} MiB in {time.monotonic() - began:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
