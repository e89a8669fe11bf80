"""Colours decode and encode, names are known, meshes guard their arrays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spatialwm.errors import ShapeError
from spatialwm.geometry.color import COLOR_NAMES, linear_to_srgb, parse_color, srgb_to_linear, to_hex
from spatialwm.geometry.mesh import Mesh, concatenate

QUICK = settings(deadline=None, max_examples=40)

TRIANGLE = (np.eye(3, dtype=np.float32), np.array([[0, 1, 2]], np.int32))


@QUICK
@given(st.floats(0, 1))
def test_encoding_undoes_decoding(value):
    assert float(linear_to_srgb(srgb_to_linear(np.array([value])))[0]) == pytest.approx(value, abs=1e-6)


def test_the_transfer_curve_has_its_published_values():
    np.testing.assert_allclose(srgb_to_linear(np.array([0.0, 0.04045, 0.5, 1.0])), [0, 0.0031308, 0.21404114, 1], atol=1e-7)


@pytest.mark.parametrize("name", COLOR_NAMES)
def test_every_colour_name_reads_and_prints_back(name):
    assert to_hex(parse_color(name)) == COLOR_NAMES[name]


def test_shades_and_hex_read():
    assert (parse_color("dark red") < parse_color("red")).all()
    assert (parse_color("Light  Blue") <= 1).all()
    assert parse_color(" #FF8000 ").tolist() == [1, 128 / 255, 0]


@pytest.mark.parametrize("text", ["", "dark", "reddish", "#12345", "#gggggg", "red dark"])
def test_what_is_no_colour_is_refused(text):
    with pytest.raises(ShapeError, match="unknown colour"):
        parse_color(text)


def test_a_mesh_cannot_be_changed_through_what_it_was_made_of():
    vertices, faces = (a.copy() for a in TRIANGLE)
    mesh = Mesh(vertices, faces)
    vertices[:] = 7
    assert mesh.vertices.tolist() == np.eye(3).tolist()
    with pytest.raises(ValueError, match="read-only"):
        mesh.vertices[0] = 1


def test_a_mesh_that_does_not_hang_together_is_refused():
    vertices, faces = TRIANGLE
    for bad, said in (
        (lambda: Mesh(vertices, faces + 1), "index past"),
        (lambda: Mesh(vertices, faces - 1), "index past"),
        (lambda: Mesh(vertices * np.float32(np.nan), faces), "NaN or infinite"),
        (lambda: Mesh(vertices, faces, vertices[:2]), "colors"),
    ):
        with pytest.raises((ShapeError, TypeError), match=said):
            bad()


def test_concatenation_shifts_faces_and_keeps_colours_only_when_all_have_them():
    painted, plain = Mesh(*TRIANGLE, TRIANGLE[0]), Mesh(*TRIANGLE)
    both = concatenate([painted, painted])
    assert both.faces.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert both.colors is not None
    assert concatenate([painted, plain]).colors is None
    assert len(concatenate([]).faces) == 0
    assert plain.bounds().tolist() == [[0, 0, 0], [1, 1, 1]]
