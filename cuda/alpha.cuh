// A projected Gaussian as pixels see it: how opaque it is where, and which pixels it can reach at all.
#pragma once
#include "projection.cuh"

namespace spatialwm {

// Constants of gsplat 1.5.3, as in render/reference.py.
constexpr float MIN_ALPHA = 1.0f / 255;
constexpr float MAX_ALPHA = 0.999f;
constexpr float MIN_TRANSMITTANCE = 1e-4f;

// With dy = pixel - y and t = (pixel - x) + slope dy, the distance across the ellipse's tilted chord,
//     alpha = 2^(log_opacity - along t^2 - across dy^2).
// A sum of squares: unlike a dx^2 + 2 b dx dy + c dy^2 it cannot cancel or turn negative in float32, costs no more, and its
// powers of two are what the hardware computes. 32 bytes, so that a splat is two 16-byte loads from one memory sector.
template <typename Real>
struct alignas(16) Splat {
    Real x, y, slope, depth;
    Real along, across, log_opacity, opacity;
};

template <typename Real>
struct Conic {
    Real a, b, c;
};

constexpr double LOG2_E = 1.4426950408889634;

SPATIALWM_FUNCTION Splat<Real> splat_of(const Projected<Real> &p) {
    const Real half = Real(0.5 * LOG2_E);
    return {p.x, p.y, -p.xy / p.yy, p.depth, half * p.yy / p.det, half / p.yy, logarithm_of_two(p.opacity), p.opacity};
}

SPATIALWM_FUNCTION Conic<Real> conic_of(const Splat<Real> &s) {
    const Real unit = Real(2 / LOG2_E), a = unit * s.along;
    return {a, a * s.slope, unit * s.across + a * s.slope * s.slope};
}

// log2 of alpha before it is clamped to MAX_ALPHA.
SPATIALWM_FUNCTION Real log_alpha(const Splat<Real> &s, Real t, Real dy) {
    return s.log_opacity - (s.along * t * t + s.across * dy * dy);
}

// alpha >= 1/255 where along t^2 + across dy^2 <= reach. Rounded up by 4e-5, so that no test of areas loses a pixel to
// rounding.
SPATIALWM_FUNCTION Real reach_of(const Splat<Real> &s) { return s.log_opacity + Real(7.9944); }

// Half width and half height of the visible ellipse, and how far above y it is widest to the right (as far below, to the left).
template <typename Real>
struct Extent {
    Real half_w, half_h, widest;
};

SPATIALWM_FUNCTION Extent<Real> extent_of(const Splat<Real> &s) {
    const Real reach = larger(reach_of(s), Real(0)), steep = s.slope / s.across;
    const Real square = 1 / s.along + s.slope * steep;
    const Real half_w = square_root(reach * square);
    return {half_w, square_root(reach / s.across), -steep * half_w / square};
}

// Leftmost and rightmost point of the visible ellipse within the band top <= y <= bottom; false where it does not enter the
// band.
SPATIALWM_FUNCTION bool chord_in_band(
    const Splat<Real> &s, const Extent<Real> &e, Real top, Real bottom, Real *left, Real *right) {
    const Real low = top - s.y, high = bottom - s.y;
    if (low > e.half_h || high < -e.half_h) return false;
    const Real reach = larger(reach_of(s), Real(0));
    const Real at_right = clamped(e.widest, low, high), at_left = clamped(-e.widest, low, high);
    *right = s.x - s.slope * at_right + square_root(larger(reach - s.across * at_right * at_right, Real(0)) / s.along);
    *left = s.x - s.slope * at_left - square_root(larger(reach - s.across * at_left * at_left, Real(0)) / s.along);
    return true;
}

// Whether alpha reaches 1/255 anywhere on the rectangle between the given pixel centres. The nearest point of a convex figure
// lies on an edge that faces the centre, so at most one vertical and one horizontal edge are looked at. No square root, one
// division: each warp asks this for every splat of its tile.
SPATIALWM_FUNCTION bool reaches_rectangle(const Splat<Real> &s, Real left, Real top, Real right, Real bottom) {
    const Real l = left - s.x, r = right - s.x, u = top - s.y, d = bottom - s.y;
    const bool outside_x = l > 0 || r < 0, outside_y = u > 0 || d < 0;
    if (!outside_x && !outside_y) return true;
    const Real reach = reach_of(s);
    bool touches = false;
    if (outside_x) {
        const Real dx = l > 0 ? l : r;
        const Real lean = s.along * s.slope;
        const Real dy = clamped(quotient(-lean * dx, lean * s.slope + s.across), u, d);
        const Real t = dx + s.slope * dy;
        touches = s.along * t * t + s.across * dy * dy <= reach;
    }
    if (outside_y) {
        const Real dy = u > 0 ? u : d;
        const Real t = clamped(-s.slope * dy, l, r) + s.slope * dy;
        touches = touches || s.along * t * t + s.across * dy * dy <= reach;
    }
    return touches;
}

}  // namespace spatialwm
