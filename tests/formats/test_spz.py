"""SPZ: the documented quantisation of every field, three versions read, and streams that lie about their size."""

from __future__ import annotations

import gzip
import struct
import time
import tracemalloc
import zlib

import numpy as np
import pytest
import torch
import zstandard

from spatialwm.errors import FormatError
from spatialwm.formats import encode_spz, spz
from spatialwm.gaussians import Gaussians


def header(n: int = 4, version: int = 3, degree: int = 0, bits: int = 12, last: int = 0) -> bytes:
    return struct.pack("<4sIIBBBB", b"NGSP", version, n, degree, bits, 0, last)


def one(means: np.ndarray) -> Gaussians:
    return Gaussians.from_numpy(means, np.array([[1.0, 0, 0, 0]]), np.full((1, 3), 1e-3), np.ones(1), rgb=np.ones((1, 3)))


def version_4(payload: bytes) -> bytes:
    """The same attributes as a version 3 payload, as version 4 stores them."""
    _, _, n, degree, bits, flags, _ = struct.unpack_from("<4sIIBBBB", payload)
    sizes = [9 * n, n, 3 * n, 3 * n, 4 * n, 3 * n * ((degree + 1) ** 2 - 1)]
    offset, streams = 16, []
    for size in sizes if degree else sizes[:5]:
        streams.append((size, zstandard.compress(payload[offset : offset + size])))
        offset += size
    head = struct.pack("<4sIIBBBBI12x", b"NGSP", 4, n, degree, bits, flags, len(streams), 32)
    return head + b"".join(struct.pack("<QQ", len(z), size) for size, z in streams) + b"".join(z for _, z in streams)


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_every_field_is_within_its_documented_quantisation(gaussians_of, degree):
    g = gaussians_of(3000, degree)
    file = spz.decode(spz.encode(g))
    back = file.gaussians
    assert file.notes == ("SPZ version 3",)
    assert (g.means - back.means).abs().max() <= 2**-13 * 1.001
    assert (g.scales / back.scales).log().abs().max() <= 1 / 32 + 1e-5
    assert (g.opacities - back.opacities).abs().max() <= 1 / 510 + 1e-6
    assert (g.rgb - back.rgb).abs().max() <= 0.28209479 / 0.15 / 510 + 1e-5
    signs = torch.sign((g.quats * back.quats).sum(1, keepdim=True))
    assert (g.quats * signs - back.quats).abs().max() < 3 * 0.7072 / 1022  # the largest one gathers the errors of three
    small = (g.quats * signs - back.quats).abs().sort(dim=1).values[:, :3]
    assert small.max() <= 0.7072 / 1022 * 1.01
    if degree:
        wanted, got = (spz.RUB.sh_from_world(x.sh.numpy())[:, 1:] for x in (g, back))
        first, rest = np.split(np.abs(wanted.clip(-1, 1) - got), [3], axis=1)
        assert first.max() <= 1 / 32 + 1e-5
        assert rest.max(initial=0) <= 1 / 16 + 1e-5


def test_a_second_trip_changes_nothing(gaussians_of):
    once = spz.encode(spz.decode(spz.encode(gaussians_of(500, 1))).gaussians)
    assert spz.decode(once).gaussians.means.equal(spz.decode(spz.encode(spz.decode(once).gaussians)).gaussians.means)


@pytest.mark.parametrize("extent", [1e-3, 0.9, 2047.9999, 2048.0, 3e6])
def test_precision_follows_the_size_of_the_scene(extent):
    means = np.array([[extent, -extent, 0.3 * extent]])
    error = np.abs(spz.decode(spz.encode(one(means))).gaussians.means.numpy() - means).max()
    assert error <= max(2**-13, extent / 2**22) if extent >= 1 else error <= extent / 2**11


def test_a_scene_too_far_away_is_refused():
    with pytest.raises(FormatError, match="1e\\+07 m"):
        spz.encode(one(np.array([[1e7, 0, 0]])))


@pytest.mark.parametrize("degree", [0, 2])
def test_version_4_and_uncompressed_hold_the_same(gaussians_of, assert_same_bits, degree):
    data = spz.encode(gaussians_of(300, degree))
    payload = gzip.decompress(data)
    expected = spz.decode(data).gaussians
    assert_same_bits(expected, spz.decode(payload).gaussians)
    file = spz.decode(version_4(payload))
    assert_same_bits(expected, file.gaussians)
    assert file.notes == ("SPZ version 4",)


def test_extreme_splats_are_clamped_not_wrapped():
    g = Gaussians.from_numpy(
        np.zeros((2, 3)), np.tile([1.0, 0, 0, 0], (2, 1)), np.array([[0, 1e-9, 1e9]] * 2), np.array([0.0, 1.0]),
        rgb=np.array([[-9.0] * 3, [9.0] * 3]),
    )  # fmt: skip
    back = spz.decode(spz.encode(g)).gaussians
    assert torch.allclose(back.scales[0].log(), torch.tensor([-10.0, -10.0, 255 / 16 - 10]))
    assert back.opacities.tolist() == [0, 1]
    assert (back.rgb[0] < -0.4).all()
    assert (back.rgb[1] > 1.4).all()


def test_no_gaussians():
    assert len(spz.decode(spz.encode(Gaussians.empty())).gaussians) == 0


def test_an_object_of_50k_splats_is_encoded_within_a_frame_or_two(gaussians_of):
    g = gaussians_of(50_000)
    encode_spz(g)
    start = time.process_time()
    for _ in range(3):
        encode_spz(g)
    assert (time.process_time() - start) / 3 < 0.15  # 25 ms on two idle cores; the margin is for a busy machine


@pytest.mark.parametrize(("data", "message"), [
    (gzip.compress(b"hello, this is text and long enough"), "not an SPZ"),
    (header(version=1) + bytes(200), "version 1 is not supported"),
    (header(version=9) + bytes(200), "version 9 is not supported"),
    (header(degree=5) + bytes(2000), "SH degree 5"),
    (header(bits=200) + bytes(200), "200 fraction bits"),
    (header(4) + bytes(79), "holds 95 bytes where its header needs 96"),
    (gzip.compress(header(4) + bytes(79)), "holds 95 bytes"),
    (gzip.compress(header(2**31)), "2147483648 splats"),
    (header(2**32 - 1, version=4) + bytes(200), "4294967295 splats"),
    (header(version=4, last=4) + struct.pack("<I12x", 32) + bytes(80), "4 streams"),
    (header(version=4, last=5) + struct.pack("<I12x", 4000) + bytes(80), "at byte 4000"),
    (header(version=4, last=5) + struct.pack("<I12x", 32) + struct.pack("<QQ", 2**63, 36) * 5, "within the file"),
    (header(version=4, last=5) + struct.pack("<I12x", 32) + struct.pack("<QQ", 0, 2**40) * 5, "expected 36"),
])  # fmt: skip
def test_a_header_that_lies_is_refused(data: bytes, message: str):
    with pytest.raises(FormatError, match=message):
        spz.decode(data)


def bomb(version: int) -> bytes:
    zeros = bytes(1 << 20)
    if version == 3:
        stream = zlib.compressobj(9, zlib.DEFLATED, 31)
        return stream.compress(header(4)) + b"".join(stream.compress(zeros) for _ in range(200)) + stream.flush()
    stream = zstandard.ZstdCompressor().compressobj()
    z = b"".join(stream.compress(zeros) for _ in range(200)) + stream.flush()
    table = [(len(z), 36), *((len(z), size) for size in (4, 12, 12, 16))]
    return header(4, 4, last=5) + struct.pack("<I12x", 32) + b"".join(struct.pack("<QQ", *t) for t in table) + z * 5


@pytest.mark.parametrize("version", [3, 4])
def test_a_bomb_is_inflated_only_as_far_as_its_header_says(version: int):
    data = bomb(version)
    tracemalloc.start()
    spz.decode(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20


def test_a_bomb_whose_header_agrees_is_refused_before_it_inflates():
    stream = zlib.compressobj(9, zlib.DEFLATED, 31)
    data = stream.compress(header(5_000_000)) + stream.compress(bytes(100_000_000)) + stream.flush()
    tracemalloc.start()
    with pytest.raises(FormatError, match="bomb"):
        spz.decode(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20
