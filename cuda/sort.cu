// Prefix sum and stable radix sort, each value read and written once per pass.
//
// Both chain their blocks by decoupled look-back: a block publishes the sum of its own part as soon as it is known, and learns what
// lies before it by walking back over its predecessors until one has published its full prefix. A word holds the sum and its state
// together, so that no fence is needed. Blocks number themselves by a ticket: the ones before are then always running or done.
// Source: Merrill and Garland 2016, "Single-pass parallel prefix scan with decoupled look-back"; Adinets and Merrill 2022, "Onesweep".

namespace {

constexpr int THREADS = 256;
constexpr int WARPS = THREADS / 32;
constexpr unsigned ALL_LANES = 0xffffffffu;

// Odd, so that threads that read their own run of shared memory fall into different banks.
constexpr int SCAN_ITEMS = 15;
constexpr int SCAN_TILE = THREADS * SCAN_ITEMS;

constexpr int SORT_ITEMS = 16;
constexpr int SORT_TILE = THREADS * SORT_ITEMS;
constexpr int RADIX = 256;
constexpr int MAX_PASSES = 4;
constexpr int COPIES = 4;  // of the histogram in shared memory: lanes that count the same digit meet in fewer places

// Sum of the values of the threads before this one; `total` of all. `sums` is shared memory for one value per warp.
template <typename T>
__device__ inline T block_exclusive_scan(T value, T *sums, T &total) {
    const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
    T inclusive = value;
    for (int distance = 1; distance < 32; distance <<= 1) {
        const T below = __shfl_up_sync(ALL_LANES, inclusive, distance);
        if (lane >= distance) inclusive += below;
    }
    if (lane == 31) sums[warp] = inclusive;
    __syncthreads();
    T before = 0;
    total = 0;
    for (int w = 0; w < WARPS; ++w) {
        if (w < warp) before += sums[w];
        total += sums[w];
    }
    __syncthreads();
    return before + inclusive - value;
}

template <typename Word>
__device__ inline Word wait_until_published(const Word *at) {
    Word word = *static_cast<const volatile Word *>(at);
    while (word == 0) {
        __nanosleep(20);
        word = *static_cast<const volatile Word *>(at);
    }
    return word;
}

template <typename Word>
__device__ inline void publish(Word *at, Word word) {
    *static_cast<volatile Word *>(at) = word;
}

__device__ inline int smaller(long long a, int b) { return a < b ? int(a) : b; }

}  // namespace

// offsets[i] = counts[0] + ... + counts[i - 1] for i = 0 ... n. `chain` holds a zero per tile, then a zero for the tickets.
extern "C" __global__ void __launch_bounds__(256) exclusive_scan(const int *__restrict__ counts, long long *__restrict__ offsets,
                                                                 unsigned long long *chain, int n) {
    constexpr unsigned long long OWN = 1ull << 62, PREFIX = 2ull << 62, VALUE = OWN - 1;
    __shared__ long long staged[SCAN_TILE];
    __shared__ long long sums[WARPS];
    __shared__ long long prefix;
    __shared__ int ticket;
    const int thread = threadIdx.x, lane = thread & 31;

    if (thread == 0) ticket = int(atomicAdd(chain + gridDim.x, 1ull));
    __syncthreads();
    const int tile = ticket, first = tile * SCAN_TILE;
    for (int i = thread; i < SCAN_TILE; i += THREADS) staged[i] = first + i < n ? counts[first + i] : 0;
    __syncthreads();

    long long own = 0, total;
    for (int i = 0; i < SCAN_ITEMS; ++i) own += staged[thread * SCAN_ITEMS + i];
    long long before = block_exclusive_scan(own, sums, total);

    if (thread < 32) {  // the first warp looks back at 32 tiles a time
        if (lane == 0) publish(chain + tile, (tile == 0 ? PREFIX : OWN) | static_cast<unsigned long long>(total));
        long long sum = 0;
        for (int look = tile - 1 - lane;; look -= 32) {
            const unsigned long long word = look >= 0 ? wait_until_published(chain + look) : PREFIX;
            const unsigned complete = __ballot_sync(ALL_LANES, (word & PREFIX) != 0);
            const int nearest = complete ? __ffs(int(complete)) - 1 : 31;
            long long part = lane <= nearest ? static_cast<long long>(word & VALUE) : 0;
            for (int distance = 16; distance; distance >>= 1) part += __shfl_xor_sync(ALL_LANES, part, distance);
            sum += part;
            if (complete) break;
        }
        if (lane == 0) {
            if (tile > 0) publish(chain + tile, PREFIX | static_cast<unsigned long long>(sum + total));
            prefix = sum;
        }
    }
    __syncthreads();
    before += prefix;
    for (int i = 0; i < SCAN_ITEMS; ++i) {
        const long long count = staged[thread * SCAN_ITEMS + i];
        staged[thread * SCAN_ITEMS + i] = before;
        before += count;
    }
    __syncthreads();
    for (int i = thread; i < SCAN_TILE && first + i < n; i += THREADS) offsets[first + i] = staged[i];
    if (tile == int(gridDim.x) - 1 && thread == 0) offsets[n] = prefix + total;
}

// How often each digit of each pass occurs: histograms[pass * RADIX + digit], zero before. Only the first *count pairs are looked
// at, all where count is null.
extern "C" __global__ void __launch_bounds__(256) radix_histogram(const unsigned *__restrict__ keys, unsigned *histograms,
                                                                  const long long *__restrict__ count, int capacity, int bits,
                                                                  int width) {
    __shared__ unsigned counts[MAX_PASSES * RADIX * COPIES];
    const int n = count ? smaller(*count, capacity) : capacity, passes = (bits + width - 1) / width;
    for (int i = threadIdx.x; i < passes * RADIX * COPIES; i += THREADS) counts[i] = 0;
    __syncthreads();
    const int copy = threadIdx.x % COPIES;
    for (long long i = blockIdx.x * THREADS + threadIdx.x; i < n; i += gridDim.x * THREADS) {
        const unsigned key = keys[i];
        for (int pass = 0; pass < passes; ++pass) {
            const int shift = pass * width, kept = bits - shift < width ? bits - shift : width;
            atomicAdd(counts + (pass * RADIX + (key >> shift & ((1u << kept) - 1))) * COPIES + copy, 1u);
        }
    }
    __syncthreads();
    for (int i = threadIdx.x; i < passes * RADIX; i += THREADS) {
        unsigned sum = 0;
        for (int c = 0; c < COPIES; ++c) sum += counts[i * COPIES + c];
        if (sum) atomicAdd(histograms + i, sum);
    }
}

// One pass: pairs move, in order, to where the digit at `shift` of `width` bits puts them. `chain` holds a zero per tile and digit,
// then a zero for the tickets. Values are the positions where values_in is null.
extern "C" __global__ void __launch_bounds__(256) radix_pass(const unsigned *__restrict__ keys_in,
                                                             const int *__restrict__ values_in, unsigned *__restrict__ keys_out,
                                                             int *__restrict__ values_out,
                                                             const unsigned *__restrict__ histogram, unsigned *chain,
                                                             const long long *__restrict__ count, int capacity, int shift,
                                                             int width) {
    constexpr unsigned OWN = 1u << 30, PREFIX = 2u << 30, VALUE = OWN - 1;
    __shared__ unsigned places[WARPS * RADIX];  // counts per warp and digit, then where each such run starts in the tile
    __shared__ unsigned staged[SORT_TILE];
    __shared__ unsigned to_output[RADIX];  // from a place in the sorted tile to its place in the output
    __shared__ unsigned sums[WARPS];
    __shared__ int ticket;
    const int thread = threadIdx.x, lane = thread & 31, warp = thread >> 5;

    if (thread == 0) ticket = int(atomicAdd(chain + gridDim.x * RADIX, 1u));
    for (int i = thread; i < WARPS * RADIX; i += THREADS) places[i] = 0;
    __syncthreads();
    const int tile = ticket, first = tile * SORT_TILE, n = count ? smaller(*count, capacity) : capacity;
    if (first >= n) return;
    const int valid = n - first < SORT_TILE ? n - first : SORT_TILE;
    const unsigned mask = (1u << width) - 1;

    // What lies beyond the end has the greatest digit and comes last in the tile: it is staged after all that is written.
    unsigned keys[SORT_ITEMS];
    unsigned place[SORT_ITEMS];
    const int mine = warp * 32 * SORT_ITEMS + lane;
#pragma unroll
    for (int i = 0; i < SORT_ITEMS; ++i) keys[i] = mine + 32 * i < valid ? keys_in[first + mine + 32 * i] : ~0u;

    // Rank of each key among its warp's keys of the same digit: those of earlier rounds, then those of lower lanes.
    const unsigned lower_lanes = (1u << lane) - 1;
#pragma unroll
    for (int i = 0; i < SORT_ITEMS; ++i) {
        const unsigned digit = keys[i] >> shift & mask;
        unsigned peers = ALL_LANES;
        for (int bit = 0; bit < width; ++bit) {
            const bool set = digit >> bit & 1;
            const unsigned votes = __ballot_sync(ALL_LANES, set);
            peers &= set ? votes : ~votes;
        }
        const int leader = __ffs(int(peers)) - 1;
        unsigned earlier = 0;
        if (lane == leader) {
            earlier = places[warp * RADIX + digit];
            places[warp * RADIX + digit] = earlier + __popc(peers);
        }
        place[i] = __shfl_sync(ALL_LANES, earlier, leader) + __popc(peers & lower_lanes);
        __syncwarp();
    }
    __syncthreads();

    unsigned total = 0, all;  // of the digit that this thread stands for
    for (int w = 0; w < WARPS; ++w) {
        const unsigned here = places[w * RADIX + thread];
        places[w * RADIX + thread] = total;
        total += here;
    }
    publish(chain + tile * RADIX + thread, (tile == 0 ? PREFIX : OWN) | total);
    const unsigned start = block_exclusive_scan(total, sums, all);
    const unsigned smaller_digits = block_exclusive_scan(histogram[thread], sums, all);
    for (int w = 0; w < WARPS; ++w) places[w * RADIX + thread] += start;
    __syncthreads();
#pragma unroll
    for (int i = 0; i < SORT_ITEMS; ++i) {
        place[i] += places[warp * RADIX + (keys[i] >> shift & mask)];
        staged[place[i]] = keys[i];
    }

    unsigned before = 0;
    for (int t = tile - 1; t >= 0; --t) {
        const unsigned word = wait_until_published(chain + t * RADIX + thread);
        before += word & VALUE;
        if (word & PREFIX) break;
    }
    if (tile > 0) publish(chain + tile * RADIX + thread, PREFIX | (before + total));
    to_output[thread] = smaller_digits + before - start;
    __syncthreads();

    unsigned target[SORT_ITEMS];
#pragma unroll
    for (int i = 0; i < SORT_ITEMS; ++i) {
        const int at = thread + i * THREADS;
        const unsigned key = staged[at];
        target[i] = to_output[key >> shift & mask] + at;
        if (at < valid) keys_out[target[i]] = key;
    }
    __syncthreads();
#pragma unroll
    for (int i = 0; i < SORT_ITEMS; ++i) {
        const int at = mine + 32 * i;
        if (at < valid) staged[place[i]] = values_in ? values_in[first + at] : first + at;
    }
    __syncthreads();
#pragma unroll
    for (int i = 0; i < SORT_ITEMS; ++i) {
        const int at = thread + i * THREADS;
        if (at < valid) values_out[target[i]] = int(staged[at]);
    }
}
