// Voxels of the world frame, one bit each, as `collider.bin` brings them.
const HEADER_BYTES = 28;

export class Collider {
  constructor(buffer) {
    const view = new DataView(buffer);
    this.origin = [0, 4, 8].map((at) => view.getFloat32(at, true));
    this.voxel = view.getFloat32(12, true);
    this.dims = [16, 20, 24].map((at) => view.getUint32(at, true));
    this.bits = new Uint8Array(buffer, HEADER_BYTES);
  }

  /** Whether a standing cylinder overlaps at least `minHits` voxels; a lone floater does not block the way. */
  blocked(x, y, low, high, radius, minHits = 3) {
    // Whole voxels, not sample points: points spaced one voxel apart can fall on both edges of a wall and miss it.
    const [i0, j0, k0] = this.#index(x - radius, y - radius, low);
    const [i1, j1, k1] = this.#index(x + radius, y + radius, high);
    let hits = 0;
    for (let i = i0; i <= i1; i++)
      for (let j = j0; j <= j1; j++) {
        if (Math.hypot(this.#gap(0, i, x), this.#gap(1, j, y)) > radius) continue;
        for (let k = k0; k <= k1; k++) if (this.#filled(i, j, k) && ++hits >= minHits) return true;
      }
    return false;
  }

  /** Middle of the highest voxel below `from` under a round footprint; a single hole in sparse splats does not count. */
  ground(x, y, from, radius) {
    let best = this.#column(x, y, from);
    for (let a = 0; a < 8; a++) {
      const angle = (a * Math.PI) / 4;
      best = Math.max(best, this.#column(x + radius * Math.cos(angle), y + radius * Math.sin(angle), from));
    }
    return best;
  }

  #column(x, y, from) {
    const [i, j, top] = this.#index(x, y, from);
    for (let k = Math.min(top, this.dims[2] - 1); k >= 0; k--)
      if (this.#filled(i, j, k)) return this.origin[2] + (k + 0.5) * this.voxel;
    return -Infinity;
  }

  #index(...point) {
    return point.map((v, axis) => Math.floor((v - this.origin[axis]) / this.voxel));
  }

  /** Distance along an axis from a coordinate to the nearest edge of a voxel; 0 inside it. */
  #gap(axis, index, at) {
    const low = this.origin[axis] + index * this.voxel;
    return Math.max(low - at, at - low - this.voxel, 0);
  }

  #filled(i, j, k) {
    const [nx, ny, nz] = this.dims;
    if (i < 0 || j < 0 || k < 0 || i >= nx || j >= ny || k >= nz) return false;
    const bit = (i * ny + j) * nz + k;
    return ((this.bits[bit >> 3] >> (bit & 7)) & 1) === 1;
  }
}
