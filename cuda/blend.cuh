// What blending forward and backward share: how a block covers its tile, and where a bucket's state is kept.
#pragma once
#include "tiles.cuh"
#include "warp.cuh"

namespace spatialwm {

constexpr int TILE_PIXELS = TILE * TILE;
constexpr int BUCKET = 128;  // splats between two stored states of a tile's pixels, and a batch of the forward pass

// A warp owns 8x4 pixels, two warps abreast: nearer to a square than 16x2, so that fewer splats touch it.
struct Place {
    int x, y;
};
__device__ inline Place place_in_tile(int thread) {
    const int lane = thread & 31, warp = thread >> 5;
    return {(warp & 1) * 8 + (lane & 7), (warp >> 1) * 4 + (lane >> 3)};
}

struct Frame {
    int width, height, columns, rows;  // columns and rows of tiles
};
__device__ inline Frame frame_of(int width, int height) {
    return {width, height, (width + TILE - 1) / TILE, (height + TILE - 1) / TILE};
}

// Index of a pixel of a tile in (cameras, height, width), -1 outside the image; and where its centre is.
__device__ inline long long pixel_of(const Frame &f, int tile, Place place, float *x, float *y) {
    const int per_camera = f.columns * f.rows, camera = tile / per_camera, within = tile % per_camera;
    const int column = within % f.columns * TILE + place.x, row = within / f.columns * TILE + place.y;
    *x = column + 0.5f;
    *y = row + 0.5f;
    return column < f.width && row < f.height ? ((long long)camera * f.height + row) * f.width + column : -1;
}

// States of buckets 1, 2, ... of a tile, (1 + channels, 256) floats each: transmittance, then the colour blended so far. The first
// bucket needs none. `buckets` are exclusive sums of the counts of find_starts.
__device__ inline float *state_of(float *states, const long long *buckets, int tile, int bucket, int channels) {
    return states + (buckets[tile] + bucket - 1) * (1 + channels) * TILE_PIXELS;
}

__device__ inline Splat<float> splat_from(float4 p, float4 q) {
    return {p.x, p.y, p.z, p.w, q.x, q.y, q.z, q.w};
}

}  // namespace spatialwm
