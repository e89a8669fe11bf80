"""What transformers are made of: attention to a memory, and blocks that do nothing before they have learnt something."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F


class Attention(nn.Module):
    """Multi-head attention of queries to a memory."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key_value, self.out = nn.Linear(width, width), nn.Linear(width, 2 * width), nn.Linear(width, width)

    def forward(self, x: Float[Tensor, "b q w"], memory: Float[Tensor, "b k w"], mask: Tensor) -> Float[Tensor, "b q w"]:
        """
        Args:
            mask: (b, h or 1, q, k): bool, who may look at whom, or float, added to the scores.
        """
        q = self._split(self.query(x))
        k, v = (self._split(part) for part in self.key_value(memory).chunk(2, -1))
        seen = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.out(seen.transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


def feed_forward(width: int) -> nn.Sequential:
    """Two layers, four times as wide between."""
    return nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))


class Block(nn.Module):
    """Attention, then a feed-forward; both add to what they are given.

    The memory is not normalised: millimetres pass through it linearly, and dividing by a length would bend them.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention, self.feed_forward = Attention(width, heads), feed_forward(width)
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, x: Float[Tensor, "b q w"], memory: Float[Tensor, "b k w"], mask: Tensor) -> Float[Tensor, "b q w"]:
        """``x`` looks at ``memory``, which may be ``x`` itself."""
        x = x + self.attention(self.before(x), memory, mask)
        return x + self.feed_forward(self.between(x))


class AdaptiveBlock(nn.Module):
    """Self-attention and feed-forward, scaled, shifted and gated by a condition (adaLN-zero): at first it is the identity.

    Source: Peebles and Xie 2023, "Scalable diffusion models with transformers".
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention, self.feed_forward = Attention(width, heads), feed_forward(width)
        self.norms = nn.ModuleList(nn.LayerNorm(width, elementwise_affine=False) for _ in range(2))
        self.modulation = nn.Linear(width, 6 * width)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)
        self.same_body = nn.Parameter(torch.zeros(heads))
        """Added, per head, to the scores of tokens of one body: which tokens belong together, without numbering the bodies."""

    def forward(
        self, x: Float[Tensor, "b m w"], condition: Float[Tensor, "b w"], together: Float[Tensor, "b 1 m m"]
    ) -> Float[Tensor, "b m w"]:
        """
        Args:
            together: 1 where two tokens are of one body, else 0.
        """
        shift, scale, gate, shift_ff, scale_ff, gate_ff = self.modulation(F.silu(condition))[:, None].chunk(6, -1)
        seen = self.norms[0](x) * (1 + scale) + shift
        x = x + gate * self.attention(seen, seen, together * self.same_body[:, None, None])
        return x + gate_ff * self.feed_forward(self.norms[1](x) * (1 + scale_ff) + shift_ff)
