// Values that are blended: from per-Gaussian rows to rows in depth order, and the way back.
#include "sh.cuh"
#include "warp.cuh"

using namespace spatialwm;

// A thread per value. `per_camera`: values (cameras, n, count), else (n, count); into columns first ... first + count of
// channels.
extern "C" __global__ void __launch_bounds__(256) gather_channels(
    const float *__restrict__ values, int count, int per_camera, const int *__restrict__ order, int m, int n, int stride,
    int first, float *__restrict__ channels) {
    const long long at = (long long)blockIdx.x * 256 + threadIdx.x;
    if (at >= (long long)m * count) return;
    const int rank = int(at / count), column = int(at % count), pair = order[rank];
    const long long row = per_camera ? pair : pair % n;
    channels[(long long)rank * stride + first + column] = values[row * count + column];
}

// The inverse: each row sums the cameras that saw it, so that nothing needs an atomic and unseen rows become 0 on the way.
extern "C" __global__ void __launch_bounds__(256) gather_channels_backward(
    const float *__restrict__ v_channels, int count, int cameras, long long rows, const int *__restrict__ ranks, int stride,
    int first, float *__restrict__ v_values) {
    const long long at = (long long)blockIdx.x * 256 + threadIdx.x;
    if (at >= rows * count) return;
    const long long row = at / count;
    const int column = int(at % count);
    float sum = 0;
    for (int c = 0; c < cameras; ++c) {
        const int rank = ranks[c * rows + row];
        if (rank >= 0) sum += v_channels[(long long)rank * stride + first + column];
    }
    v_values[at] = sum;
}

namespace spatialwm {

// Rows of coefficients in 16-byte pieces where they are aligned: a quarter of the loads and stores.
__device__ inline void load_row(const float *row, int stride, float *out) {
    if (stride % 4 == 0) {
#pragma unroll
        for (int j = 0; j < 12; ++j) {
            if (4 * j >= stride) break;
            const float4 piece = reinterpret_cast<const float4 *>(row)[j];
            out[4 * j] = piece.x, out[4 * j + 1] = piece.y, out[4 * j + 2] = piece.z, out[4 * j + 3] = piece.w;
        }
    } else {
#pragma unroll
        for (int j = 0; j < 48; ++j) {
            if (j >= stride) break;
            out[j] = row[j];
        }
    }
}

__device__ inline void store_row(float *row, int stride, const float *values) {
    if (stride % 4 == 0) {
#pragma unroll
        for (int j = 0; j < 12; ++j) {
            if (4 * j >= stride) break;
            reinterpret_cast<float4 *>(row)[j] = {values[4 * j], values[4 * j + 1], values[4 * j + 2], values[4 * j + 3]};
        }
    } else {
#pragma unroll
        for (int j = 0; j < 48; ++j) {
            if (j >= stride) break;
            row[j] = values[j];
        }
    }
}

}  // namespace spatialwm

// A thread per Gaussian. Its colour fills the first three columns. With `v_eyes` (blocks, cameras, 3), also the sums over each
// block of the gradient of the camera's position.
extern "C" __global__ void __launch_bounds__(256) sh_backward(
    const float *__restrict__ means, const float *__restrict__ sh, int sh_stride, int degree, const float *__restrict__ eyes,
    int camera_count, int n, const int *__restrict__ ranks, const float *__restrict__ channels,
    const float *__restrict__ v_channels, int stride, float *v_sh, float *__restrict__ v_means, float *__restrict__ v_eyes) {
    __shared__ float stage[8][3];
    const int i = blockIdx.x * 256 + threadIdx.x;
    float total[3] = {0, 0, 0};
    bool seen = false;
    for (int c = 0; c < camera_count; ++c) {
        float v_mean[3] = {0, 0, 0};
        const int rank = i < n ? ranks[(long long)c * n + i] : -1;
        if (rank >= 0) {
            const float4 color = reinterpret_cast<const float4 *>(channels + (long long)rank * stride)[0];
            const float4 v = reinterpret_cast<const float4 *>(v_channels + (long long)rank * stride)[0];
            // Negative zero: clamped in find_visible.
            const float kept[3] = {__float_as_int(color.x) < 0 ? 0 : v.x, __float_as_int(color.y) < 0 ? 0 : v.y,
                                   __float_as_int(color.z) < 0 ? 0 : v.z};
            // Further cameras add to what is already written: sums over all of them would take 48 registers, mostly for one
            // camera.
            float row[48], v_row[48] = {};
            if (seen) load_row(v_sh + (long long)i * sh_stride, sh_stride, v_row);
            load_row(sh + (long long)i * sh_stride, sh_stride, row);
            sh_vjp(degree, means + 3LL * i, eyes + 3 * c, row, kept, v_row, v_mean);
            store_row(v_sh + (long long)i * sh_stride, sh_stride, v_row);
            for (int j = 0; j < 3; ++j) total[j] += v_mean[j];
            seen = true;
        }
        if (v_eyes) {
            for (int j = 0; j < 3; ++j) v_mean[j] = -v_mean[j];
            block_sums<3>(v_mean, stage, v_eyes + 3LL * ((long long)blockIdx.x * camera_count + c));
        }
    }
    if (i >= n) return;
    for (int j = 0; j < 3; ++j) v_means[3LL * i + j] = total[j];
    if (!seen) {
        const float zeros[48] = {};
        store_row(v_sh + (long long)i * sh_stride, sh_stride, zeros);
    }
}
