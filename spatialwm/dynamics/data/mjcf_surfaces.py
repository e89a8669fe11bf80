"""Points on the surface of any geom of a compiled MuJoCo model, with outward normals, texture coordinates and colours."""

# MuJoCo's names live in compiled modules without stubs.
# pyright: reportAttributeAccessIssue=false
from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np
from jaxtyping import Float

_G = mujoco.mjtGeom
PLANE, SPHERE, CAPSULE, ELLIPSOID, CYLINDER, BOX, MESH = (
    int(g) for g in (_G.mjGEOM_PLANE, _G.mjGEOM_SPHERE, _G.mjGEOM_CAPSULE, _G.mjGEOM_ELLIPSOID, _G.mjGEOM_CYLINDER, _G.mjGEOM_BOX,
                     _G.mjGEOM_MESH)
)  # fmt: skip
KINDS = (PLANE, SPHERE, CAPSULE, ELLIPSOID, CYLINDER, BOX, MESH)
"""Geoms that have a surface here: no height fields, no signed distance fields."""
_COLOR_ROLES = (int(mujoco.mjtTextureRole.mjTEXROLE_RGB), int(mujoco.mjtTextureRole.mjTEXROLE_RGBA))


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """n points of one geom, in its own frame."""

    points: Float[np.ndarray, "n 3"]
    normals: Float[np.ndarray, "n 3"]
    """Unit, outward."""
    uv: Float[np.ndarray, "n 2"] | None = None
    """Texture coordinates of a mesh that has some."""


def sample(model: mujoco.MjModel, geom: int, count: int, rng: np.random.Generator, plane_half_m: float) -> Samples:
    """``count`` points, even over the surface.

    Args:
        geom: of one of :data:`KINDS`.
        plane_half_m: half the side of what is sampled of an endless plane.
    """
    kind, size = int(model.geom_type[geom]), _size(model, geom, plane_half_m)
    if kind == PLANE:
        points = np.c_[rng.uniform(-1, 1, (count, 2)) * size[:2], np.zeros(count)]
        return Samples(points, np.tile([0.0, 0.0, 1.0], (count, 1)))
    if kind in (SPHERE, ELLIPSOID):
        radii = size if kind == ELLIPSOID else np.full(3, size[0])
        return _ellipsoid(radii, count, rng)
    if kind in (CAPSULE, CYLINDER):
        return _rod(size[0], size[1], kind == CAPSULE, count, rng)
    if kind == BOX:
        return _box(size, count, rng)
    return _mesh(model, int(model.geom_dataid[geom]), count, rng)


def area(model: mujoco.MjModel, geom: int, plane_half_m: float) -> float:
    """Of the surface, square metres; 0 for what is not in :data:`KINDS`."""
    kind, s = int(model.geom_type[geom]), _size(model, geom, plane_half_m)
    if kind == PLANE:
        return float(4 * s[0] * s[1])
    if kind == SPHERE:
        return float(4 * np.pi * s[0] ** 2)
    if kind == ELLIPSOID:  # Thomsen's formula, within 1.1 %
        p = 1.6075
        a, b, c = s**p
        return float(4 * np.pi * ((a * b + a * c + b * c) / 3) ** (1 / p))
    if kind in (CAPSULE, CYLINDER):
        ends = (4 if kind == CAPSULE else 2) * np.pi * s[0] ** 2
        return float(ends + 4 * np.pi * s[0] * s[1])
    if kind == BOX:
        return float(8 * (s[0] * s[1] + s[0] * s[2] + s[1] * s[2]))
    return float(_triangles(model, int(model.geom_dataid[geom]))[1].sum()) if kind == MESH else 0.0


def colors(model: mujoco.MjModel, geom: int, samples: Samples) -> Float[np.ndarray, "n 3"]:
    """sRGB of each point: tint times the material's colour texture, laid on as MuJoCo's own renderer lays it.

    Source: ``settexture`` in MuJoCo's render_gl3.c: texture coordinates where a mesh has some, else a 2D texture is projected
    along z and a cube texture from the middle.
    """
    out = np.tile(_tint(model, geom)[:3], (len(samples.points), 1))
    material = int(model.geom_matid[geom])
    texture = _color_texture(model, material) if material >= 0 else -1
    if texture < 0:
        return np.clip(out, 0, 1)
    image = _image(model, texture)
    uniform, half = bool(model.mat_texuniform[material]), np.asarray(model.geom_size[geom], np.float64)
    if int(model.geom_type[geom]) in (SPHERE, CAPSULE, CYLINDER):
        half = np.array([half[0], half[0], half[0] if int(model.geom_type[geom]) == SPHERE else half[1]])
    half = np.where((half > 0) & (not uniform), half, 1.0)
    if int(model.tex_type[texture]) != int(mujoco.mjtTexture.mjTEXTURE_2D):
        return np.clip(out * _on_cube(image, samples.points / half), 0, 1)
    uv = samples.uv
    if uv is None:
        uv = 0.5 * model.mat_texrepeat[material] * [1, -1] * samples.points[:, :2] / half[:2] - 0.5
    return np.clip(out * _texels(image, uv % 1.0), 0, 1)


def alpha(model: mujoco.MjModel, geom: int) -> float:
    """How opaque a geom is drawn, 0..1."""
    return float(_tint(model, geom)[3])


def triangles(model: mujoco.MjModel, geom: int) -> Float[np.ndarray, "f 3 3"] | None:
    """The triangles of a mesh geom in its own frame; None for the others."""
    return _triangles(model, int(model.geom_dataid[geom]))[0] if int(model.geom_type[geom]) == MESH else None


def _size(model: mujoco.MjModel, geom: int, plane_half_m: float) -> np.ndarray:
    size = np.asarray(model.geom_size[geom], np.float64)
    if int(model.geom_type[geom]) != PLANE:
        return size
    return np.where(size > 0, np.minimum(size, plane_half_m), plane_half_m)


def _ellipsoid(radii: np.ndarray, count: int, rng: np.random.Generator) -> Samples:
    """Directions on a sphere, kept as often as the stretched surface around them is large."""
    kept = np.zeros((0, 3))
    while len(kept) < count:
        d = rng.normal(size=(4 * count, 3))
        d /= np.linalg.norm(d, axis=1, keepdims=True)
        stretch = np.linalg.norm(d / radii, axis=1) * radii.min()
        kept = np.concatenate([kept, d[rng.random(len(d)) < stretch]])
    d = kept[:count]
    normals = d / radii
    return Samples(d * radii, normals / np.linalg.norm(normals, axis=1, keepdims=True))


def _rod(radius: float, half: float, rounded: bool, count: int, rng: np.random.Generator) -> Samples:
    ends = (4 if rounded else 2) * np.pi * radius**2
    on_side = rng.random(count) < (side := 4 * np.pi * radius * half) / (side + ends)
    angle = rng.uniform(0, 2 * np.pi, count)
    around = np.c_[np.cos(angle), np.sin(angle), np.zeros(count)]
    along = np.c_[np.zeros((count, 2)), rng.uniform(-half, half, count)]
    if rounded:
        end_normals = rng.normal(size=(count, 3))
        end_normals /= np.linalg.norm(end_normals, axis=1, keepdims=True)
        end_points = end_normals * radius
        end_points[:, 2] += np.sign(end_normals[:, 2]) * half
    else:
        end_normals = np.c_[np.zeros((count, 2)), rng.choice([-1.0, 1.0], count)]
        end_points = around * (radius * np.sqrt(rng.random(count)))[:, None] + end_normals * half
    points = np.where(on_side[:, None], around * radius + along, end_points)
    return Samples(points, np.where(on_side[:, None], around, end_normals))


def _box(half: np.ndarray, count: int, rng: np.random.Generator) -> Samples:
    faces = np.array([half[1] * half[2], half[0] * half[2], half[0] * half[1]])
    axis, sign = rng.choice(3, count, p=faces / faces.sum()), rng.choice([-1.0, 1.0], count)
    points = rng.uniform(-1, 1, (count, 3)) * half
    points[np.arange(count), axis] = sign * half[axis]
    normals = np.zeros((count, 3))
    normals[np.arange(count), axis] = sign
    return Samples(points, normals)


def _mesh(model: mujoco.MjModel, mesh: int, count: int, rng: np.random.Generator) -> Samples:
    corners, areas = _triangles(model, mesh)
    chosen = rng.choice(len(corners), count, p=areas / areas.sum())
    u, v = rng.random((2, count))
    folded = u + v > 1
    u[folded], v[folded] = 1 - u[folded], 1 - v[folded]
    weights = np.stack([1 - u - v, u, v], 1)[:, :, None]
    tri = corners[chosen]
    normals = np.cross(tri[:, 1] - tri[:, 0], tri[:, 2] - tri[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-20)
    uv = None
    start, texcoords = int(model.mesh_texcoordadr[mesh]), int(model.mesh_texcoordnum[mesh])
    if start >= 0 and texcoords:
        first, faces = int(model.mesh_faceadr[mesh]), int(model.mesh_facenum[mesh])
        indices = model.mesh_facetexcoord[first : first + faces][chosen]
        uv = (model.mesh_texcoord[start : start + texcoords][indices] * weights).sum(1).astype(np.float64)
    return Samples((tri * weights).sum(1), normals, uv)


def _triangles(model: mujoco.MjModel, mesh: int) -> tuple[np.ndarray, np.ndarray]:
    """Corners (f, 3, 3) and areas (f,)."""
    first, faces = int(model.mesh_faceadr[mesh]), int(model.mesh_facenum[mesh])
    start, vertices = int(model.mesh_vertadr[mesh]), int(model.mesh_vertnum[mesh])
    corners = model.mesh_vert[start : start + vertices].astype(np.float64)[model.mesh_face[first : first + faces]]
    crossed = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return corners, np.linalg.norm(crossed, axis=1) / 2


def _tint(model: mujoco.MjModel, geom: int) -> np.ndarray:
    """A geom's own colour wins over its material's, unless it is the grey that every geom has by default."""
    own, material = np.asarray(model.geom_rgba[geom], np.float64), int(model.geom_matid[geom])
    if material < 0 or not np.array_equal(own, [0.5, 0.5, 0.5, 1.0]):
        return own
    return np.asarray(model.mat_rgba[material], np.float64)


def _texels(image: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """MuJoCo turns v over when it reads a mesh, so that row 0 of a texture is at v = 0."""
    cells = (uv * [image.shape[1], image.shape[0]]).astype(np.int64)
    return image[np.minimum(cells[:, 1], image.shape[0] - 1), np.minimum(cells[:, 0], image.shape[1] - 1)]


def _on_cube(image: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Six square faces one below the other (or one for all), looked up as OpenGL does (specification, table 8.19)."""
    side, rows = image.shape[1], np.arange(len(directions))
    axis = np.abs(directions).argmax(1)
    major = directions[rows, axis]
    sign = np.where(major < 0, -1.0, 1.0)
    x, y, z = directions.T
    across = np.choose(axis, [-sign * z, x, sign * x])
    down = np.choose(axis, [-y, sign * z, -y])
    uv = (np.stack([across, down], 1) / np.maximum(np.abs(major), 1e-12)[:, None] + 1) / 2
    cells = np.minimum((uv.clip(0, 1) * side).astype(np.int64), side - 1)
    face = 2 * axis + (sign < 0) if len(image) == 6 * side else 0
    return image[cells[:, 1] + face * side, cells[:, 0]]


def _color_texture(model: mujoco.MjModel, material: int) -> int:
    """The texture that gives a material its colour; roughness, normals and the like have roles of their own."""
    roles = np.atleast_1d(model.mat_texid[material])
    if roles.size == 1:  # before MuJoCo 3.2 a material had one texture
        return int(roles[0])
    return next((int(roles[r]) for r in _COLOR_ROLES if roles[r] >= 0), -1)


def _image(model: mujoco.MjModel, texture: int) -> np.ndarray:
    height, width, channels = (int(a[texture]) for a in (model.tex_height, model.tex_width, model.tex_nchannel))
    start = int(model.tex_adr[texture])
    pixels = model.tex_data[start : start + height * width * channels].reshape(height, width, channels)
    return (pixels if channels >= 3 else np.repeat(pixels[..., :1], 3, -1))[..., :3] / 255.0
