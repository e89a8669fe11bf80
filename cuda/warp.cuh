// What the 32 threads of a warp, and the warps of a block, find out together. Device only.
#pragma once

namespace spatialwm {

constexpr unsigned ALL_LANES = 0xffffffffu;

// Shuffles and not __reduce_add_sync, which GPUs before sm_80 lack.
template <typename T>
__device__ inline T warp_sum(T value) {
    for (int distance = 16; distance > 0; distance >>= 1) value += __shfl_xor_sync(ALL_LANES, value, distance);
    return value;
}

__device__ inline int warp_max(int value) {
    for (int distance = 16; distance > 0; distance >>= 1) value = max(value, __shfl_xor_sync(ALL_LANES, value, distance));
    return value;
}

// How many lower lanes are in `mask`.
__device__ inline int place_in(unsigned mask, int lane) { return __popc(mask & ((1u << lane) - 1)); }

// By its bits: fast maths leaves no promise about comparisons with NaN.
__device__ inline bool not_finite(float value) { return (__float_as_uint(value) & 0x7f800000u) == 0x7f800000u; }

__device__ inline bool any_not_finite(const float *values, int count) {
    bool bad = false;
    for (int j = 0; j < count; ++j) bad |= not_finite(values[j]);
    return bad;
}

// Sums over a block's 8 warps of COUNT values a thread, by thread 0..COUNT-1 into `out`. Every thread of the block must come.
template <int COUNT>
__device__ inline void block_sums(const float *values, float (*stage)[COUNT], float *out) {
    const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
    for (int j = 0; j < COUNT; ++j) {
        const float sum = warp_sum(values[j]);
        if (lane == 0) stage[warp][j] = sum;
    }
    __syncthreads();
    if (threadIdx.x < COUNT) {
        float sum = 0;
        for (int w = 0; w < 8; ++w) sum += stage[w][threadIdx.x];
        out[threadIdx.x] = sum;
    }
    __syncthreads();
}

}  // namespace spatialwm
