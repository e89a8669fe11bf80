"""Straight edges all around: each lies on a great circle, and great circles of parallel lines meet in two points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8
from scipy.ndimage import gaussian_filter, sobel
from scipy.spatial import KDTree

from spatialwm.geometry.camera import Camera
from spatialwm.geometry.color import LUMINANCE
from spatialwm.geometry.se3 import Vec3
from spatialwm.lift.image.panorama.sphere import look_up
from spatialwm.lift.image.rays import Rays

_FACE_PX = 320
_FACE_DEG = 94.0
"""A little more than a quarter turn: the borders of a face have no gradients."""
_STRAIGHT = 0.7
"""Coherence of the gradients over some 9 px: 1 for a perfect edge, 0.3 in leaves. With 0.9 the windows of distant houses drop out
as soon as they are slanted: of eight streets that hung by 3 to 12 degrees one was level within half a degree, with 0.7 seven."""
_STRONG = 4.0
"""Gradient, levels per pixel: less is noise or shading."""
_NEAR_RAD = np.radians(9.0)
_MOST = 12_000
_EYE: Vec3 = (0.0, 0.0, 0.0)
_AHEAD: Vec3 = (0.0, 0.0, 1.0)
_AXES: tuple[Vec3, ...] = (_AHEAD, (1.0, 0.0, 0.0), (0.0, 0.0, -1.0), (-1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, -1.0, 0.0))


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Pieces of straight edges, one per pixel that shows one."""

    directions: Float[np.ndarray, "n 3"]
    """Where they are seen; unit."""
    normals: Float[np.ndarray, "n 3"]
    """Unit normals of the planes through the eye and the edge: perpendicular to the edge's direction in space."""
    weights: Float[np.ndarray, " n"]
    """0..1 by how strong they are; also makes up for pixels that cover less of the sphere."""

    def turned(self, new_from_old: Float[np.ndarray, "3 3"]) -> Edges:
        """In another frame of reference."""
        return Edges(self.directions @ new_from_old.T, self.normals @ new_from_old.T, self.weights)

    def straightened(self) -> Edges:
        """With normals of the great circles through their neighbours, and only those with neighbours along 5 degrees.

        A gradient tells an edge's direction within some 2 degrees; twenty of them in a row tell it within a quarter.
        """
        if len(self.weights) > _MOST:
            thinner = slice(None, None, len(self.weights) // _MOST + 1)
            return Edges(self.directions[thinner], self.normals[thinner], self.weights[thinner]).straightened()
        if not len(self.weights):
            return self
        i, j = KDTree(self.directions).query_pairs(_NEAR_RAD, output_type="ndarray").T
        alike = np.abs(np.einsum("ni,ni->n", self.normals[i], self.normals[j])) > np.cos(np.radians(8))
        i, j = np.concatenate([i[alike], j[alike]]), np.concatenate([j[alike], i[alike]])
        normals, extent = self.normals, np.zeros(len(self.weights))
        for limit_rad in np.radians([0.8, 0.4, 0.3]):
            on = np.abs(np.einsum("ni,ni->n", normals[i], self.directions[j])) < limit_rad
            a, b = i[on], j[on]
            scatter = np.einsum("ni,nj->nij", self.directions, self.directions) * self.weights[:, None, None]
            np.add.at(scatter, a, np.einsum("n,ni,nj->nij", self.weights[b], self.directions[b], self.directions[b]))
            values, axes = np.linalg.eigh(scatter)
            normals = axes[:, :, 0]
            extent = np.sqrt(np.maximum(values[:, 1], 0) / np.maximum(values.sum(1), 1e-12))  # rms, along the great circle
        long = extent > np.radians(5.0) / np.sqrt(12)
        weights = self.weights * np.minimum(extent / (_NEAR_RAD / np.sqrt(3)), 1)
        return Edges(self.directions[long], normals[long], weights[long])


def find_edges(rgb: UInt8[np.ndarray, "h w 3"]) -> Edges:
    """The straight edges of an equirectangular picture, found on the six faces of a cube, where straight is straight."""
    grey = rgb.astype(np.float32) @ LUMINANCE.astype(np.float32)
    # Finer than the faces, the picture would alias; coarser than them, its pixels would become edges.
    grey = gaussian_filter(grey, max(0.0, 0.5 * rgb.shape[1] / 4 / _FACE_PX - 0.3), mode=("nearest", "wrap"))  # pyright: ignore[reportArgumentType]
    face_px = min(_FACE_PX, max(32, rgb.shape[1] // 4))
    camera = Camera.look_at(_EYE, _AHEAD, face_px, face_px, _FACE_DEG, (0.0, -1.0, 0.0))
    rays = Rays.pinhole(camera).directions
    found = [_of_face(grey, rays, camera.fx, _looking_along(axis)) for axis in _AXES]
    return Edges(*(np.concatenate(part) for part in zip(*found, strict=True)))


def _looking_along(axis: Vec3) -> Float[np.ndarray, "3 3"]:
    up = (0.0, -1.0, 0.0) if axis[1] == 0 else (0.0, 0.0, 1.0)
    return Camera.look_at(_EYE, axis, 2, 2, 90.0, up).world_from_cam.rotation()


def _of_face(
    grey: np.ndarray, rays: np.ndarray, focal: float, pano_from_face: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    smooth = gaussian_filter(look_up(grey, rays @ pano_from_face.T), 1.0)
    gx, gy = sobel(smooth, 1) / 8, sobel(smooth, 0) / 8
    xx, yy, xy = (gaussian_filter(a, 2.5) for a in (gx * gx, gy * gy, gx * gy))
    coherent = np.hypot(xx - yy, 2 * xy) > _STRAIGHT * (xx + yy)
    strength = np.hypot(gx, gy)
    # Only the crest of an edge, else wide ones count several times.
    across = np.abs(gx) > np.abs(gy)
    crest = np.where(
        across,
        (strength >= np.roll(strength, 1, 1)) & (strength >= np.roll(strength, -1, 1)),
        (strength >= np.roll(strength, 1, 0)) & (strength >= np.roll(strength, -1, 0)),
    )
    inside = np.zeros(strength.shape, bool)
    inside[4:-4, 4:-4] = True
    v, u = np.nonzero(coherent & crest & inside & (strength > _STRONG))
    angle = 0.5 * np.arctan2(2 * xy[v, u], (xx - yy)[v, u])
    a, b = np.cos(angle), np.sin(angle)
    half = strength.shape[0] / 2
    # The line a x + b y + c = 0 in pixels seen from the camera: the plane's normal is K^T (a, b, c).
    offset = -(a * (u + 0.5 - half) + b * (v + 0.5 - half))
    normals = np.stack([a * focal, b * focal, offset], 1)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    seen = rays[v, u]
    solid = seen[:, 2] ** 3  # of a pinhole pixel, relative to the middle of the face
    weights = solid * np.minimum(strength[v, u] / (4 * _STRONG), 1)
    return seen @ pano_from_face.T, normals @ pano_from_face.T, weights
