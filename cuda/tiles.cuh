// Which 16x16 tiles a splat's visible ellipse truly touches. Its bounding box touches up to twice as many.
#pragma once
#include "alpha.cuh"

namespace spatialwm {

constexpr int TILE = 16;  // px on a side

struct Span {
    int first, last;  // half open
};

// Pixels whose centres lie in [low, high], among `size`; in tiles. Clamped as reals: a huge splat's edge fits no integer.
SPATIALWM_FUNCTION Span tiles_between(Real low, Real high, int size) {
    const Real from = larger(low - Real(0.5), Real(0)), to = smaller(high - Real(0.5), Real(size - 1));
    if (!(from <= to)) return {0, 0};
    int first = int(from);
    first += Real(first) < from;
    const int last = int(to);
    if (first > last) return {0, 0};
    return {first / TILE, last / TILE + 1};
}

SPATIALWM_FUNCTION Span tile_rows(const Splat<Real> &s, const Extent<Real> &e, int height) {
    return tiles_between(s.y - e.half_h, s.y + e.half_h, height);
}

SPATIALWM_FUNCTION Span tiles_in_row(const Splat<Real> &s, const Extent<Real> &e, int row, int width, int height) {
    const Real top = Real(row * TILE) + Real(0.5), bottom = smaller(top + Real(TILE - 1), Real(height) - Real(0.5));
    Real left, right;
    if (!chord_in_band(s, e, top, bottom, &left, &right)) return {0, 0};
    return tiles_between(left, right, width);
}

SPATIALWM_FUNCTION int count_tiles(const Splat<Real> &s, int width, int height) {
    const Extent<Real> e = extent_of(s);
    const Span rows = tile_rows(s, e, height);
    int count = 0;
    for (int row = rows.first; row < rows.last; ++row) {
        const Span span = tiles_in_row(s, e, row, width, height);
        count += span.last - span.first;
    }
    return count;
}

}  // namespace spatialwm
