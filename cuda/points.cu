// Clouds of points in Morton order, cut into buckets with a box each: farthest-point sampling and nearest neighbours, both exact.
// The order and the boxes come from spatialwm/render/morton.py.

namespace {

typedef unsigned long long Key;

// Rounded step by step, never fused: the processor's samples are the same, and the distance to a box is never greater than the
// distance to a point inside, because every step is monotone.
__device__ inline float squared_length(float x, float y, float z) {
    return __fadd_rn(__fadd_rn(__fmul_rn(x, x), __fmul_rn(y, y)), __fmul_rn(z, z));
}

// low: the box's least corner, then its greatest.
__device__ inline float squared_distance_to_box(const float *__restrict__ box, float x, float y, float z) {
    return squared_length(fmaxf(fmaxf(box[0] - x, x - box[3]), 0.0f), fmaxf(fmaxf(box[1] - y, y - box[4]), 0.0f),
                          fmaxf(fmaxf(box[2] - z, z - box[5]), 0.0f));
}

// Farther is greater; of equally far, the lower index is; a chosen point (-1) is the least. The bits of floats >= 0 sort as they do.
__device__ inline Key far_key(float squared, int index) {
    const Key high = squared < 0.0f ? 0u : __float_as_uint(squared) + 1u;
    return high << 32 | (0xffffffffu - unsigned(index));
}

__device__ inline float far_distance(Key key) {
    const unsigned high = unsigned(key >> 32);
    return high == 0 ? -1.0f : __uint_as_float(high - 1u);
}

__device__ inline Key greatest_of_warp(Key key) {
    for (int lanes = 16; lanes > 0; lanes /= 2) {
        const Key other = __shfl_xor_sync(0xffffffffu, key, lanes);
        if (other > key) key = other;
    }
    return key;
}

constexpr int WARPS = 32;  // of a block that samples
constexpr int TILE = 128;  // threads, queries and candidates of a block that searches

// The k nearest so far as keys (squared distance, index), in registers. Unwanted slots hold 0, which nothing displaces.
template <int SLOTS>
__device__ inline void search(
    const float *__restrict__ points, const int *__restrict__ order, const float *__restrict__ boxes,
    const float *__restrict__ queries, const int *__restrict__ rows, const int *__restrict__ home, float *__restrict__ distances,
    long long *__restrict__ indices, int n, int m, int k, int tiles, int alone) {
    __shared__ float tile[TILE * 3];
    __shared__ int names[TILE];
    const int query = blockIdx.x * TILE + threadIdx.x;
    const bool active = query < m;
    float x = 0.0f, y = 0.0f, z = 0.0f;
    int row = -1;
    if (active) x = queries[3 * query], y = queries[3 * query + 1], z = queries[3 * query + 2], row = rows[query];
    Key near[SLOTS];
#pragma unroll
    for (int j = 0; j < SLOTS; ++j) near[j] = j < SLOTS - k ? 0 : Key(0x7f800000) << 32 | 0xffffffff;  // infinitely far

    // From the tile that the queries lie in outwards: the first few fill the lists, most others are then too far to look into.
    const int center = home[blockIdx.x], reach = max(center, tiles - 1 - center);
    for (int s = 0; s <= 2 * reach; ++s) {
        const int t = center + (s & 1 ? (s + 1) / 2 : -(s / 2));
        if (t < 0 || t >= tiles) continue;
        const bool wanted =
            active && squared_distance_to_box(boxes + 6 * t, x, y, z) <= __uint_as_float(unsigned(near[SLOTS - 1] >> 32));
        if (!__syncthreads_or(wanted)) continue;
        const int first = t * TILE, count = min(TILE, n - first);
        for (int i = threadIdx.x; i < 3 * count; i += TILE) tile[i] = points[3 * first + i];
        if (int(threadIdx.x) < count) names[threadIdx.x] = order[first + threadIdx.x];
        __syncthreads();
        if (!wanted) continue;
        for (int i = 0; i < count; ++i) {
            const int name = names[i];
            const float d = squared_length(tile[3 * i] - x, tile[3 * i + 1] - y, tile[3 * i + 2] - z);
            const Key key = Key(__float_as_uint(d)) << 32 | unsigned(name);
            if (key >= near[SLOTS - 1] || (alone && name == row)) continue;
#pragma unroll
            for (int j = SLOTS - 1; j > 0; --j) near[j] = key < near[j - 1] ? near[j - 1] : key < near[j] ? key : near[j];
            if (key < near[0]) near[0] = key;
        }
    }
    if (!active) return;
#pragma unroll
    for (int j = 0; j < SLOTS; ++j) {
        if (j < SLOTS - k) continue;
        const long long at = (long long)(row)*k + j - (SLOTS - k);
        distances[at] = sqrtf(__uint_as_float(unsigned(near[j] >> 32)));
        indices[at] = unsigned(near[j]);
    }
}

}  // namespace

// One block of 32 warps per cloud, buckets of 32 points: one point per lane. A bucket is skipped while the new point is farther
// from its box than any of its points is from those already chosen.
//   cloud (b, n, 3) as given; points (b, n, 3) in bucket order with their names `order` (b, n), and `place` (b, n), its inverse;
//   boxes (b, buckets, 6); left (b, n), infinite; worst (b, buckets); out (b, count).
extern "C" __global__ void __launch_bounds__(1024) farthest(
    const float *__restrict__ cloud, const float *__restrict__ points, const int *__restrict__ order,
    const int *__restrict__ place, const float *__restrict__ boxes, float *__restrict__ left, Key *__restrict__ worst,
    long long *__restrict__ out, int n, int buckets, int count, int start) {
    __shared__ Key best_of_warp[WARPS];
    __shared__ int next;
    const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
    const long long base = (long long)(blockIdx.x) * n;
    cloud += 3 * base, points += 3 * base, order += base, place += base, left += base;
    boxes += 6ll * blockIdx.x * buckets, worst += (long long)(blockIdx.x) * buckets, out += (long long)(blockIdx.x) * count;
    int chosen = start;
    for (int step = 0; step < count; ++step) {
        const int at = place[chosen], own = at / 32;
        const float x = cloud[3 * chosen], y = cloud[3 * chosen + 1], z = cloud[3 * chosen + 2];
        if (threadIdx.x == 0) {
            out[step] = chosen;
            left[at] = -1.0f;
        }
        __syncthreads();
        Key best = 0;
        // Neighbouring buckets go to different warps, since it is neighbours that the new point changes.
        for (int first = 0; first < buckets; first += 32 * WARPS) {
            const int b = first + lane * WARPS + warp;
            Key farthest_here = 0;
            bool near = false;
            if (b < buckets) {
                farthest_here = step ? worst[b] : 0;
                near = !step || b == own || squared_distance_to_box(boxes + 6 * b, x, y, z) < far_distance(farthest_here);
            }
            for (unsigned left_to_do = __ballot_sync(0xffffffffu, near); left_to_do; left_to_do &= left_to_do - 1) {
                const int bit = __ffs(left_to_do) - 1, i = 32 * (first + bit * WARPS + warp) + lane;
                Key key = 0;
                if (i < n) {
                    const float *p = points + 3 * i;
                    const float d = fminf(left[i], squared_length(p[0] - x, p[1] - y, p[2] - z));
                    left[i] = d;
                    key = far_key(d, order[i]);
                }
                key = greatest_of_warp(key);
                if (lane == bit) worst[b] = farthest_here = key;
            }
            if (farthest_here > best) best = farthest_here;
        }
        best = greatest_of_warp(best);
        if (lane == 0) best_of_warp[warp] = best;
        __syncthreads();
        if (warp == 0) {
            best = greatest_of_warp(best_of_warp[lane]);
            if (lane == 0) next = int(0xffffffffu - unsigned(best));
        }
        __syncthreads();
        chosen = next;
    }
}

// One thread per query, in Morton order as the points are.
//   points (n, 3) with their names `order`; boxes (tiles, 6) of TILE points; queries (m, 3) with the `rows` of the result that they
//   fill; home: per block, the tile to begin with; alone: a query is not its own neighbour; results (m, k), k <= slots.
extern "C" __global__ void __launch_bounds__(128) nearest_4(
    const float *__restrict__ points, const int *__restrict__ order, const float *__restrict__ boxes,
    const float *__restrict__ queries, const int *__restrict__ rows, const int *__restrict__ home, float *__restrict__ distances,
    long long *__restrict__ indices, int n, int m, int k, int tiles, int alone) {
    search<4>(points, order, boxes, queries, rows, home, distances, indices, n, m, k, tiles, alone);
}

extern "C" __global__ void __launch_bounds__(128) nearest_16(
    const float *__restrict__ points, const int *__restrict__ order, const float *__restrict__ boxes,
    const float *__restrict__ queries, const int *__restrict__ rows, const int *__restrict__ home, float *__restrict__ distances,
    long long *__restrict__ indices, int n, int m, int k, int tiles, int alone) {
    search<16>(points, order, boxes, queries, rows, home, distances, indices, n, m, k, tiles, alone);
}

extern "C" __global__ void __launch_bounds__(128) nearest_64(
    const float *__restrict__ points, const int *__restrict__ order, const float *__restrict__ boxes,
    const float *__restrict__ queries, const int *__restrict__ rows, const int *__restrict__ home, float *__restrict__ distances,
    long long *__restrict__ indices, int n, int m, int k, int tiles, int alone) {
    search<64>(points, order, boxes, queries, rows, home, distances, indices, n, m, k, tiles, alone);
}
