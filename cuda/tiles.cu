// Which splats each 16x16 tile draws, nearest first.
//
// Splats are already in depth order, so one stable sort of their tiles by tile number alone, two passes of 8 bits at 1080p,
// orders both; a sort of (tile, depth) keys as in the original rasteriser takes six.
#include "tiles.cuh"
#include "warp.cuh"

using namespace spatialwm;

constexpr int SHARED_FROM = 32;  // tiles; a splat that touches more is written by its whole warp

// A thread per splat; writes its tiles at starts[rank] ... as (tile, rank). Tiles are numbered through all cameras.
extern "C" __global__ void __launch_bounds__(256) list_tiles(
    const float *__restrict__ splats, const long long *__restrict__ camera_ids, const int *__restrict__ counts,
    const long long *__restrict__ starts, int m, int width, int height, int tile_count, int *__restrict__ tiles,
    int *__restrict__ ranks) {
    const int rank = blockIdx.x * 256 + threadIdx.x, lane = threadIdx.x & 31;
    const int columns = (width + TILE - 1) / TILE, rows = (height + TILE - 1) / TILE;
    const int count = rank < m ? counts[rank] : 0;
    if (count > 0 && count < SHARED_FROM) {
        const Splat<float> s = reinterpret_cast<const Splat<float> *>(splats)[rank];
        const Extent<float> e = extent_of(s);
        const Span band = tile_rows(s, e, height);
        const int first = int(camera_ids[rank]) * columns * rows;
        // Never past what was counted, whatever another compilation of the same arithmetic made of a tangent; what it left out
        // goes to a tile that does not exist.
        long long at = starts[rank];
        const long long stop = at + count;
        for (int row = band.first; row < band.last; ++row) {
            const Span span = tiles_in_row(s, e, row, width, height);
            for (int column = span.first; column < span.last && at < stop; ++column, ++at) {
                tiles[at] = first + row * columns + column;
                ranks[at] = rank;
            }
        }
        for (; at < stop; ++at) tiles[at] = tile_count, ranks[at] = rank;
    }
    // One thread alone would write a splat that fills the image for longer than all others together.
    for (unsigned large = __ballot_sync(ALL_LANES, count >= SHARED_FROM); large; large &= large - 1) {
        const int wide = (rank & ~31) + __ffs(large) - 1;
        const Splat<float> s = reinterpret_cast<const Splat<float> *>(splats)[wide];
        const Extent<float> e = extent_of(s);
        const Span band = tile_rows(s, e, height);
        const int first = int(camera_ids[wide]) * columns * rows;
        long long at = starts[wide];
        const long long stop = at + counts[wide];
        for (int row = band.first; row < band.last; ++row) {
            const Span span = tiles_in_row(s, e, row, width, height);
            for (int column = span.first + lane; column < span.last; column += 32) {
                const long long place = at + column - span.first;
                if (place < stop) tiles[place] = first + row * columns + column, ranks[place] = wide;
            }
            at += span.last - span.first;
        }
        for (at += lane; at < stop; at += 32) tiles[at] = tile_count, ranks[at] = wide;
    }
}

__device__ inline int first_not_below(const int *sorted, int count, int value) {
    int low = 0, high = count;
    while (low < high) {
        const int middle = (low + high) >> 1;
        if (sorted[middle] < value) low = middle + 1;
        else high = middle;
    }
    return low;
}

// A thread per tile and one more: starts (tile_count + 1) of each tile's part of the sorted list, empty ones included. By
// bisection: the list is a thousand times longer than there are tiles.
extern "C" __global__ void __launch_bounds__(256) find_starts(
    const int *__restrict__ tiles, int total, int tile_count, int *__restrict__ starts) {
    const int tile = blockIdx.x * 256 + threadIdx.x;
    if (tile <= tile_count) starts[tile] = first_not_below(tiles, total, tile);
}
