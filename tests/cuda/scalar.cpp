// The scalar device functions over whole arrays, in both real types: what test_scalar_functions.py calls.
#include "sh.cuh"
#include "tiles.cuh"

using namespace spatialwm;

template <typename Real>
struct Gaussians {
    const Real *means, *quats, *scales, *opacities;
};

#define EXPORT(Real, name)                                                                                                     \
    extern "C" void colors_##name(int degree, int n, const Real *sh, const Real *means, const Real *eye, Real *out) {          \
        const int k = (degree + 1) * (degree + 1);                                                                             \
        for (int i = 0; i < n; ++i) {                                                                                          \
            Real d[3], basis[16];                                                                                              \
            sh_direction(means + 3 * i, eye, d);                                                                               \
            sh_basis(degree, d[0], d[1], d[2], basis);                                                                         \
            for (int c = 0; c < 3; ++c)                                                                                        \
                out[3 * i + c] = larger(sh_to_channel(degree, basis, sh + i * 3 * k + c, 3), Real(0));                         \
        }                                                                                                                      \
    }                                                                                                                          \
    extern "C" void colors_vjp_##name(                                                                                         \
        int degree, int n, const Real *sh, const Real *means, const Real *eye, const Real *v, Real *v_sh, Real *v_means) {     \
        const int k = (degree + 1) * (degree + 1);                                                                             \
        for (int i = 0; i < n; ++i) {                                                                                          \
            Real d[3], basis[16], kept[3];                                                                                     \
            sh_direction(means + 3 * i, eye, d);                                                                               \
            sh_basis(degree, d[0], d[1], d[2], basis);                                                                         \
            for (int c = 0; c < 3; ++c)                                                                                        \
                kept[c] = sh_to_channel(degree, basis, sh + i * 3 * k + c, 3) >= Real(0) ? v[3 * i + c] : Real(0);             \
            sh_vjp(degree, means + 3 * i, eye, sh + i * 3 * k, kept, v_sh + i * 3 * k, v_means + 3 * i);                       \
        }                                                                                                                      \
    }                                                                                                                          \
    extern "C" void project_##name(                                                                                            \
        int n, const Camera<Real> *camera, const Lens<Real> *lens, const Real *means, const Real *quats, const Real *scales,   \
        const Real *opacities, int *visible, Real *out) {                                                                      \
        for (int i = 0; i < n; ++i) {                                                                                          \
            Projected<Real> p;                                                                                                 \
            visible[i] = project(*camera, *lens, means + 3 * i, quats + 4 * i, scales + 3 * i, opacities[i],                   \
                                 Real(1.0 / 255), &p);                                                                         \
            if (!visible[i]) continue;                                                                                         \
            const Conic<Real> k = conic_of(splat_of(p));                                                                       \
            const Extent<Real> e = extent_of(splat_of(p));                                                                     \
            const Real row[9] = {p.x, p.y, p.depth, k.a, k.b, k.c, p.opacity, e.half_w, e.half_h};                             \
            for (int j = 0; j < 9; ++j) out[9 * i + j] = row[j];                                                               \
        }                                                                                                                      \
    }                                                                                                                          \
    extern "C" void project_vjp_##name(                                                                                        \
        int n, const Camera<Real> *camera, const Lens<Real> *lens, const Real *means, const Real *quats, const Real *scales,   \
        const Real *opacities, const ProjectedGradient<Real> *v, GaussianGradient<Real> *out) {                                \
        for (int i = 0; i < n; ++i)                                                                                            \
            out[i] = project_vjp(*camera, *lens, means + 3 * i, quats + 4 * i, scales + 3 * i, opacities[i], v[i]);            \
    }                                                                                                                          \
    extern "C" void alphas_##name(int n, const Splat<Real> *splats, int width, int height, Real *out) {                        \
        for (int i = 0; i < n; ++i)                                                                                            \
            for (int p = 0; p < width * height; ++p) {                                                                         \
                const Splat<Real> &s = splats[i];                                                                              \
                const Real dx = p % width + Real(0.5) - s.x, dy = p / width + Real(0.5) - s.y;                                 \
                out[i * width * height + p] = power_of_two(log_alpha(s, dx + s.slope * dy, dy));                               \
            }                                                                                                                  \
    }                                                                                                                          \
    extern "C" void tiles_##name(int n, const Splat<Real> *splats, int width, int height, int *touched, int *counts,           \
                                 int *corners) {                                                                               \
        const int columns = (width + TILE - 1) / TILE, rows = (height + TILE - 1) / TILE;                                      \
        for (int i = 0; i < n; ++i) {                                                                                          \
            const Extent<Real> e = extent_of(splats[i]);                                                                       \
            counts[i] = count_tiles(splats[i], width, height);                                                                 \
            const Span band = tile_rows(splats[i], e, height);                                                                 \
            for (int row = band.first; row < band.last; ++row) {                                                               \
                const Span span = tiles_in_row(splats[i], e, row, width, height);                                              \
                for (int column = span.first; column < span.last; ++column) touched[(i * rows + row) * columns + column] = 1;  \
            }                                                                                                                  \
            for (int t = 0; t < rows * columns; ++t) {                                                                         \
                const int left = t % columns * TILE, top = t / columns * TILE;                                                 \
                corners[i * rows * columns + t] =                                                                              \
                    reaches_rectangle(splats[i], Real(left + 0.5), Real(top + 0.5), Real(smaller(left + TILE, width) - 0.5),   \
                                      Real(smaller(top + TILE, height) - 0.5));                                                \
            }                                                                                                                  \
        }                                                                                                                      \
    }

EXPORT(float, float32)
EXPORT(double, float64)
