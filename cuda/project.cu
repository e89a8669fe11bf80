// From Gaussians to splats in depth order, and the way back.
//
//   find_visible      a thread per pair of camera and Gaussian: projection, exact visibility, colour of what is visible
//   compact           the visible pairs and their depths, side by side, in input order
//   (sort by depth)
//   arrange           a thread per visible pair: everything the blending and the caller read, nearest first
//   project_backward  a thread per Gaussian: sums over the cameras that see it, so that nothing needs an atomic or a memset
#include "sh.cuh"
#include "tiles.cuh"
#include "warp.cuh"

namespace spatialwm {

__device__ inline Splat<float> load_splat(const float *splats, long long i) {
    const float4 *at = reinterpret_cast<const float4 *>(splats) + 2 * i;
    const float4 p = at[0], q = at[1];
    return {p.x, p.y, p.z, p.w, q.x, q.y, q.z, q.w};
}

__device__ inline void store_splat(float *splats, long long i, const Splat<float> &s) {
    float4 *at = reinterpret_cast<float4 *>(splats) + 2 * i;
    at[0] = {s.x, s.y, s.slope, s.depth};
    at[1] = {s.along, s.across, s.log_opacity, s.opacity};
}

// Coefficients of one Gaussian stream by as 16-byte pieces where their rows are aligned: a quarter of the loads.
__device__ inline void sh_color(int degree, const float *mean, const float *eye, const float *sh, int stride, float *rgb) {
    float direction[3], basis[16] = {};
    sh_direction(mean, eye, direction);
    sh_basis(degree, direction[0], direction[1], direction[2], basis);
    const int numbers = 3 * (degree + 1) * (degree + 1);
    for (int c = 0; c < 3; ++c) rgb[c] = 0.5f;
    if (stride % 4 == 0) {
#pragma unroll
        for (int i = 0; i < 12; ++i) {
            if (4 * i >= numbers) break;
            const float4 piece = reinterpret_cast<const float4 *>(sh)[i];
            rgb[4 * i % 3] += basis[4 * i / 3] * piece.x;
            rgb[(4 * i + 1) % 3] += basis[(4 * i + 1) / 3] * piece.y;
            rgb[(4 * i + 2) % 3] += basis[(4 * i + 2) / 3] * piece.z;
            rgb[(4 * i + 3) % 3] += basis[(4 * i + 3) / 3] * piece.w;
        }
    } else {
#pragma unroll
        for (int i = 0; i < 48; ++i) {
            if (i >= numbers) break;
            rgb[i % 3] += basis[i / 3] * sh[i];
        }
    }
}

// One Gaussian, each array's row by the widest loads that its alignment allows.
struct Source {
    float mean[3], quat[4], scale[3], opacity;
};

__device__ inline Source load_gaussian(
    const float *means, const float *quats, const float *scales, const float *opacities, int i) {
    const float *mean = means + 3LL * i, *scale = scales + 3LL * i;
    const float4 q = reinterpret_cast<const float4 *>(quats)[i];
    return {{mean[0], mean[1], mean[2]}, {q.x, q.y, q.z, q.w}, {scale[0], scale[1], scale[2]}, opacities[i]};
}

__device__ inline Lens<float> lens_of(float near, float far, float eps2d, int antialiased) {
    return {near, far, eps2d, antialiased != 0};
}

}  // namespace spatialwm

using namespace spatialwm;

// Grid: (blocks of 256 Gaussians, cameras). A pair is camera * n + Gaussian. Writes tile_counts (0: invisible), ranks (-1), the
// visible pairs' splats and rgb, how many are visible per block, and totals: visible pairs, tiles touched, Gaussians that are
// not finite.
extern "C" __global__ void __launch_bounds__(256) find_visible(
    const float *__restrict__ means, const float *__restrict__ quats, const float *__restrict__ scales,
    const float *__restrict__ opacities, const float *__restrict__ sh, int sh_stride, int degree,
    const float *__restrict__ colors, int color_count, int colors_per_camera, const float *__restrict__ features,
    int feature_count, const float *__restrict__ cameras, int n, int width, int height, float near, float far, float eps2d, int antialiased, float *__restrict__ splats,
    float *__restrict__ rgb, int *__restrict__ tile_counts, int *__restrict__ ranks, int *__restrict__ block_counts,
    long long *totals) {
    __shared__ int sums[3];
    if (threadIdx.x < 3) sums[threadIdx.x] = 0;
    __syncthreads();
    const int i = blockIdx.x * 256 + threadIdx.x, lane = threadIdx.x & 31;
    const Camera<float> &camera = reinterpret_cast<const Camera<float> *>(cameras)[blockIdx.y];
    const long long pair = (long long)blockIdx.y * n + i;
    int tiles = 0;
    bool bad = false;
    if (i < n) {
        const Source g = load_gaussian(means, quats, scales, opacities, i);
        bad = any_not_finite(g.mean, 3) | any_not_finite(g.quat, 4) | any_not_finite(g.scale, 3) | not_finite(g.opacity);
        const Lens<float> lens = lens_of(near, far, eps2d, antialiased);
        Projected<float> p;
        if (!bad && project(camera, lens, g.mean, g.quat, g.scale, g.opacity, MIN_ALPHA, &p)) {
            const Splat<float> splat = splat_of(p);
            tiles = count_tiles(splat, width, height);
            if (tiles > 0) {
                store_splat(splats, pair, splat);
                if (sh) {
                    float value[3];
                    sh_color(degree, g.mean, camera.eye, sh + (long long)i * sh_stride, sh_stride, value);
                    bad |= any_not_finite(value, 3);
                    // A negative zero marks what was clamped: its gradient is zero, that of a colour of exactly 0 is not.
                    for (int c = 0; c < 3; ++c) value[c] = value[c] >= 0 ? value[c] : -0.0f;
                    reinterpret_cast<float4 *>(rgb)[pair] = {value[0], value[1], value[2], 0};
                } else if (colors) {
                    bad |= any_not_finite(colors + (colors_per_camera ? pair : i) * color_count, color_count);
                }
                if (features) bad |= any_not_finite(features + (long long)i * feature_count, feature_count);
            }
        }
        tile_counts[pair] = tiles;
        ranks[pair] = -1;
    }
    const int visible = __popc(__ballot_sync(ALL_LANES, tiles > 0)), broken = __popc(__ballot_sync(ALL_LANES, bad));
    const int touched = warp_sum(tiles);
    if (lane == 0) {
        atomicAdd(&sums[0], visible);
        atomicAdd(&sums[1], touched);
        atomicAdd(&sums[2], broken);
    }
    __syncthreads();
    if (threadIdx.x == 0) block_counts[blockIdx.y * gridDim.x + blockIdx.x] = sums[0];
    if (threadIdx.x < 3 && sums[threadIdx.x] > 0)
        atomicAdd(reinterpret_cast<unsigned long long *>(totals) + threadIdx.x, (unsigned long long)sums[threadIdx.x]);
}

// Same grid. `starts`: exclusive sums of block_counts.
extern "C" __global__ void __launch_bounds__(256) compact(
    const int *__restrict__ tile_counts, const float *__restrict__ splats, const long long *__restrict__ starts, int n,
    int *__restrict__ keys, int *__restrict__ pairs) {
    __shared__ int before[8];
    const int i = blockIdx.x * 256 + threadIdx.x, lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
    const long long pair = (long long)blockIdx.y * n + i;
    const bool visible = i < n && tile_counts[pair] > 0;
    const unsigned mask = __ballot_sync(ALL_LANES, visible);
    if (lane == 0) before[warp] = __popc(mask);
    __syncthreads();
    if (!visible) return;
    long long place = starts[blockIdx.y * gridDim.x + blockIdx.x] + place_in(mask, lane);
    for (int w = 0; w < warp; ++w) place += before[w];
    // Depths are positive: their bits sort as they do.
    keys[place] = __float_as_int(splats[8 * pair + 3]);
    pairs[place] = int(pair);
}

// `order`: visible pairs, nearest first within each camera. `stride`: floats of a row of channels.
extern "C" __global__ void __launch_bounds__(256) arrange(
    const int *__restrict__ order, const float *__restrict__ pair_splats, const float *__restrict__ rgb,
    const int *__restrict__ pair_tiles, int m, int n, int stride, int depth_at, float *__restrict__ splats,
    float *__restrict__ channels, int *__restrict__ tile_counts, int *__restrict__ ranks, float *__restrict__ means2d,
    float *__restrict__ shapes, float *__restrict__ depths, int *__restrict__ radii, long long *__restrict__ camera_ids,
    long long *__restrict__ gaussian_ids) {
    const int rank = blockIdx.x * 256 + threadIdx.x;
    if (rank >= m) return;
    const int pair = order[rank];
    const Splat<float> s = load_splat(pair_splats, pair);
    store_splat(splats, rank, s);
    tile_counts[rank] = pair_tiles[pair];
    ranks[pair] = rank;
    reinterpret_cast<float2 *>(means2d)[rank] = {s.x, s.y};
    const Conic<float> k = conic_of(s);
    reinterpret_cast<float4 *>(shapes)[rank] = {k.a, k.b, k.c, s.opacity};
    depths[rank] = s.depth;
    const Extent<float> e = extent_of(s);
    reinterpret_cast<int2 *>(radii)[rank] = {int(ceilf(smaller(e.half_w, 1e9f))), int(ceilf(smaller(e.half_h, 1e9f)))};
    camera_ids[rank] = pair / n;
    gaussian_ids[rank] = pair % n;
    float *row = channels + (long long)rank * stride;
    if (rgb) {
        const float4 value = reinterpret_cast<const float4 *>(rgb)[pair];
        row[0] = value.x;
        row[1] = value.y;
        row[2] = value.z;
    }
    if (depth_at >= 0) row[depth_at] = s.depth;
}

// `ranks` (cameras, n): where arrange put a pair, -1 if nowhere. `v_depths` may be null. With `v_views` (blocks, cameras, 12),
// also the sums over each block of the gradient of the camera's pose.
extern "C" __global__ void __launch_bounds__(256) project_backward(
    const float *__restrict__ means, const float *__restrict__ quats, const float *__restrict__ scales,
    const float *__restrict__ opacities, const float *__restrict__ cameras, int camera_count, int n, float near, float far,
    float eps2d, int antialiased, const int *__restrict__ ranks, const float *__restrict__ v_means2d,
    const float *__restrict__ v_shapes, const float *__restrict__ v_depths, float *__restrict__ v_means,
    float *__restrict__ v_quats, float *__restrict__ v_scales, float *__restrict__ v_opacities, float *__restrict__ v_views) {
    __shared__ float stage[8][12];
    const int i = blockIdx.x * 256 + threadIdx.x;
    GaussianGradient<float> total = {};
    const Lens<float> lens = lens_of(near, far, eps2d, antialiased);
    const Source source = load_gaussian(means, quats, scales, opacities, min(i, n - 1));
    for (int c = 0; c < camera_count; ++c) {
        GaussianGradient<float> g = {};
        const int rank = i < n ? ranks[(long long)c * n + i] : -1;
        if (rank >= 0) {
            const float2 place = reinterpret_cast<const float2 *>(v_means2d)[rank];
            const float4 shape = reinterpret_cast<const float4 *>(v_shapes)[rank];
            const float depth = v_depths ? v_depths[rank] : 0;
            const ProjectedGradient<float> v = {place.x, place.y, depth, {shape.x, shape.y, shape.z}, shape.w};
            g = project_vjp(reinterpret_cast<const Camera<float> *>(cameras)[c], lens, source.mean, source.quat, source.scale,
                            source.opacity, v);
            for (int j = 0; j < 3; ++j) total.mean[j] += g.mean[j];
            for (int j = 0; j < 4; ++j) total.quat[j] += g.quat[j];
            for (int j = 0; j < 3; ++j) total.scale[j] += g.scale[j];
            total.opacity += g.opacity;
        }
        if (v_views) block_sums<12>(g.view, stage, v_views + 12LL * ((long long)blockIdx.x * camera_count + c));
    }
    if (i >= n) return;
    for (int j = 0; j < 3; ++j) v_means[3LL * i + j] = total.mean[j];
    reinterpret_cast<float4 *>(v_quats)[i] = {total.quat[0], total.quat[1], total.quat[2], total.quat[3]};
    for (int j = 0; j < 3; ++j) v_scales[3LL * i + j] = total.scale[j];
    v_opacities[i] = total.opacity;
}
