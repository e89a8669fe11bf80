"""PlayCanvas SOG version 2 bundles, written; see sog.py for the layout.

Written values are within, of the Gaussians: positions half a step of 1/65535 of the extent in ``log(1 + |x|)``; quaternion
components sqrt(1/2)/255; opacity 1/510; scales and colours the distance to the nearest of 256 entries fitted to them; SH above
degree 0 the distance to a shared palette row, one for four splats. Splats are reordered along a Morton curve.
"""

from __future__ import annotations

import io
import json
import math
import zipfile

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from PIL import Image

from spatialwm.formats import smallest_three
from spatialwm.formats.activation import log_from_scales
from spatialwm.formats.frames import RDF
from spatialwm.formats.sog import PALETTE_COLUMNS
from spatialwm.gaussians import Gaussians

_CODEBOOK_ROUNDS = 12
_MAX_PALETTE = 1 << 16
_SPLATS_PER_ROW = 4
_PALETTE_ROUNDS = 6
_SAMPLE = 1 << 15
_CHUNK = 1 << 13


def encode(gaussians: Gaussians) -> bytes:
    """A ``.sog`` bundle of at least one Gaussian."""
    means = RDF.vectors_from_world(gaussians.means.numpy())
    order = _morton_order(means)
    gaussians, means = gaussians.select(torch.from_numpy(order)), means[order]
    n = len(gaussians)
    width = -(-int(np.ceil(np.sqrt(n))) // 4) * 4
    shape = (-(-n // width), width)
    parts: dict[str, bytes] = {}

    def texture(name: str, *channels: np.ndarray) -> list[str]:
        texels = np.full((shape[0] * shape[1], 4), 255, np.uint8)
        texels[n:, :3] = 0
        at = 0
        for channel in channels:
            columns = channel.reshape(n, -1)
            texels[:n, at : at + columns.shape[1]] = columns
            at += columns.shape[1]
        parts[name] = _webp(texels.reshape(*shape, 4))
        return [name]

    logs = np.copysign(np.log1p(np.abs(means.astype(np.float64))), means)
    low, high = logs.min(0), logs.max(0)
    steps = np.rint((logs - low) / np.where(high > low, high - low, 1) * 65535).astype(np.uint16)
    scale_book, scale_codes = _fit_codebook(log_from_scales(RDF.scales_to_world(gaussians.scales.numpy())))
    sh = RDF.sh_from_world(gaussians.sh.numpy())
    color_book, color_codes = _fit_codebook(sh[:, 0])
    opacity = np.clip(np.rint(gaussians.opacities.numpy() * 255), 0, 255).astype(np.uint8)
    meta = {
        "version": 2,
        "asset": {"generator": "spatialwm"},
        "count": n,
        "means": {
            "mins": low.tolist(),
            "maxs": high.tolist(),
            "files": texture("means_l.webp", steps & 255) + texture("means_u.webp", steps >> 8),
        },
        "scales": {"codebook": scale_book.tolist(), "files": texture("scales.webp", scale_codes)},
        "quats": {"files": texture("quats.webp", _quat_texels(gaussians.quats.numpy()))},
        "sh0": {"codebook": color_book.tolist(), "files": texture("sh0.webp", color_codes, opacity)},
    }
    if gaussians.sh_degree:
        palette, labels = _fit_palette(sh[:, 1:].reshape(n, -1))
        book, codes = _fit_codebook(palette)
        parts["shN_centroids.webp"] = _webp(_palette_texels(codes.reshape(len(palette), -1, 3)))
        label_bytes = np.stack([labels & 255, labels >> 8, np.zeros_like(labels)], axis=1).astype(np.uint8)
        meta["shN"] = {
            "count": len(palette),
            "bands": gaussians.sh_degree,
            "codebook": book.tolist(),
            "files": ["shN_centroids.webp", *texture("shN_labels.webp", label_bytes)],
        }
    parts["meta.json"] = json.dumps(meta).encode()
    return _bundle(parts)


def _bundle(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as bundle:
        for name, data in parts.items():
            bundle.writestr(zipfile.ZipInfo(name), data)  # a fixed date: the same Gaussians give the same bytes
    return out.getvalue()


def _webp(texels: UInt8[np.ndarray, "h w 4"]) -> bytes:
    out = io.BytesIO()
    # exact: without it the encoder drops the colour of texels whose alpha, here an opacity, is zero.
    Image.fromarray(texels, "RGBA").save(out, "WEBP", lossless=True, exact=True, quality=50, method=2)
    return out.getvalue()


def _quat_texels(world_quats: np.ndarray) -> np.ndarray:
    quats = np.concatenate([world_quats[:, :1], RDF.vectors_from_world(world_quats[:, 1:])], axis=1)
    small, largest = smallest_three.reduce(quats)
    codes = np.clip(np.rint((small * np.sqrt(2) + 1) * 127.5), 0, 255)
    return np.concatenate([codes, largest[:, None] + 252], axis=1).astype(np.uint8)


def _palette_texels(codes: UInt8[np.ndarray, "p k 3"]) -> UInt8[np.ndarray, "h w 4"]:
    rows, k = -(-len(codes) // PALETTE_COLUMNS), codes.shape[1]
    texels = np.full((rows * PALETTE_COLUMNS, k, 4), 255, np.uint8)
    texels[len(codes) :, :, :3] = 0
    texels[: len(codes), :, :3] = codes
    return texels.reshape(rows, PALETTE_COLUMNS * k, 4)


def _fit_codebook(values: Float[np.ndarray, "*n"]) -> tuple[Float[np.ndarray, " b"], UInt8[np.ndarray, "*n"]]:
    """256 ascending entries near ``values``, and the nearest entry of each value.

    Lloyd's iteration on a histogram of 2^16 bins. Bins weigh by the square root of their counts: by the counts alone the rare
    extremes, which are the largest splats and the brightest colours, would be drawn into the crowd.
    """
    distinct, codes = np.unique(values, return_inverse=True)
    if len(distinct) <= 256:
        return np.pad(distinct, (0, 256 - len(distinct)), mode="edge"), codes.reshape(values.shape).astype(np.uint8)
    counts, edges = np.histogram(values, 1 << 16)
    weight, centers = np.sqrt(counts), (edges[:-1] + edges[1:]) / 2
    mass, moment = (np.concatenate([[0.0], np.cumsum(w)]) for w in (weight, weight * centers))
    book = np.interp((np.arange(256) + 0.5) / 256 * mass[-1], mass, edges)
    for _ in range(_CODEBOOK_ROUNDS):
        bounds = np.concatenate([[0], np.searchsorted(centers, (book[1:] + book[:-1]) / 2), [len(centers)]])
        inside, sums = np.diff(mass[bounds]), np.diff(moment[bounds])
        book = np.sort(np.where(inside > 0, sums / np.where(inside > 0, inside, 1), book))
    book = book.astype(np.float32)
    return book, np.searchsorted((book[1:] + book[:-1]) / 2, values).astype(np.uint8)


def _fit_palette(vectors: Float[np.ndarray, "n d"]) -> tuple[Float[np.ndarray, "p d"], Int[np.ndarray, " n"]]:
    """At most 65536 rows near ``vectors``, one for four splats, and the row of each.

    k-means within the cells of a coarse k-means: with sqrt(p) cells it compares 2 n sqrt(p) pairs of n vectors and p rows
    instead of n p, which turns minutes into seconds at nearly the same distances.
    """
    distinct, labels = np.unique(vectors, axis=0, return_inverse=True)
    rows = min(_MAX_PALETTE, max(len(vectors) // _SPLATS_PER_ROW, 1024))
    if len(distinct) <= rows:
        return distinct, labels.reshape(-1)
    points = torch.from_numpy(vectors)
    cell_of = _nearest(points, _k_means(points[:: -(-len(points) // _SAMPLE)], math.isqrt(rows)))
    palette, labels, first = [], np.empty(len(vectors), np.int64), 0
    for cell in cell_of.unique():
        members = (cell_of == cell).nonzero()[:, 0]
        centers = _k_means(points[members], max(rows * len(members) // len(points), 1))
        labels[members.numpy()] = first + _nearest(points[members], centers).numpy()
        palette.append(centers)
        first += len(centers)
    return torch.cat(palette).numpy(), labels


def _k_means(points: torch.Tensor, rows: int) -> torch.Tensor:
    centers = points[torch.linspace(0, len(points) - 1, min(rows, len(points))).long()].clone()
    for _ in range(_PALETTE_ROUNDS):
        nearest = _nearest(points, centers)
        sums = torch.zeros_like(centers).index_add_(0, nearest, points)
        counts = torch.bincount(nearest, minlength=len(centers))[:, None]
        centers = torch.where(counts > 0, sums / counts.clamp(min=1), centers)
    return centers


def _nearest(vectors: torch.Tensor, palette: torch.Tensor) -> torch.Tensor:
    half_squares = palette.square().sum(1) / 2
    return torch.cat([(half_squares - part @ palette.T).argmin(1) for part in vectors.split(_CHUNK)])


def _morton_order(points: Float[np.ndarray, "n 3"]) -> Int[np.ndarray, " n"]:
    """Points along a space-filling curve: neighbours become neighbouring texels, which compress."""
    low, high = points.min(0), points.max(0)
    cells = ((points - low) / np.where(high > low, high - low, 1) * 1023).astype(np.uint64)
    code = np.zeros(len(points), np.uint64)
    for bit in range(10):
        for axis in range(3):
            code |= (cells[:, axis] >> np.uint64(bit) & np.uint64(1)) << np.uint64(3 * bit + axis)
    return np.argsort(code, kind="stable")
