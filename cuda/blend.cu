// Front-to-back blending, a block per 16x16 tile, a thread per pixel.
//
// The tile's splats pass through shared memory in batches, the next one under way while this one is blended. Each warp tests a
// batch against its own 8x4 pixels, a splat per lane, and walks only over the survivors of a ballot: most splats of a tile
// touch a minority of its eight warps.
#include "blend.cuh"

namespace spatialwm {

template <int CHANNELS>
__device__ inline void blend(
    Batches<CHANNELS> &batches, const int *starts, const int *list, const float *splats, const float *channels, int stride,
    int first, int count, int total, int width, int height, const float *backgrounds, int expected_depth, const long long *gaussian_ids,
    float *image, float *transmittance, float *alphas, int *lasts, int *ids) {
    constexpr int SIZE = Batches<CHANNELS>::SIZE;
    const int tile = blockIdx.x, lane = threadIdx.x & 31;
    const Frame frame = frame_of(width, height);
    const Pixel pixel = pixel_of(frame, tile, threadIdx.x), corner = pixel_of(frame, tile, threadIdx.x & ~31);
    const int start = starts[tile], length = starts[tile + 1] - start;

    float T = 1, alpha = 0, sum[CHANNELS] = {}, heaviest = 0;
    int last = 0, best = -1;
    bool open = pixel.index >= 0;
    Feed<CHANNELS> feed(batches, list + start, length, splats, channels + first, stride);
    feed.send(0);
    for (int batch = 0; batch * SIZE < length; ++batch) {
        await_copies();
        // Publishes this batch, and tells that nobody reads the buffer of the one before any more.
        if (__syncthreads_count(open) == 0) break;
        feed.send(batch + 1);
        const int buffer = batch & 1, here = min(SIZE, length - batch * SIZE);
        for (int chunk = 0; chunk < here; chunk += 32) {
            if (!__any_sync(ALL_LANES, open)) break;
            const int mine = chunk + lane;
            const bool touches = mine < here && reaches_rectangle(batches.splat(buffer, mine), corner.x, corner.y,
                                                                  corner.x + (WARP_COLUMNS - 1), corner.y + (WARP_ROWS - 1));
            for (unsigned survivors = __ballot_sync(ALL_LANES, touches); survivors; survivors &= survivors - 1) {
                const int entry = chunk + __ffs(survivors) - 1;
                const Splat<float> s = batches.splat(buffer, entry);
                const float dy = pixel.y - s.y;
                const float opacity = min(power_of_two(log_alpha(s, pixel.x - s.x + s.slope * dy, dy)), MAX_ALPHA);
                const float weight = opacity * T, after = T - weight;
                const bool blends = open && opacity >= MIN_ALPHA;
                if (blends && after > MIN_TRANSMITTANCE) {
#pragma unroll
                    for (int j = 0; j < CHANNELS; ++j)
                        sum[j] += weight * part_of(batches.channels[buffer][j / 4][entry], j % 4);
                    // 1 - T, but exact for faint pixels too: expected depth is divided by it.
                    alpha += weight;
                    T = after;
                    last = batch * SIZE + entry + 1;
                    if (ids && weight > heaviest) heaviest = weight, best = last;
                } else if (blends) {
                    open = false;
                }
            }
        }
    }
    if (pixel.index < 0) return;
    float *out = image + pixel.index * total + first;
    const float *behind = backgrounds ? backgrounds + tile / (frame.columns * frame.rows) * total + first : nullptr;
#pragma unroll
    for (int j = 0; j < CHANNELS; ++j) {
        if (j >= count) break;
        const float value = behind ? sum[j] + T * behind[j] : sum[j];
        out[j] = expected_depth && first + j == total - 1 ? quotient(value, larger(alpha, 1e-10f)) : value;
    }
    if (first > 0) return;
    alphas[pixel.index] = alpha;
    if (transmittance) transmittance[pixel.index] = T;
    if (lasts) lasts[pixel.index] = last;
    if (ids) ids[pixel.index] = best < 0 ? -1 : int(gaussian_ids[list[start + best - 1]]);
}

}  // namespace spatialwm

using namespace spatialwm;

// Channels first ... first + count of `total`, count at most the number in the kernel's name; rows of `channels` are `stride`
// floats, 16-byte aligned, with zeros up to the number in the name. `backgrounds` (cameras, total) may be null.
// `expected_depth`: the last channel is divided by alpha. For backward, else null: `transmittance` (what each pixel lets
// through) and `lasts` (how far into its tile's list it blended). `ids` may be null. Only the call with first == 0 writes what
// is not `image`.
#define PARAMETERS                                                                                                             \
    const int *__restrict__ starts, const int *__restrict__ list, const float *__restrict__ splats,                            \
        const float *__restrict__ channels, int stride, int first, int count, int total, int width, int height,                \
        const float *__restrict__ backgrounds, int expected_depth, const long long *__restrict__ gaussian_ids,                 \
        float *__restrict__ image, float *__restrict__ transmittance, float *__restrict__ alphas, int *__restrict__ lasts,     \
        int *__restrict__ ids
#define ARGUMENTS                                                                                                              \
    starts, list, splats, channels, stride, first, count, total, width, height, backgrounds, expected_depth, gaussian_ids,     \
        image, transmittance, alphas, lasts, ids

extern "C" __global__ void __launch_bounds__(256) blend_1(PARAMETERS) {
    __shared__ Batches<1> batches;
    blend<1>(batches, ARGUMENTS);
}

extern "C" __global__ void __launch_bounds__(256) blend_3(PARAMETERS) {
    __shared__ Batches<3> batches;
    blend<3>(batches, ARGUMENTS);
}

extern "C" __global__ void __launch_bounds__(256) blend_4(PARAMETERS) {
    __shared__ Batches<4> batches;
    blend<4>(batches, ARGUMENTS);
}

extern "C" __global__ void __launch_bounds__(256) blend_8(PARAMETERS) {
    __shared__ Batches<8> batches;
    blend<8>(batches, ARGUMENTS);
}

extern "C" __global__ void __launch_bounds__(256) blend_16(PARAMETERS) {
    __shared__ Batches<16> batches;
    blend<16>(batches, ARGUMENTS);
}
