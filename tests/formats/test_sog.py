"""SOG: bundles written and read back, both versions, folders, levels of detail, and archives that lie."""

from __future__ import annotations

import io
import json
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from spatialwm.errors import FormatError
from spatialwm.formats import read_splats, sog, sog_encode
from spatialwm.formats.frames import RDF


def parts_of(bundle: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(bundle)) as z:
        return {name: z.read(name) for name in z.namelist()}


def bundle_of(parts: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as z:
        for name, data in parts.items():
            z.writestr(name, data)
    return out.getvalue()


def folder_of(parts: dict[str, bytes], folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name, data in parts.items():
        (folder / name).write_bytes(data)
    return folder


def webp(texels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(texels.astype(np.uint8), "RGBA").save(out, "WEBP", lossless=True, exact=True)
    return out.getvalue()


@pytest.mark.parametrize("degree", [0, 1, 2, 3])
def test_every_field_is_close_after_a_bundle(gaussians_of, degree):
    g = gaussians_of(6000, degree)
    g = g.select(torch.from_numpy(sog_encode._morton_order(RDF.vectors_from_world(g.means.numpy()))))
    back = sog.decode(sog_encode.encode(g)).gaussians
    step = (g.means.abs().amax().log1p() * 2 / 65535) * (1 + g.means.abs().amax())
    assert (g.means - back.means).abs().max() <= step
    assert (g.opacities - back.opacities).abs().max() <= 1 / 510 + 1e-6
    assert (g.scales / back.scales).log().abs().max() < 0.05
    assert (g.sh[:, 0] - back.sh[:, 0]).abs().max() < 0.02
    angle = 2 * torch.arccos((g.quats * back.quats).sum(1).abs().clamp(max=1))
    assert angle.max() < 0.02
    if degree:  # random coefficients cannot share a palette of 1500 rows well, but must still be nearer than the mean
        assert back.sh.shape == g.sh.shape
        assert (g.sh[:, 1:] - back.sh[:, 1:]).square().mean() < 0.95 * g.sh[:, 1:].square().mean()


def test_few_distinct_values_are_kept_exactly(gaussians_of, assert_same_bits):
    once = sog.decode(sog_encode.encode(gaussians_of(900, 1))).gaussians
    again = sog.decode(sog_encode.encode(once)).gaussians
    assert_same_bits(once, again, "scales", "opacities", "sh")
    assert sog_encode.encode(once) == sog_encode.encode(once)


def test_transparent_splats_keep_their_color(gaussians_of):
    g = gaussians_of(500)
    ghosts = type(g)(g.means, g.quats, g.scales, torch.zeros(500), g.sh)
    back = sog.decode(sog_encode.encode(ghosts)).gaussians
    assert back.opacities.max() == 0
    assert back.sh.std() > 0.1


def test_one_gaussian(gaussians_of):
    g = gaussians_of(1, 3)
    back = sog.decode(sog_encode.encode(g)).gaussians
    assert torch.allclose(g.means, back.means, atol=1e-5)
    assert torch.allclose(g.sh, back.sh, atol=1e-4)


def test_version_1_lerps_between_minima_and_maxima(tmp_path: Path):
    texel = np.zeros((4, 4, 4), np.uint8)

    def filled(*first: int) -> bytes:
        out = texel.copy()
        out[0, 0] = first
        return webp(out)

    palette = np.zeros((1, 64 * 3, 4), np.uint8)
    palette[0, 3:6] = 255  # the second row
    meta = {
        "means": {"shape": [2, 3], "mins": [-1, -1, -1], "maxs": [1, 1, 1], "files": ["l.webp", "u.webp"]},
        "scales": {"mins": [-4, -4, -4], "maxs": [-2, -2, -2], "files": ["s.webp"]},
        "quats": {"files": ["q.webp"]},
        "sh0": {"mins": [-1, -1, -1, -5], "maxs": [1, 1, 1, 5], "files": ["c.webp"]},
        "shN": {"mins": -2, "maxs": 2, "files": ["p.webp", "n.webp"]},
    }
    parts = {
        "meta.json": json.dumps(meta).encode(), "l.webp": filled(255, 255, 255, 255), "u.webp": filled(255, 255, 255, 255),
        "s.webp": filled(255, 0, 255, 255), "q.webp": filled(128, 128, 128, 255), "c.webp": filled(255, 255, 0, 255),
        "p.webp": webp(palette), "n.webp": filled(1, 0, 0, 255),
    }  # fmt: skip
    file = read_splats(folder_of(parts, tmp_path / "v1"))
    g = file.gaussians
    assert file.notes == ("SOG version 1", "SH degree 1 from a palette of 64")
    e = np.e - 1
    assert np.allclose(g.means, [[e, e, -e], [-e, -e, e]], atol=1e-6)
    assert torch.allclose(g.scales[0].log(), torch.tensor([-2.0, -2.0, -4.0]))  # own y and z change places with the frame
    assert torch.allclose(g.opacities, torch.sigmoid(torch.tensor([5.0, -5.0])))
    assert torch.allclose(g.sh[0, 0], torch.tensor([1.0, 1.0, -1.0]))
    assert g.sh[0, 1:].abs().eq(2).all()
    assert g.quats[0, 2].abs() > 0.999  # tag 255: file z is largest
    assert g.quats[1].tolist() == [1, 0, 0, 0]  # no tag: no rotation


def test_a_null_that_begins_a_codebook_continues_the_others(gaussians_of):
    parts = parts_of(sog_encode.encode(gaussians_of(2000)))
    meta = json.loads(parts["meta.json"])
    book = meta["scales"]["codebook"]
    first = book[1] + (book[1] - book[-1]) / 255
    book[0] = None
    parts["meta.json"] = json.dumps(meta).encode()
    smallest = sog.decode(bundle_of(parts)).gaussians.scales.log().min()
    assert smallest == pytest.approx(first, abs=1e-4)


def test_the_finest_level_present_is_read(tmp_path: Path, gaussians_of):
    sizes = {"0": 400, "1": 200, "2": 50}
    for level in ("1", "2"):
        folder_of(parts_of(sog_encode.encode(gaussians_of(sizes[level]))), tmp_path / f"{level}_0")

    def leaf(half: int) -> dict:
        return {"lods": {k: {"file": i, "offset": half * n // 2, "count": n // 2} for i, (k, n) in enumerate(sizes.items())}}

    lod = {"lodLevels": 3, "filenames": [f"{k}_0/meta.json" for k in sizes], "tree": {"children": [leaf(0), leaf(1)]}}
    (tmp_path / "lod-meta.json").write_text(json.dumps(lod))
    file = read_splats(tmp_path)
    assert len(file.gaussians) == 200
    assert "level 1 of 3, 0 the finest, finer levels are not in the folder" in file.notes
    assert torch.equal(file.gaussians.means, read_splats(tmp_path / "1_0" / "meta.json").gaussians.means)

    for change, message in [
        ({"filenames": ["../../secret/meta.json"] * 3}, "not a file name inside"),
        ({"filenames": ["/etc/meta.json"] * 3}, "not a file name inside"),
        ({"filenames": ["7_0/meta.json"] * 3}, "none of the 3 levels"),
        ({"lodLevels": 10**9}, "from 1 to 64"),
        ({"tree": [1]}, "not an object"),
        ({"tree": {"lods": {"0": {"file": 9, "offset": 0, "count": 1}}}}, "names no file"),
        ({"tree": {"lods": {"0": {"file": 1, "offset": 150, "count": 51}}}}, "up to 201 of 200"),
        ({"tree": {"children": [{"lods": {"0": {"file": 1, "offset": 0, "count": 200}}}] * 1000}}, "more splats than its files"),
    ]:
        (tmp_path / "lod-meta.json").write_text(json.dumps({**lod, **change}))
        with pytest.raises(FormatError, match=message):
            read_splats(tmp_path / "lod-meta.json")


def changed(parts: dict[str, bytes], **edits) -> dict[str, bytes]:
    meta = json.loads(parts["meta.json"])
    for key, value in edits.items():
        section, _, field = key.partition("__")
        if field:
            meta[section][field] = value
        else:
            meta[section] = value
    return {**parts, "meta.json": json.dumps(meta).encode()}


@pytest.mark.parametrize(("edits", "message"), [
    ({"version": 3}, "version 3"),
    ({"count": 2**31}, "2147483648 splats"),
    ({"count": -1}, "count of '-1'"),
    ({"count": 1e3}, "count of"),
    ({"count": True}, "count of"),
    ({"count": 90_000}, "for 90000 splats"),
    ({"means__files": ["../means_l.webp", "means_u.webp"]}, "not the plain name"),
    ({"means__files": ["meta.json", "means_u.webp"]}, "not a WebP"),
    ({"means__files": ["nothing.webp", "means_u.webp"]}, "has no 'nothing.webp'"),
    ({"means__mins": [0, 0]}, "list of 3"),
    ({"means__maxs": [0, 0, "1"]}, "'1' where a number"),
    ({"means__maxs": [0, 0, float("nan")]}, "where a number"),
    ({"scales__codebook": []}, "codebook"),
    ({"scales": 7}, "no scales"),
    ({"shN__bands": 3}, "not those of 3 bands"),
    ({"shN__files": ["quats.webp", "shN_labels.webp"]}, "wide"),
])  # fmt: skip
def test_a_description_that_lies_is_refused(gaussians_of, edits, message):
    parts = parts_of(sog_encode.encode(gaussians_of(300, 1)))
    with pytest.raises(FormatError, match=message):
        sog.decode(bundle_of(changed(parts, **edits)))


@pytest.mark.parametrize("meta", [b"", b"{", b"[]", b"[" * 100_000, b"\xff\xfe", b'{"version": 2}'])
def test_a_description_that_is_none_is_refused(gaussians_of, meta):
    parts = parts_of(sog_encode.encode(gaussians_of(10)))
    with pytest.raises((FormatError, KeyError)):
        sog.decode(bundle_of({**parts, "meta.json": meta}))


def test_a_label_past_its_palette_is_refused(gaussians_of):
    parts = parts_of(sog_encode.encode(gaussians_of(300, 1)))
    parts["shN_labels.webp"] = webp(np.full((20, 20, 4), 255))
    with pytest.raises(FormatError, match="label 65535"):
        sog.decode(bundle_of(parts))


@pytest.mark.parametrize("name", ["meta.json", "quats.webp"])
def test_a_zip_bomb_is_refused_unopened(gaussians_of, name):
    parts = parts_of(sog_encode.encode(gaussians_of(300)))
    data = bundle_of({**parts, name: bytes(300_000_000)}, zipfile.ZIP_DEFLATED)
    tracemalloc.start()
    with pytest.raises(FormatError, match="zip bomb"):
        sog.decode(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20


def test_a_picture_bomb_is_refused_by_its_header(gaussians_of):
    parts = parts_of(sog_encode.encode(gaussians_of(300)))
    bits = (16383 | 16383 << 14).to_bytes(4, "little")
    quats = bytearray(parts["quats.webp"])
    at = quats.index(b"VP8L") + 9
    quats[at : at + 4] = bits
    with pytest.raises(FormatError, match="16384x16384"):
        sog.decode(bundle_of({**parts, "quats.webp": bytes(quats)}))
