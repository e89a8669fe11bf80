// What blending forward and backward share: how a block covers its tile, and how the tile's splats pass through shared memory.
#pragma once
#include "tiles.cuh"
#include "warp.cuh"

namespace spatialwm {

constexpr int WARPS = 8;  // of a block: a thread per pixel of a 16x16 tile

// A warp owns 8x4 pixels, two warps abreast: nearer to a square than 16x2, so that fewer splats touch it.
constexpr int WARP_COLUMNS = 8, WARP_ROWS = 4;

struct Frame {
    int width, height, columns, rows;  // columns and rows of tiles
};

__device__ inline Frame frame_of(int width, int height) {
    return {width, height, (width + TILE - 1) / TILE, (height + TILE - 1) / TILE};
}

struct Pixel {
    long long index;  // in (cameras, height, width), -1 outside the image
    float x, y;  // its centre
};

__device__ inline Pixel pixel_of(const Frame &f, int tile, int thread) {
    const int lane = thread & 31, warp = thread >> 5, per_camera = f.columns * f.rows;
    const int camera = tile / per_camera, within = tile % per_camera;
    const int column = within % f.columns * TILE + (warp & 1) * WARP_COLUMNS + lane % WARP_COLUMNS;
    const int row = within / f.columns * TILE + (warp >> 1) * WARP_ROWS + lane / WARP_COLUMNS;
    const bool inside = column < f.width && row < f.height;
    return {inside ? ((long long)camera * f.height + row) * f.width + column : -1, column + 0.5f, row + 0.5f};
}

// Four words into shared memory without passing through registers.
__device__ inline void copy_async(float4 *to, const float4 *from) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    const unsigned address = static_cast<unsigned>(__cvta_generic_to_shared(to));
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(address), "l"(from) : "memory");
#else
    *to = *from;
#endif
}

__device__ inline void await_copies() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    asm volatile("cp.async.wait_all;" ::: "memory");
#endif
}

// Two batches of a tile's splats and of their channels: one that is used, one under way. Piece by piece, so that neighbouring
// threads touch neighbouring words and no two meet in a bank.
template <int CHANNELS>
struct Batches {
    static constexpr int PIECES = (CHANNELS + 3) / 4;
    static constexpr int SIZE = CHANNELS > 8 ? 32 : 128;  // what leaves room for the rest in 48 KB

    float4 splats[2][2][SIZE];
    float4 channels[2][PIECES][SIZE];
    int ranks[2][SIZE];

    __device__ Splat<float> splat(int buffer, int entry) const {
        const float4 p = splats[buffer][0][entry], q = splats[buffer][1][entry];
        return {p.x, p.y, p.z, p.w, q.x, q.y, q.z, q.w};
    }
};

// Brings a tile's list into Batches. Half of the block copies geometry, the other half channels; ranks are read a batch ahead
// of the copies that need them.
template <int CHANNELS>
class Feed {
    static constexpr int SIZE = Batches<CHANNELS>::SIZE, PIECES = Batches<CHANNELS>::PIECES;
    Batches<CHANNELS> &batches;
    const int *list;
    const float *splats, *channels;
    int stride, length, next, rank;

    __device__ int read() const { return next < length && threadIdx.x % 128 < SIZE ? list[next] : -1; }

public:
    // `channels` starts at the first wanted column.
    __device__ Feed(
        Batches<CHANNELS> &batches, const int *list, int length, const float *splats, const float *channels, int stride)
        : batches(batches), list(list), splats(splats), channels(channels), stride(stride), length(length) {
        next = threadIdx.x % 128;
        rank = read();
    }

    // Starts copying the next batch.
    __device__ void send(int batch) {
        const int buffer = batch & 1, entry = threadIdx.x % 128;
        if (rank >= 0 && threadIdx.x < 128) {
            const float4 *from = reinterpret_cast<const float4 *>(splats) + 2LL * rank;
            copy_async(&batches.splats[buffer][0][entry], from);
            copy_async(&batches.splats[buffer][1][entry], from + 1);
            batches.ranks[buffer][entry] = rank;
        } else if (rank >= 0) {
            const float4 *from = reinterpret_cast<const float4 *>(channels + (long long)rank * stride);
            for (int j = 0; j < PIECES; ++j) copy_async(&batches.channels[buffer][j][entry], from + j);
        }
        next += SIZE;
        rank = read();
    }
};

__device__ inline float part_of(const float4 &piece, int j) {
    return j == 0 ? piece.x : j == 1 ? piece.y : j == 2 ? piece.z : piece.w;
}

}  // namespace spatialwm
