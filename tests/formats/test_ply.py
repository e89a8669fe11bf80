"""PLY: exact round trips, every header that trainers and other tools write, and headers that lie."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from spatialwm.errors import FormatError
from spatialwm.formats import ply
from spatialwm.gaussians import Gaussians


def columns_of(data: bytes) -> dict[str, np.ndarray]:
    head, body = data.split(b"end_header\n", 1)
    names = [line.split()[-1] for line in head.decode().splitlines() if line.startswith("property")]
    return dict(zip(names, np.frombuffer(body, "<f4").reshape(-1, len(names)).T, strict=True))


def ply_of(columns: dict[str, np.ndarray], kind: str = "binary_little_endian", before: tuple[str, bytes] = ("", b"")) -> bytes:
    types = {"f4": "float", "f8": "double", "u1": "uchar", "i4": "int"}
    order = ">" if kind == "binary_big_endian" else "<"
    n = len(next(iter(columns.values())))
    header = f"ply\r\nformat {kind} 1.0\r\ncomment by hand\r\n{before[0]}element vertex {n}\r\n"
    header += "".join(f"property {types[c.dtype.str[1:]]} {name}\r\n" for name, c in columns.items()) + "end_header\r\n"
    if kind == "ascii":
        rows = zip(*(c.tolist() for c in columns.values()), strict=True)
        return header.encode() + before[1] + "".join(" ".join(map(repr, row)) + "\n" for row in rows).encode()
    table = np.empty(n, [(name, order + c.dtype.str[1:]) for name, c in columns.items()])
    for name, column in columns.items():
        table[name] = column
    return header.encode() + before[1] + table.tobytes()


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_what_was_read_is_written_and_read_again_bit_for_bit(gaussians_of, assert_same_bits, degree):
    once = ply.decode(ply.encode(gaussians_of(2000, degree, seed=degree))).gaussians
    again = ply.decode(ply.encode(once)).gaussians
    assert_same_bits(once, again)
    assert ply.encode(once) == ply.encode(again)


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_first_write_keeps_means_quats_and_color_exactly(gaussians_of, assert_same_bits, degree):
    g = gaussians_of(2000, degree)
    back = ply.decode(ply.encode(g)).gaussians
    assert_same_bits(g, back, "means", "quats")
    assert torch.equal(g.sh[:, :4], back.sh[:, :4])
    assert (g.sh - back.sh).abs().max() < 2e-6
    # log scales down to -9 are stored with 4.8e-7 of resolution, of which half, plus the float32 of the scale itself, remains
    assert ((g.scales - back.scales) / g.scales).abs().max() < 6e-7
    assert (g.opacities - back.opacities).abs().max() < 1.5e-7


def test_zero_and_one_have_no_finite_logarithm_but_survive(assert_same_bits):
    g = Gaussians.from_numpy(
        np.zeros((3, 3)), np.tile([1.0, 0, 0, 0], (3, 1)), np.array([[0, 1, 1e-9], [0, 0, 0], [1, 2, 3e4]]),
        np.array([0.0, 1.0, 0.5]), rgb=np.ones((3, 3)),
    )  # fmt: skip
    data = ply.encode(g)
    assert all(np.isfinite(c).all() for c in columns_of(data).values())
    back = ply.decode(data).gaussians
    assert back.opacities.tolist() == [0, 1, 0.5]
    assert back.scales[:, 0].tolist() == [0, 0, 1]
    assert_same_bits(back, ply.decode(ply.encode(back)).gaussians)


def test_infinite_logits_and_logarithms_mean_zero_and_one(gaussians_of):
    columns = {k: v.copy() for k, v in columns_of(ply.encode(gaussians_of(10))).items()}
    columns["opacity"][:2] = (-np.inf, np.inf)
    columns["scale_0"][2] = -np.inf
    g = ply.decode(ply_of(columns)).gaussians
    assert g.opacities[:2].tolist() == [0, 1]
    assert g.scales[2, 0] == 0


def test_quaternions_of_any_length_become_unit_and_zero_means_no_rotation(gaussians_of):
    columns = {k: v.copy() for k, v in columns_of(ply.encode(gaussians_of(4))).items()}
    for i in range(4):
        columns[f"rot_{i}"][0] *= 37
        columns[f"rot_{i}"][1] = 0
    g = ply.decode(ply_of(columns)).gaussians
    assert torch.allclose(g.quats.norm(dim=1), torch.ones(4))
    assert g.quats[1].tolist() == [1, 0, 0, 0]


@pytest.mark.parametrize("kind", ["ascii", "binary_little_endian", "binary_big_endian"])
def test_other_encodings_orders_types_and_extra_properties_are_read(gaussians_of, assert_same_bits, kind):
    written = ply.encode(gaussians_of(50, 1))
    columns = columns_of(written)
    shuffled = {name: columns[name].astype("f8" if name == "x" else "f4") for name in sorted(columns, reverse=True)}
    shuffled = {"label": np.arange(50, dtype="i4"), **shuffled, "red": np.zeros(50, "u1")}
    assert_same_bits(ply.decode(written).gaussians, ply.decode(ply_of(shuffled, kind)).gaussians)


@pytest.mark.parametrize(("kind", "rows"), [
    ("binary_little_endian", b"\x02\x01\0\0\0\x02\0\0\0\x07" + b"\x00\x07"),
    ("ascii", b"2 1 2 7\n0 7\n"),
])  # fmt: skip
def test_other_elements_before_the_vertices_are_skipped(gaussians_of, assert_same_bits, kind, rows):
    written = ply.encode(gaussians_of(9))
    before = ("element face 2\r\nproperty list uchar int vertex_indices\r\nproperty uchar flag\r\n", rows)
    assert_same_bits(ply.decode(written).gaussians, ply.decode(ply_of(columns_of(written), kind, before)).gaussians)


def test_sh_of_degree_4_is_cut_to_3_with_a_note(gaussians_of):
    columns = columns_of(ply.encode(gaussians_of(5)))
    file = ply.decode(ply_of({**columns, **{f"f_rest_{i}": np.full(5, i, "f4") for i in range(72)}}))
    assert file.gaussians.sh_degree == 3
    assert any("degree 4" in note for note in file.notes)


def test_few_invalid_splats_are_left_out_and_named(gaussians_of):
    columns = {k: v.copy() for k, v in columns_of(ply.encode(gaussians_of(100))).items()}
    columns["y"][7] = np.nan
    columns["scale_1"][8] = 1e9
    file = ply.decode(ply_of(columns))
    assert len(file.gaussians) == 98
    assert "2 of 100" in file.notes[0]
    assert "means of 1" in file.notes[0]
    assert "scales of 1" in file.notes[0]


def test_mostly_invalid_splats_are_an_error(gaussians_of):
    columns = {k: v.copy() for k, v in columns_of(ply.encode(gaussians_of(100))).items()}
    columns["rot_2"][:60] = np.nan
    with pytest.raises(FormatError, match=r"60 of 100 splats are NaN or infinite \(quats of 60\)"):
        ply.decode(ply_of(columns))


@pytest.mark.parametrize(("old", "new", "message"), [
    (b"element vertex 20", b"element vertex 2147483648", "declares 2147483648"),
    (b"element vertex 20", b"element vertex 99999999999999999", "truncated"),
    (b"element vertex 20", b"element vertex 21", "truncated"),
    (b"element vertex 20", b"element vertex -20", "element vertex -20"),
    (b"element vertex 20", b"element vertex many", "element vertex many"),
    (b"element vertex 20", b"element splat 20", "no 'vertex'"),
    (b"element vertex 20", b"element junk 461168601842738790\nproperty double a\nelement vertex 20", "0 are left"),
    (b"element vertex 20", b"element junk 2147483648\nproperty list uchar int a\nelement vertex 20", "past the end"),
    (b"float scale_1", b"float scale_9", "lack scale_1"),
    (b"float scale_1", b"float scale_0", "twice"),
    (b"float scale_1", b"list uchar float scale_1", "lists"),
    (b"float scale_1", b"quad scale_1", "not understood"),
    (b"float nx", b"float f_rest_0", "1 f_rest columns"),
    (b"format binary_little_endian", b"format morse", "not understood"),
    (b"format binary_little_endian 1.0\n", b"", "no format"),
    (b"end_header", b"the_end", "no end_header"),
    (b"ply\n", b"png\n", "does not begin"),
])  # fmt: skip
def test_a_header_that_lies_is_refused(gaussians_of, old, new, message):
    data = ply.encode(gaussians_of(20))
    assert old in data
    with pytest.raises(FormatError, match=message):
        ply.decode(data.replace(old, new, 1))


def test_text_with_a_word_missing_or_a_huge_count_is_refused(gaussians_of):
    text = ply_of(columns_of(ply.encode(gaussians_of(20))), "ascii")
    with pytest.raises(FormatError, match="values where 20 rows"):
        ply.decode(text[: text.rindex(b" ")])
    with pytest.raises(FormatError, match="more than the file can hold"):
        ply.decode(text.replace(b"vertex 20", b"vertex 2147483648"))


def test_no_gaussians_are_written_and_read():
    assert len(ply.decode(ply.encode(Gaussians.empty(2))).gaussians) == 0
