// One Gaussian becomes several in the same place that together look as it did.
// Also compiles as plain C++, so that it is tested without a GPU.
#pragma once
#include "portable.cuh"

namespace spatialwm {

// Opacity of each of `count` copies, and what their scales are multiplied with.
// Source: Kheradmand et al. 2024, "3D Gaussian Splatting as Markov Chain Monte Carlo", equation 9, whose double sum over
// (i, k) is one over k, since the binomials of a column add up: sum_{i=1}^{N} C(i-1, k) = C(N, k+1).
// In double, whatever the caller's type: the terms alternate, and their magnitudes add up to at most 1 / (1 - opacity).
__host__ __device__ inline void share(double opacity, int count, double *shared_opacity, double *scale_factor) {
    const double least = 1e-12, most = 1.0 - 1e-7;  // where the quotient below still has a value
    const double o = opacity < least ? least : opacity > most ? most : opacity;
    const double x = -expm1(log1p(-o) / count);
    double sum = 0.0, term = -1.0;
    for (int m = 1; m <= count; ++m) {
        term *= -x * (count - m + 1) / m;
        sum += term / sqrt(double(m));
        if (m > count * x && fabs(term) < 1e-17) break;
    }
    *shared_opacity = x;
    *scale_factor = o / sum;
}

}  // namespace spatialwm
