// Gradients of blending, a warp per bucket of 128 splats of a tile, a lane per splat.
//
// With a pixel per thread, as forward, 32 pixels would meet at every splat to add up ten sums. Here the pixels pass by the splats: at
// step i, lane l works on pixel i - l. Nearest splats sit in the lowest lanes, so each pixel meets them in order, no two lanes ever hold
// the same pixel, and a lane keeps its splat's sums in registers. Buckets are independent since forward stored the state of
// the tile's pixels at each bucket's start.
// Source: Mallick et al. 2024, "Taming 3DGS", per-splat backpropagation; buckets here are four rounds of 32, which divides the memory of
// the states by four, and only pixels that are still open take part.
//
// Going front to back, what lies behind a splat is known as the pixel's whole minus what has passed: one number a pixel, whatever the
// count of channels.
#include "blend.cuh"

namespace spatialwm {

template <int CHANNELS>
struct Walk {  // of one warp: its open pixels, closely packed
    float v[CHANNELS][TILE_PIXELS];
    float T[TILE_PIXELS];
    float rest[TILE_PIXELS];  // gradient . (what is not yet blended, and the background)
    float depth[TILE_PIXELS];  // the pixel's expected depth, where that is asked for
    int where[TILE_PIXELS];  // x and y in the tile, and how many splats of this bucket were blended
};

// Warps of a block; what they keep must fit 48 KB.
template <int CHANNELS>
struct Warps {
    static constexpr int COUNT = CHANNELS <= 4 ? 4 : 2;
};

struct Gradients {  // of one image, and the image itself
    const float *image, *transmittance, *alphas, *v_image, *v_alphas;
    int total, expected_depth;

    // Of the channel's sum, where the image holds it divided by alpha.
    __device__ float of_channel(long long pixel, int channel) const {
        const float v = v_image[pixel * total + channel];
        return is_expected_depth(channel) ? v / alphas[pixel] : v;
    }

    __device__ bool is_expected_depth(int channel) const { return expected_depth && channel == total - 1; }

    // Gradient . image - transmittance * (gradient of alpha): what the splats of this pixel and what lies behind them contribute to the
    // loss to first order. The background cancels out. So does expected depth, whose splats count by how far they are from it.
    __device__ float whole(long long pixel) const {
        float sum = 0;
        for (int j = 0; j < total - expected_depth; ++j) sum += v_image[pixel * total + j] * image[pixel * total + j];
        return sum - transmittance[pixel] * v_alphas[pixel];
    }

    // The share of a stored state in that.
    __device__ float part(long long pixel, const float *state) const {
        float sum = 0;
        for (int j = 0; j < total - expected_depth; ++j) sum += v_image[pixel * total + j] * state[(1 + j) * TILE_PIXELS];
        if (expected_depth) {
            const int j = total - 1;
            sum += of_channel(pixel, j) * (state[(1 + j) * TILE_PIXELS] - image[pixel * total + j] * (1 - state[0]));
        }
        return sum;
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

template <int CHANNELS>
__device__ inline void blend_backward(
    Walk<CHANNELS> *walks, const int *starts, const int *list, const float *splats, const float *channels, int stride, int first,
    int count, int total, int width, int height, int tile_count, int bucket_count, int expected_depth, const long long *buckets,
    float *states, const int *lasts, const float *image, const float *transmittance, const float *alphas,
    const float *v_image, const float *v_alphas, float *v_means2d, float *v_shapes, float *v_channels, float *absolute) {
    const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
    Walk<CHANNELS> &walk = walks[warp];
    // Warps first take every tile's first bucket, then the further ones: (tile, bucket) of those is found by bisection.
    const int job = blockIdx.x * Warps<CHANNELS>::COUNT + warp;
    if (job >= tile_count + bucket_count) return;
    int tile = job, bucket = 0;
    if (job >= tile_count) {
        const int further = job - tile_count;
        int low = 0, high = tile_count;  // the last tile whose further buckets start at or before this one
        while (high - low > 1) {
            const int middle = (low + high) >> 1;
            if (buckets[middle] <= further) low = middle;
            else high = middle;
        }
        tile = low;
        bucket = further - int(buckets[low]) + 1;
    }
    const int start = starts[tile] + bucket * BUCKET, stop = min(starts[tile + 1], start + BUCKET);
    if (start >= stop) return;

    const Frame frame = frame_of(width, height);
    const Gradients g = {image, transmittance, alphas, v_image, v_alphas, total, expected_depth};
    const float *state = bucket > 0 ? state_of(states, buckets, tile, bucket, total) : nullptr;
    int open = 0, furthest = 0;
    float left, top;
    pixel_of(frame, tile, {0, 0}, &left, &top);
    for (int part = 0; part < TILE_PIXELS; part += 32) {
        const int at = part + lane;
        const Place place = place_in_tile(at);
        float x, y;
        const long long pixel = pixel_of(frame, tile, place, &x, &y);
        const int blended = pixel >= 0 ? min(lasts[pixel] - bucket * BUCKET, BUCKET) : 0;
        const unsigned mask = __ballot_sync(ALL_LANES, blended > 0);
        if (blended > 0) {
            const int slot = open + place_in(mask, lane);
            walk.T[slot] = state ? state[at] : 1;
            walk.rest[slot] = state ? g.whole(pixel) - g.part(pixel, state + at) : g.whole(pixel);
            if (expected_depth) walk.depth[slot] = image[pixel * total + total - 1];
            walk.where[slot] = place.x | place.y << 8 | blended << 16;
            for (int j = 0; j < CHANNELS; ++j) walk.v[j][slot] = j < count ? g.of_channel(pixel, first + j) : 0;
        }
        furthest = max(furthest, blended);
        open += __popc(mask);
    }
    furthest = __reduce_max_sync(ALL_LANES, furthest);
    __syncwarp();

    for (int base = 0; base < furthest; base += 32) {
        const int entry = base + lane;
        const bool has = start + entry < stop;
        const int rank = has ? list[start + entry] : 0;
        const float4 *pieces = reinterpret_cast<const float4 *>(splats) + 2LL * rank;
        const Splat<float> s = splat_from(pieces[0], pieces[1]);
        const float *row = channels + (long long)rank * stride;
        float color[CHANNELS], v_color[CHANNELS] = {};
        for (int j = 0; j < CHANNELS; ++j) color[j] = has && j < count && !g.is_expected_depth(first + j) ? row[first + j] : 0;
        const float x = left - s.x, y = top - s.y, a = float(2 / LOG2_E) * s.along, c = float(2 / LOG2_E) * s.across;
        float v_opacity = 0, v_t = 0, v_y = 0, xx = 0, xy = 0, yy = 0, abs_x = 0, abs_y = 0;
        bool touched = false;
        for (int step = 0; step < open + 31; ++step) {
            const int slot = step - lane;
            if (has && slot >= 0 && slot < open && entry < walk.where[slot] >> 16) {
                const int where = walk.where[slot];
                const float dx = x + (where & 255), dy = y + (where >> 8 & 255), t = dx + s.slope * dy;
                const float raw = exp2f(log_alpha(s, t, dy)), alpha = min(raw, MAX_ALPHA);
                if (alpha >= MIN_ALPHA) {
                    const float T = walk.T[slot], weight = alpha * T;
                    float value = 0;
#pragma unroll
                    for (int j = 0; j < CHANNELS; ++j) {
                        const float v = walk.v[j][slot];
                        value += v * color[j];
                        v_color[j] += weight * v;
                    }
                    touched = true;
                    if (first == 0) {
                        float v_depth = expected_depth && total <= CHANNELS ? walk.v[total - 1][slot] : 0;
                        if (total > CHANNELS) {
                            float px, py;
                            const long long pixel = pixel_of(frame, tile, {where & 255, where >> 8 & 255}, &px, &py);
                            for (int j = CHANNELS; j < total - expected_depth; ++j) value += g.of_channel(pixel, j) * row[j];
                            if (expected_depth) v_depth = g.of_channel(pixel, total - 1);
                        }
                        if (expected_depth) value += v_depth * (s.depth - walk.depth[slot]);
                        const float behind = walk.rest[slot] - weight * value;
                        walk.rest[slot] = behind;
                        // Where alpha is clamped, neither place nor opacity changes it.
                        if (raw <= MAX_ALPHA) {
                            const float v_sigma = raw * (behind / (1 - alpha) - T * value), at_y = v_sigma * dy;
                            v_opacity -= v_sigma;
                            v_t += v_sigma * t;
                            v_y += at_y;
                            xx += v_sigma * dx * dx;
                            xy += at_y * dx;
                            yy += at_y * dy;
                            if (absolute) {
                                abs_x += magnitude(v_sigma * a * t);
                                abs_y += magnitude(v_sigma * (s.slope * a * t + c * dy));
                            }
                        }
                    }
                    walk.T[slot] = T - weight;
                }
            }
            // The pixel moves on to the next lane.
            __syncwarp();
        }
        if (!touched) continue;
        if (first == 0) {
            add2(v_means2d + 2LL * rank, -a * v_t, -(s.slope * a * v_t + c * v_y));
            add4(v_shapes + 4LL * rank, 0.5f * xx, xy, 0.5f * yy, v_opacity / s.opacity);
            if (absolute) add2(absolute + 2LL * rank, abs_x, abs_y);
        }
        float *to = v_channels + (long long)rank * stride + first;
#pragma unroll
        for (int j = 0; j < CHANNELS; j += 4)
            add4(to + j, v_color[j], j + 1 < CHANNELS ? v_color[j + 1] : 0, j + 2 < CHANNELS ? v_color[j + 2] : 0,
                 j + 3 < CHANNELS ? v_color[j + 3] : 0);
    }
}

}  // namespace spatialwm

using namespace spatialwm;

// As blend_*; `bucket_count` is an upper bound of the further buckets, of which those past the true count find nothing to do. Adds to
// v_means2d (m, 2), v_shapes (m, 4: conic and opacity), v_channels (m, stride) and, if not null, the sums of absolute values of the
// gradient of means2d (m, 2). Only the call with first == 0 adds to what is not v_channels.
#define PARAMETERS                                                                                                             \
    const int *__restrict__ starts, const int *__restrict__ list, const float *__restrict__ splats,                            \
        const float *__restrict__ channels, int stride, int first, int count, int total, int width, int height,                \
        int tile_count, int bucket_count, int expected_depth, const long long *__restrict__ buckets,                           \
        float *__restrict__ states, const int *__restrict__ lasts, const float *__restrict__ image,                            \
        const float *__restrict__ transmittance, const float *__restrict__ alphas, const float *__restrict__ v_image,          \
        const float *__restrict__ v_alphas, float *__restrict__ v_means2d, float *__restrict__ v_shapes,                       \
        float *__restrict__ v_channels, float *__restrict__ absolute
#define ARGUMENTS                                                                                                              \
    starts, list, splats, channels, stride, first, count, total, width, height, tile_count, bucket_count, expected_depth,      \
        buckets, states, lasts, image, transmittance, alphas, v_image, v_alphas, v_means2d, v_shapes, v_channels, absolute

extern "C" __global__ void __launch_bounds__(128) blend_backward_1(PARAMETERS) {
    __shared__ Walk<1> walks[Warps<1>::COUNT];
    blend_backward<1>(walks, ARGUMENTS);
}

extern "C" __global__ void __launch_bounds__(128) blend_backward_3(PARAMETERS) {
    __shared__ Walk<3> walks[Warps<3>::COUNT];
    blend_backward<3>(walks, ARGUMENTS);
}

extern "C" __global__ void __launch_bounds__(128) blend_backward_4(PARAMETERS) {
    __shared__ Walk<4> walks[Warps<4>::COUNT];
    blend_backward<4>(walks, ARGUMENTS);
}

extern "C" __global__ void __launch_bounds__(64) blend_backward_8(PARAMETERS) {
    __shared__ Walk<8> walks[Warps<8>::COUNT];
    blend_backward<8>(walks, ARGUMENTS);
}

extern "C" __global__ void __launch_bounds__(64) blend_backward_16(PARAMETERS) {
    __shared__ Walk<16> walks[Warps<16>::COUNT];
    blend_backward<16>(walks, ARGUMENTS);
}
