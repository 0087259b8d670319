"""A small Llama: RMS norm, rotary positions, gated feed-forward layers, tied embeddings.

Architecture: Touvron et al. 2023, https://arxiv.org/abs/2302.13971; rotary positions: https://arxiv.org/abs/2104.09864.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

EPSILON = 1e-5
_DROPOUT = 0.1
_TOKEN_DROPOUT = 0.1
"""Share of tokens that are not seen in training, so that no single word decides."""


@dataclass(frozen=True)
class Shape:
    """Sizes; width and feed_forward are multiples of 32, as Q8_0 wants them."""

    vocabulary: int = 2048
    width: int = 128
    layers: int = 2
    heads: int = 4
    feed_forward: int = 384
    context: int = 512
    rope_base: float = 10_000.0


class Norm(nn.Module):
    """Root mean square norm; written out because the library's is slow with mixed types on a CPU."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """Take and return (…, width)."""
        scale = (x.float().square().mean(-1, keepdim=True) + EPSILON).rsqrt()
        return x * scale.to(x.dtype) * self.weight.to(x.dtype)


class Block(nn.Module):
    """Attention and feed-forward layer."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width, hidden = shape.width, shape.feed_forward
        self.heads = shape.heads
        self.attention_norm, self.feed_forward_norm = Norm(width), Norm(width)
        self.q, self.k, self.v, self.o = (nn.Linear(width, width, bias=False) for _ in range(4))
        self.gate, self.up = nn.Linear(width, hidden, bias=False), nn.Linear(width, hidden, bias=False)
        self.down = nn.Linear(hidden, width, bias=False)
        self.dropout = nn.Dropout(_DROPOUT)

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor, mask: Tensor) -> Tensor:
        """Take and return (batch, time, width)."""
        batch, time, width = x.shape
        size = width // self.heads
        h = self.attention_norm(x)
        q, k, v = (layer(h).view(batch, time, self.heads, size).transpose(1, 2) for layer in (self.q, self.k, self.v))
        q, k = _turned(q, cosine, sine), _turned(k, cosine, sine)
        weights = ((q * size**-0.5) @ k.transpose(-1, -2) + mask).softmax(-1).to(v.dtype)
        x = x + self.dropout(self.o((weights @ v).transpose(1, 2).reshape(batch, time, width)))
        h = self.feed_forward_norm(x)
        return cast("Tensor", x + self.dropout(self.down(functional.silu(self.gate(h)) * self.up(h))))


class Llama(nn.Module):
    """The whole network."""

    cosine: Tensor
    sine: Tensor
    mask: Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(shape.vocabulary, shape.width)
        blocks = [Block(shape) for _ in range(shape.layers)]
        self.blocks = nn.ModuleList(blocks)
        self.norm = Norm(shape.width)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, 0, shape.width**-0.5)
        nn.init.normal_(self.embedding.weight, 0, 0.05)
        for block in blocks:
            for layer in (block.o, block.down):
                layer.weight.data *= (2 * shape.layers) ** -0.5
        size = shape.width // shape.heads
        angle = torch.outer(torch.arange(shape.context), shape.rope_base ** (-torch.arange(0, size, 2) / size))
        angle = torch.cat((angle, angle), -1)
        mask = torch.full((shape.context, shape.context), -1e4).triu(1)
        for name, table in (("cosine", angle.cos()), ("sine", angle.sin()), ("mask", mask)):
            self.register_buffer(name, table, persistent=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """Take tokens (batch, time), return what stands before the output layer (batch, time, width)."""
        time = tokens.shape[1]
        x = self.embedding(tokens)
        if self.training:
            x = x * (torch.rand(tokens.shape) >= _TOKEN_DROPOUT).unsqueeze(-1)
        if torch.is_autocast_enabled("cpu"):
            x = x.bfloat16()
        cosine, sine = self.cosine[:time].to(x.dtype), self.sine[:time].to(x.dtype)
        mask = self.mask[:time, :time].to(x.dtype)
        for block in self.blocks:
            x = block(x, cosine, sine, mask)
        return cast("Tensor", self.norm(x))

    def logits(self, hidden: Tensor) -> Tensor:
        """Take (…, width), return (…, vocabulary)."""
        return functional.linear(hidden, self.embedding.weight.to(hidden.dtype))


def _turned(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Turn pairs by their position; a pair is (i, i + half), which is faster here than neighbours as in llama.cpp."""
    half = x.shape[-1] // 2
    return x * cosine + torch.cat((-x[..., half:], x[..., :half]), -1) * sine
