// Front-to-back blending, a block per 16x16 tile, a thread per pixel.
//
// The tile's splats pass through shared memory in batches of 128, the next one under way while this one is blended. Each warp tests a
// batch against its own 8x4 pixels, a splat per lane, and walks only over the survivors of a ballot: most splats of a tile touch a
// minority of its eight warps.
#include "blend.cuh"

namespace spatialwm {

constexpr int BATCH = BUCKET;

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

template <int CHANNELS>
struct Stage {
    static constexpr int PIECES = (CHANNELS + 3) / 4;
    // Piece by piece, so that neighbouring threads touch neighbouring words: no two meet in a bank.
    float4 splats[2][2][BATCH];
    float4 channels[2][PIECES][BATCH];
};

// Half of the block copies geometry, the other half channels; thread t and t + 128 serve entry t.
template <int CHANNELS>
__device__ inline void copy_entry(
    Stage<CHANNELS> &stage, int buffer, int rank, const float *splats, const float *channels, int stride) {
    constexpr int PIECES = Stage<CHANNELS>::PIECES;
    const int entry = threadIdx.x % BATCH;
    if (threadIdx.x < BATCH) {
        const float4 *from = reinterpret_cast<const float4 *>(splats) + 2LL * rank;
        copy_async(&stage.splats[buffer][0][entry], from);
        copy_async(&stage.splats[buffer][1][entry], from + 1);
    } else {
        const float4 *from = reinterpret_cast<const float4 *>(channels + (long long)rank * stride);
        for (int j = 0; j < PIECES; ++j) copy_async(&stage.channels[buffer][j][entry], from + j);
    }
}

template <int CHANNELS>
__device__ inline void blend(
    Stage<CHANNELS> &stage, const int *starts, const int *list, const float *splats, const float *channels, int stride, int first,
    int count, int total, int width, int height, const float *backgrounds, int expected_depth, const long long *buckets, float *states,
    const long long *gaussian_ids, float *image, float *transmittance, float *alphas, int *lasts, int *ids) {
    const int tile = blockIdx.x, thread = threadIdx.x, lane = thread & 31;
    const Frame frame = frame_of(width, height);
    float px, py, left, top;
    const long long pixel = pixel_of(frame, tile, place_in_tile(thread), &px, &py);
    pixel_of(frame, tile, place_in_tile(thread & ~31), &left, &top);

    float T = 1, alpha = 0, sum[CHANNELS] = {}, heaviest = 0;
    int last = 0, best = -1;
    bool open = pixel >= 0;
    const int start = starts[tile], length = starts[tile + 1] - start, batches = (length + BATCH - 1) / BATCH;
    channels += first;
    // Ranks are read a batch ahead of the copies that need them.
    int rank = thread % BATCH < length ? list[start + thread % BATCH] : -1;
    if (rank >= 0) copy_entry(stage, 0, rank, splats, channels, stride);
    int next = BATCH + thread % BATCH;
    rank = next < length ? list[start + next] : -1;
    for (int batch = 0; batch < batches; ++batch) {
        await_copies();
        // Publishes this batch, and tells that nobody reads the buffer of the one before any more.
        if (__syncthreads_count(open) == 0) break;
        if (rank >= 0) copy_entry(stage, (batch + 1) & 1, rank, splats, channels, stride);
        next += BATCH;
        rank = next < length ? list[start + next] : -1;
        if (states && batch > 0) {
            float *state = state_of(states, buckets, tile, batch, total) + thread;
            if (first == 0) state[0] = T;
            for (int j = 0; j < CHANNELS; ++j)
                if (j < count) state[(1 + first + j) * TILE_PIXELS] = sum[j];
        }
        const int here = min(BATCH, length - batch * BATCH);
        const float4(*pieces)[BATCH] = stage.splats[batch & 1];
        for (int chunk = 0; chunk < here; chunk += 32) {
            if (!__any_sync(ALL_LANES, open)) break;
            const int mine = chunk + lane;
            const bool touches =
                mine < here && reaches_rectangle(splat_from(pieces[0][mine], pieces[1][mine]), left, top, left + 7, top + 3);
            for (unsigned survivors = __ballot_sync(ALL_LANES, touches); survivors; survivors &= survivors - 1) {
                const int entry = chunk + __ffs(survivors) - 1;
                const Splat<float> s = splat_from(pieces[0][entry], pieces[1][entry]);
                const float dy = py - s.y;
                const float opacity = min(exp2f(log_alpha(s, px - s.x + s.slope * dy, dy)), MAX_ALPHA);
                const float weight = opacity * T, after = T - weight;
                const bool blends = open && opacity >= MIN_ALPHA;
                if (blends && after > MIN_TRANSMITTANCE) {
                    const float4(*values)[BATCH] = stage.channels[batch & 1];
#pragma unroll
                    for (int j = 0; j < CHANNELS; ++j) {
                        const float4 piece = values[j / 4][entry];
                        sum[j] += weight * (j % 4 == 0 ? piece.x : j % 4 == 1 ? piece.y : j % 4 == 2 ? piece.z : piece.w);
                    }
                    // 1 - T, but exact for faint pixels too: expected depth is divided by it.
                    alpha += weight;
                    T = after;
                    last = batch * BATCH + entry + 1;
                    if (ids && weight > heaviest) heaviest = weight, best = last;
                } else if (blends) {
                    open = false;
                }
            }
        }
    }
    if (pixel < 0) return;
    float *out = image + pixel * total + first;
    const float *behind = backgrounds ? backgrounds + tile / (frame.columns * frame.rows) * total + first : nullptr;
#pragma unroll
    for (int j = 0; j < CHANNELS; ++j) {
        if (j >= count) break;
        const float value = behind ? sum[j] + T * behind[j] : sum[j];
        out[j] = expected_depth && first + j == total - 1 ? value / larger(alpha, 1e-10f) : value;
    }
    if (first > 0) return;
    alphas[pixel] = alpha;
    if (transmittance) transmittance[pixel] = T;
    if (lasts) lasts[pixel] = last;
    if (ids) ids[pixel] = best < 0 ? -1 : int(gaussian_ids[list[start + best - 1]]);
}

}  // namespace spatialwm

using namespace spatialwm;

// Channels first ... first + count of `total`, count at most the number in the kernel's name; rows of `channels` are `stride` floats,
// 16-byte aligned, with room for whole quadruples up to the number in the name. `backgrounds` (cameras, total) may be null. `expected_depth`: the last channel is divided by
// alpha. For backward, else null: `states` with `buckets`, `transmittance` (what each pixel lets through), `lasts` (how far into its
// tile's list it blended). `ids` may be null. Only the call with first == 0 writes what is not `image` or states.
#define PARAMETERS                                                                                                             \
    const int *__restrict__ starts, const int *__restrict__ list, const float *__restrict__ splats,                            \
        const float *__restrict__ channels, int stride, int first, int count, int total, int width, int height,                \
        const float *__restrict__ backgrounds, int expected_depth, const long long *__restrict__ buckets,                      \
        float *__restrict__ states, const long long *__restrict__ gaussian_ids, float *__restrict__ image,                     \
        float *__restrict__ transmittance, float *__restrict__ alphas, int *__restrict__ lasts, int *__restrict__ ids
#define ARGUMENTS                                                                                                              \
    starts, list, splats, channels, stride, first, count, total, width, height, backgrounds, expected_depth, buckets, states, \
        gaussian_ids, image, transmittance, alphas, lasts, ids

extern "C" __global__ void __launch_bounds__(256) blend_1(PARAMETERS) {
    __shared__ Stage<1> stage;
    blend<1>(stage, ARGUMENTS);
}

extern "C" __global__ void __launch_bounds__(256) blend_3(PARAMETERS) {
    __shared__ Stage<3> stage;
    blend<3>(stage, ARGUMENTS);
}

extern "C" __global__ void __launch_bounds__(256) blend_4(PARAMETERS) {
    __shared__ Stage<4> stage;
    blend<4>(stage, ARGUMENTS);
}

extern "C" __global__ void __launch_bounds__(256) blend_8(PARAMETERS) {
    __shared__ Stage<8> stage;
    blend<8>(stage, ARGUMENTS);
}

extern "C" __global__ void __launch_bounds__(256) blend_16(PARAMETERS) {
    __shared__ Stage<16> stage;
    blend<16>(stage, ARGUMENTS);
}
