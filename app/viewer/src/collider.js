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

  solid(x, y, z) {
    const [ox, oy, oz] = this.origin;
    const [nx, ny, nz] = this.dims;
    const i = Math.floor((x - ox) / this.voxel);
    const j = Math.floor((y - oy) / this.voxel);
    const k = Math.floor((z - oz) / this.voxel);
    if (i < 0 || j < 0 || k < 0 || i >= nx || j >= ny || k >= nz) return false;
    const bit = (i * ny + j) * nz + k;
    return ((this.bits[bit >> 3] >> (bit & 7)) & 1) === 1;
  }

  /** Whether a standing cylinder overlaps at least `minHits` voxels; a lone floater does not block the way. */
  blocked(x, y, low, high, radius, minHits = 3) {
    const step = this.voxel;
    let hits = 0;
    for (let dx = -radius; dx <= radius; dx += step)
      for (let dy = -radius; dy <= radius; dy += step) {
        if (dx * dx + dy * dy > radius * radius * 1.1) continue;
        for (let z = low; z <= high; z += step) if (this.solid(x + dx, y + dy, z) && ++hits >= minHits) return true;
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
    for (let z = from; z > this.origin[2]; z -= this.voxel)
      if (this.solid(x, y, z)) return this.origin[2] + (Math.floor((z - this.origin[2]) / this.voxel) + 0.5) * this.voxel;
    return -Infinity;
  }
}
