// Gradients of blending, a block per 16x16 tile, walking front to back as forward did.
//
// Two shapes of work alternate. What a pixel lets through is a chain from splat to splat: there a lane is a pixel. What a splat
// receives is a sum over pixels: there a lane is a splat and a row of the warp's 8x4 pixels. The two numbers per pixel and
// splat from which all sums follow change hands in shared memory, eight splats at a time: about 30 instructions a splat,
// counted, where adding ten values over 32 lanes by shuffles takes 100. To make a lane a splat throughout (Mallick et al. 2024,
// "Taming 3DGS") needs no sums over lanes either, but then each splat meets all 256 pixels of its tile, and with a million
// splats at 1080p it touches, counted, 2.1 of the tile's eight parts.
//
// Going front to back, what lies behind a splat is known as the pixel's whole minus what has passed: one number a pixel,
// whatever the count of channels, and nothing has to be kept from forward but the picture.
#include "blend.cuh"

namespace spatialwm {

constexpr int HELD = 8;  // splats turned round at a time: times four rows, a warp
constexpr int PITCH = 36;  // floats from one held splat to the next: 16-byte reads of eight of them meet in no bank

struct Held {  // by one warp
    float weights[HELD][PITCH];  // of each pixel: how much of the splat's colour it shows
    float v_sigmas[HELD][PITCH];  // of each pixel: gradient of sigma, where alpha = opacity exp(-sigma)
    float4 splats[HELD][2];
    int ranks[HELD];
};

template <int CHANNELS>
struct Workspace {
    Batches<CHANNELS> batches;
    Held held[WARPS];
    float4 v[WARPS][Batches<CHANNELS>::PIECES][32];  // gradient of each pixel's channels
};

// Pixels' gradients. A channel of expected depth D is sum(w d) / alpha: a splat's share in it is (d - D) / alpha, and the sum
// of all shares is zero, so that nothing cancels where a single splat covers the pixel.
struct Gradients {
    const float *image, *transmittance, *alphas, *v_image, *v_alphas;
    int total, expected_depth;

    __device__ float of_channel(long long pixel, int channel) const {
        const float v = v_image[pixel * total + channel];
        return expected_depth && channel == total - 1 ? quotient(v, larger(alphas[pixel], 1e-10f)) : v;
    }

    // Gradient . image - transmittance * (gradient of alpha): what splats and background together contribute to the loss, to
    // first order.
    __device__ float whole(long long pixel) const {
        float sum = 0;
        for (int j = 0; j < total - expected_depth; ++j) sum += v_image[pixel * total + j] * image[pixel * total + j];
        return sum - transmittance[pixel] * v_alphas[pixel];
    }
};

__device__ inline void add2(float *to, float x, float y) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
    atomicAdd(reinterpret_cast<float2 *>(to), make_float2(x, y));
#else
    atomicAdd(to, x);
    atomicAdd(to + 1, y);
#endif
}

__device__ inline void add4(float *to, float x, float y, float z, float w) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
    atomicAdd(reinterpret_cast<float4 *>(to), make_float4(x, y, z, w));
#else
    add2(to, x, y);
    add2(to + 2, z, w);
#endif
}

struct Targets {
    float *v_means2d, *v_shapes, *v_channels, *absolute;
    int stride;  // of v_channels
    bool geometry;  // else only v_channels
};

__device__ inline void load_row(const float *held, int row, float *out) {
    const float4 *from = reinterpret_cast<const float4 *>(held + row * WARP_COLUMNS);
    const float4 p = from[0], q = from[1];
    out[0] = p.x, out[1] = p.y, out[2] = p.z, out[3] = p.w, out[4] = q.x, out[5] = q.y, out[6] = q.z, out[7] = q.w;
}

// Adds up the first `count` held splats; left, top: centre of the warp's first pixel.
template <int CHANNELS>
__device__ inline void flush(
    const Held &held, const float4 (*v)[32], int count, float left, float top, const Targets &to) {
    const int lane = threadIdx.x & 31, entry = lane % HELD, row = lane / HELD;
    __syncwarp();
    float color[CHANNELS] = {}, m = 0, mx = 0, mxx = 0, abs_x = 0, abs_y = 0;
    const float4 p = held.splats[entry][0], q = held.splats[entry][1];
    const Splat<float> s = {p.x, p.y, p.z, p.w, q.x, q.y, q.z, q.w};
    const float a = float(2 / LOG2_E) * s.along, c = float(2 / LOG2_E) * s.across;
    const float x = left - s.x, y = top + row - s.y, t = x + s.slope * y;
    if (entry < count) {
        float row_weights[WARP_COLUMNS];
        load_row(held.weights[entry], row, row_weights);
#pragma unroll
        for (int i = 0; i < WARP_COLUMNS; ++i)
            for (int j = 0; j < CHANNELS; ++j) color[j] += row_weights[i] * part_of(v[j / 4][row * WARP_COLUMNS + i], j % 4);
    }
    if (entry < count && to.geometry) {
        float v_sigmas[WARP_COLUMNS];
        load_row(held.v_sigmas[entry], row, v_sigmas);
        // Moments of the row along x, from the warp's left edge: their coefficients are constants.
#pragma unroll
        for (int i = 0; i < WARP_COLUMNS; ++i) {
            m += v_sigmas[i];
            mx += v_sigmas[i] * i;
            mxx += v_sigmas[i] * (i * i);
        }
        if (to.absolute) {
#pragma unroll
            for (int i = 0; i < WARP_COLUMNS; ++i) {
                abs_x += magnitude(v_sigmas[i] * a * (t + i));
                abs_y += magnitude(v_sigmas[i] * (s.slope * a * (t + i) + c * y));
            }
        }
    }
    // Moments about the splat's own centre, then over the four rows.
    float sums[8] = {m, mx + m * t, m * y, mxx + 2 * x * mx + x * x * m, (mx + m * x) * y, m * y * y, abs_x, abs_y};
#pragma unroll
    for (int distance = HELD; distance < 32; distance <<= 1) {
#pragma unroll
        for (int j = 0; j < CHANNELS; ++j) color[j] += __shfl_xor_sync(ALL_LANES, color[j], distance);
        if (to.geometry)
            for (int j = 0; j < 6; ++j) sums[j] += __shfl_xor_sync(ALL_LANES, sums[j], distance);
        if (to.absolute)
            for (int j = 6; j < 8; ++j) sums[j] += __shfl_xor_sync(ALL_LANES, sums[j], distance);
    }
    if (lane < count) {
        const long long rank = held.ranks[entry];
        if (to.geometry) {
            add2(to.v_means2d + 2 * rank, -a * sums[1], -(s.slope * a * sums[1] + c * sums[2]));
            add4(to.v_shapes + 4 * rank, 0.5f * sums[3], sums[4], 0.5f * sums[5], -sums[0] / s.opacity);
            if (to.absolute) add2(to.absolute + 2 * rank, sums[6], sums[7]);
        }
#pragma unroll
        for (int j = 0; j < CHANNELS; j += 4)
            add4(to.v_channels + rank * to.stride + j, color[j], j + 1 < CHANNELS ? color[j + 1] : 0,
                 j + 2 < CHANNELS ? color[j + 2] : 0, j + 3 < CHANNELS ? color[j + 3] : 0);
    }
    __syncwarp();
}

template <int CHANNELS>
__device__ inline void blend_backward(
    Workspace<CHANNELS> &work, const int *starts, const int *list, const float *splats, const float *channels, int stride,
    int first, int count, int total, int width, int height, int expected_depth, const int *lasts, const float *image,
    const float *transmittance, const float *alphas, const float *v_image, const float *v_alphas, float *v_means2d, float *v_shapes, float *v_channels,
    float *absolute) {
    constexpr int SIZE = Batches<CHANNELS>::SIZE;
    const int tile = blockIdx.x, lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
    const Frame frame = frame_of(width, height);
    const Pixel pixel = pixel_of(frame, tile, threadIdx.x), corner = pixel_of(frame, tile, threadIdx.x & ~31);
    const int start = starts[tile], length = starts[tile + 1] - start;
    const Gradients g = {image, transmittance, alphas, v_image, v_alphas, total, expected_depth};
    const Targets to = {v_means2d, v_shapes, v_channels + first, first == 0 ? absolute : nullptr, stride, first == 0};
    Batches<CHANNELS> &batches = work.batches;
    Held &held = work.held[warp];
    float4(*all_v)[32] = work.v[warp];

    float T = 1, rest = 0, depth = 0, v_depth = 0, v[4 * Batches<CHANNELS>::PIECES] = {};
    int last = 0;
    if (pixel.index >= 0) {
        last = lasts[pixel.index];
        rest = g.whole(pixel.index);
        for (int j = 0; j < CHANNELS; ++j)
            if (j < count) v[j] = g.of_channel(pixel.index, first + j);
        if (expected_depth) {
            depth = image[pixel.index * total + total - 1];
            v_depth = g.of_channel(pixel.index, total - 1);
        }
    }
    for (int j = 0; j < Batches<CHANNELS>::PIECES; ++j) all_v[j][lane] = {v[4 * j], v[4 * j + 1], v[4 * j + 2], v[4 * j + 3]};
    // From here on v weighs a splat's value, and expected depth is not its own value but its distance from the pixel's.
    for (int j = 0; j < CHANNELS; ++j)
        if (expected_depth && first + j == total - 1) v[j] = 0;
    const int furthest = warp_max(last);
    int holding = 0;

    Feed<CHANNELS> feed(batches, list + start, length, splats, channels + first, stride);
    feed.send(0);
    for (int batch = 0; batch * SIZE < length; ++batch) {
        await_copies();
        if (__syncthreads_count(batch * SIZE < furthest) == 0) break;
        feed.send(batch + 1);
        const int buffer = batch & 1, here = min(SIZE, furthest - batch * SIZE);
        for (int chunk = 0; chunk < here; chunk += 32) {
            const int mine = chunk + lane;
            const bool touches = mine < here && reaches_rectangle(batches.splat(buffer, mine), corner.x, corner.y,
                                                                  corner.x + (WARP_COLUMNS - 1), corner.y + (WARP_ROWS - 1));
            for (unsigned survivors = __ballot_sync(ALL_LANES, touches); survivors; survivors &= survivors - 1) {
                const int entry = chunk + __ffs(survivors) - 1;
                const Splat<float> s = batches.splat(buffer, entry);
                const float dy = pixel.y - s.y;
                const float raw = power_of_two(log_alpha(s, pixel.x - s.x + s.slope * dy, dy)), opacity = min(raw, MAX_ALPHA);
                const bool blends = batch * SIZE + entry < last && opacity >= MIN_ALPHA;
                if (!__any_sync(ALL_LANES, blends)) continue;
                float weight = 0, v_sigma = 0;
                if (blends) {
                    weight = opacity * T;
                    if (first == 0) {
                        float value = 0;
#pragma unroll
                        for (int j = 0; j < CHANNELS; ++j)
                            value += v[j] * part_of(batches.channels[buffer][j / 4][entry], j % 4);
                        if (total > CHANNELS) {
                            const float *row = channels + (long long)batches.ranks[buffer][entry] * stride;
#pragma unroll 1
                            for (int j = CHANNELS; j < total - expected_depth; ++j)
                                value += v_image[pixel.index * total + j] * row[j];
                        }
                        if (expected_depth) value += v_depth * (s.depth - depth);
                        rest -= weight * value;
                        // Where alpha is clamped, neither place nor opacity changes it.
                        if (raw <= MAX_ALPHA) v_sigma = raw * (quotient(rest, 1 - opacity) - T * value);
                    }
                    T -= weight;
                }
                held.weights[holding][lane] = weight;
                held.v_sigmas[holding][lane] = v_sigma;
                if (lane < 2) held.splats[holding][lane] = batches.splats[buffer][lane][entry];
                if (lane == 2) held.ranks[holding] = batches.ranks[buffer][entry];
                if (++holding == HELD) {
                    flush<CHANNELS>(held, all_v, HELD, corner.x, corner.y, to);
                    holding = 0;
                }
            }
        }
    }
    if (holding > 0) flush<CHANNELS>(held, all_v, holding, corner.x, corner.y, to);
}

}  // namespace spatialwm

using namespace spatialwm;

// As blend_*. Adds to v_means2d (m, 2), v_shapes (m, 4: conic and opacity), v_channels (m, stride) and, if not null, the sums
// of absolute values of the gradient of means2d (m, 2). Only the call with first == 0 adds to what is not v_channels.
#define PARAMETERS                                                                                                             \
    const int *__restrict__ starts, const int *__restrict__ list, const float *__restrict__ splats,                            \
        const float *__restrict__ channels, int stride, int first, int count, int total, int width, int height,                \
        int expected_depth, const int *__restrict__ lasts, const float *__restrict__ image,                                    \
        const float *__restrict__ transmittance, const float *__restrict__ alphas, const float *__restrict__ v_image,          \
        const float *__restrict__ v_alphas, float *__restrict__ v_means2d, float *__restrict__ v_shapes,                       \
        float *__restrict__ v_channels, float *__restrict__ absolute
#define ARGUMENTS                                                                                                              \
    starts, list, splats, channels, stride, first, count, total, width, height, expected_depth, lasts, image, transmittance,   \
        alphas, v_image, v_alphas, v_means2d, v_shapes, v_channels, absolute

extern "C" __global__ void __launch_bounds__(256) blend_backward_1(PARAMETERS) {
    __shared__ Workspace<1> work;
    blend_backward<1>(work, ARGUMENTS);
}

extern "C" __global__ void __launch_bounds__(256) blend_backward_3(PARAMETERS) {
    __shared__ Workspace<3> work;
    blend_backward<3>(work, ARGUMENTS);
}

extern "C" __global__ void __launch_bounds__(256) blend_backward_4(PARAMETERS) {
    __shared__ Workspace<4> work;
    blend_backward<4>(work, ARGUMENTS);
}

extern "C" __global__ void __launch_bounds__(256) blend_backward_8(PARAMETERS) {
    __shared__ Workspace<8> work;
    blend_backward<8>(work, ARGUMENTS);
}

extern "C" __global__ void __launch_bounds__(256) blend_backward_16(PARAMETERS) {
    __shared__ Workspace<16> work;
    blend_backward<16>(work, ARGUMENTS);
}
