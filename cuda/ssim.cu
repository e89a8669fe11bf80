// L1 and structural similarity of images (n, h, w, channels), with their gradient.
//
// With s = x + y and d = x - y (x the image, y its target), four blurred maps give
//     1 - SSIM = u + v - u v,   u = mean(d)^2 / (mean(x)^2 + mean(y)^2 + C1),   v = var(d) / (var(x) + var(y) + C2)
// without cancellation between images that nearly agree: equal ones have loss 0 and gradient 0, exactly.
//
// A block makes a tile of 32 x 32 pixels from 42 x 42: it blurs across into shared memory, then down, where each thread makes four
// rows, so that a value from shared memory serves up to four windows. Channels follow one another in one block because they share
// cache lines. Sums are written per block and added in one order, so results repeat to the bit.

namespace {

constexpr int RADIUS = 5, TAPS = 11, TILE = 32, SIDE = TILE + 2 * RADIUS, THREADS = 256, WARPS = THREADS / 32, ROWS = 4;
constexpr unsigned ALL_LANES = 0xffffffffu;
constexpr float C1 = 1e-4f, C2 = 9e-4f;
// A Gaussian of 1.5 px over 11 px, up to its middle.
__constant__ float WINDOW[RADIUS + 1] = {0.00102838012f, 0.00759875821f, 0.0360007733f, 0.109360687f, 0.213005543f, 0.266011715f};

__device__ inline float blurred(const float *x, int stride) {
    float sum = WINDOW[RADIUS] * x[RADIUS * stride];
#pragma unroll
    for (int k = 0; k < RADIUS; ++k) sum += WINDOW[k] * (x[k * stride] + x[(TAPS - 1 - k) * stride]);
    return sum;
}

// ROWS windows below one another; `column` is the topmost value of the first.
__device__ inline void blurred_down(const float *column, float *out) {
    float x[ROWS + TAPS - 1];
#pragma unroll
    for (int k = 0; k < ROWS + TAPS - 1; ++k) x[k] = column[k * TILE];
#pragma unroll
    for (int j = 0; j < ROWS; ++j) out[j] = blurred(x + j, 1);
}

template <typename Real>
__device__ inline Real sum_of_warp(Real value) {
    for (int distance = 16; distance; distance >>= 1) value += __shfl_xor_sync(ALL_LANES, value, distance);
    return value;
}

}  // namespace

// Grid: tiles across, tiles down, images. `sums` receives sum |d| and sum (1 - SSIM) of each block. `maps` (3, n * channels, h, w),
// if not null, receives the derivatives of 1 - SSIM by the means, by mean(s^2) and by mean(d^2). Pixels nearer than `margin` to
// the border have no window.
extern "C" __global__ void __launch_bounds__(256) ssim_forward(const float *__restrict__ image, const float *__restrict__ target,
                                                               float *__restrict__ sums, float *__restrict__ maps, int height,
                                                               int width, int channels, int margin) {
    __shared__ float s_tile[SIDE * SIDE], d_tile[SIDE * SIDE];
    __shared__ float across[4][SIDE * TILE];
    __shared__ float sums_of_warps[2 * WARPS];
    const int thread = threadIdx.x, lane = thread & 31, warp = thread >> 5;
    const int left = blockIdx.x * TILE, top = blockIdx.y * TILE;
    const long long pixels = static_cast<long long>(height) * width, picture = blockIdx.z;
    const long long map_size = gridDim.z * pixels * channels;
    float l1 = 0, dissimilarity = 0;

    for (int channel = 0; channel < channels; ++channel) {
        for (int i = thread; i < SIDE * SIDE; i += THREADS) {
            const int row = i / SIDE, column = i % SIDE, y = top + row - RADIUS, x = left + column - RADIUS;
            float s = 0, d = 0;
            if (y >= 0 && y < height && x >= 0 && x < width) {
                const long long at = (picture * pixels + static_cast<long long>(y) * width + x) * channels + channel;
                s = image[at] + target[at];
                d = image[at] - target[at];
                const bool own = row >= RADIUS && row < RADIUS + TILE && column >= RADIUS && column < RADIUS + TILE;
                if (own) l1 += fabsf(d);
            }
            s_tile[i] = s;
            d_tile[i] = d;
        }
        __syncthreads();
        for (int i = thread; i < SIDE * TILE; i += THREADS) {
            const int start = i / TILE * SIDE + i % TILE;
            float s[TAPS], d[TAPS];
#pragma unroll
            for (int k = 0; k < TAPS; ++k) s[k] = s_tile[start + k], d[k] = d_tile[start + k];
            across[0][i] = blurred(s, 1);
            across[1][i] = blurred(d, 1);
#pragma unroll
            for (int k = 0; k < TAPS; ++k) s[k] *= s[k], d[k] *= d[k];
            across[2][i] = blurred(s, 1);
            across[3][i] = blurred(d, 1);
        }
        __syncthreads();
        float means_s[ROWS], means_d[ROWS], squares_s[ROWS], squares_d[ROWS];
        const int column = warp * ROWS * TILE + lane;
        blurred_down(across[0] + column, means_s);
        blurred_down(across[1] + column, means_d);
        blurred_down(across[2] + column, squares_s);
        blurred_down(across[3] + column, squares_d);
#pragma unroll
        for (int j = 0; j < ROWS; ++j) {
            const int y = top + warp * ROWS + j, x = left + lane;
            if (y >= height || x >= width) continue;
            float by_mean = 0, by_square_s = 0, by_square_d = 0;
            if (y >= margin && y < height - margin && x >= margin && x < width - margin) {
                const float s = means_s[j], d = means_d[j];
                const float b1 = 0.5f * (s * s + d * d) + C1;
                const float var_d = squares_d[j] - d * d;
                const float b2 = 0.5f * (squares_s[j] - s * s + var_d) + C2;
                const float inv = 1.0f / (b1 * b2), inv_b1 = inv * b2, inv_b2 = inv * b1;
                const float u = d * d * inv_b1, v = var_d * inv_b2;
                dissimilarity += u + v - u * v;
                by_square_d = (1.0f - u) * inv_b2 * (1.0f - 0.5f * v);
                by_square_s = -0.5f * (1.0f - u) * inv_b2 * v;
                by_mean = (1.0f - v) * inv_b1 * (d * (2.0f - u) - u * s) - 2.0f * (by_square_s * s + by_square_d * d);
            }
            if (maps) {
                const long long at = (picture * channels + channel) * pixels + static_cast<long long>(y) * width + x;
                maps[at] = by_mean;
                maps[at + map_size] = by_square_s;
                maps[at + 2 * map_size] = by_square_d;
            }
        }
    }

    l1 = sum_of_warp(l1);
    dissimilarity = sum_of_warp(dissimilarity);
    if (lane == 0) sums_of_warps[2 * warp] = l1, sums_of_warps[2 * warp + 1] = dissimilarity;
    __syncthreads();
    if (thread < 2) {
        float sum = 0;
        for (int w = 0; w < WARPS; ++w) sum += sums_of_warps[2 * w + thread];
        sums[2 * ((picture * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x) + thread] = sum;
    }
}

// One block: value = l1_scale sum |d| + ssim_scale sum (1 - SSIM), from the sums of `blocks` blocks.
extern "C" __global__ void __launch_bounds__(256) ssim_value(const float *__restrict__ sums, float *__restrict__ value, int blocks,
                                                             double l1_scale, double ssim_scale) {
    __shared__ double sums_of_warps[WARPS];
    double sum = 0;
    for (int i = threadIdx.x; i < blocks; i += THREADS) sum += l1_scale * sums[2 * i] + ssim_scale * sums[2 * i + 1];
    sum = sum_of_warp(sum);
    if ((threadIdx.x & 31) == 0) sums_of_warps[threadIdx.x >> 5] = sum;
    __syncthreads();
    if (threadIdx.x > 0) return;
    for (int w = 1; w < WARPS; ++w) sum += sums_of_warps[w];
    *value = static_cast<float>(sum);
}

// Grid: tiles across, tiles down, images. The gradient of l1_scale sum |d| + ssim_scale sum (1 - SSIM) to the image, from `maps`.
extern "C" __global__ void __launch_bounds__(256) ssim_backward(const float *__restrict__ image, const float *__restrict__ target,
                                                                const float *__restrict__ maps, float *__restrict__ gradient,
                                                                int height, int width, int channels, float l1_scale,
                                                                float ssim_scale) {
    __shared__ float tile[SIDE * SIDE];
    __shared__ float across[3][SIDE * TILE];
    const int thread = threadIdx.x, lane = thread & 31, warp = thread >> 5;
    const int left = blockIdx.x * TILE, top = blockIdx.y * TILE;
    const long long pixels = static_cast<long long>(height) * width, picture = blockIdx.z;
    const long long map_size = gridDim.z * pixels * channels;

    for (int channel = 0; channel < channels; ++channel) {
        for (int map = 0; map < 3; ++map) {
            const float *source = maps + map * map_size + (picture * channels + channel) * pixels;
            for (int i = thread; i < SIDE * SIDE; i += THREADS) {
                const int y = top + i / SIDE - RADIUS, x = left + i % SIDE - RADIUS;
                const bool inside = y >= 0 && y < height && x >= 0 && x < width;
                tile[i] = inside ? source[static_cast<long long>(y) * width + x] : 0.0f;
            }
            __syncthreads();  // also: the last channel's `across` has been read
            for (int i = thread; i < SIDE * TILE; i += THREADS) across[map][i] = blurred(tile + i / TILE * SIDE + i % TILE, 1);
            __syncthreads();
        }
        float by_mean[ROWS], by_square_s[ROWS], by_square_d[ROWS];
        const int column = warp * ROWS * TILE + lane;
        blurred_down(across[0] + column, by_mean);
        blurred_down(across[1] + column, by_square_s);
        blurred_down(across[2] + column, by_square_d);
#pragma unroll
        for (int j = 0; j < ROWS; ++j) {
            const int y = top + warp * ROWS + j, x = left + lane;
            if (y >= height || x >= width) continue;
            const long long at = (picture * pixels + static_cast<long long>(y) * width + x) * channels + channel;
            const float s = image[at] + target[at], d = image[at] - target[at];
            const float sign = float(d > 0.0f) - float(d < 0.0f);
            gradient[at] = ssim_scale * (by_mean[j] + 2.0f * (s * by_square_s[j] + d * by_square_d[j])) + l1_scale * sign;
        }
    }
}
