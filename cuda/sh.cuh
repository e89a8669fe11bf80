// Real spherical harmonics of 3D Gaussian Splatting, degrees 0 to 3: scalar device functions.
// Also compiles as plain C++, so that it is tested against the reference on machines without a GPU.
#pragma once
#include "portable.cuh"

namespace spatialwm {

// Basis values along a unit direction; writes (degree + 1)^2 numbers.
// Source: Sloan 2013, "Efficient Spherical Harmonic Evaluation"; signs as in Kerbl et al. 2023.
template <typename Real>
__host__ __device__ inline void sh_basis(int degree, Real x, Real y, Real z, Real *out) {
    out[0] = Real(0.28209479177387814);
    if (degree < 1) return;
    const Real c1 = Real(0.4886025119029199);
    out[1] = -c1 * y;
    out[2] = c1 * z;
    out[3] = -c1 * x;
    if (degree < 2) return;
    const Real xx = x * x, yy = y * y, zz = z * z;
    out[4] = Real(1.0925484305920792) * x * y;
    out[5] = Real(-1.0925484305920792) * y * z;
    out[6] = Real(0.31539156525252005) * (2 * zz - xx - yy);
    out[7] = Real(-1.0925484305920792) * x * z;
    out[8] = Real(0.5462742152960396) * (xx - yy);
    if (degree < 3) return;
    out[9] = Real(-0.5900435899266435) * y * (3 * xx - yy);
    out[10] = Real(2.890611442640554) * x * y * z;
    out[11] = Real(-0.4570457994644658) * y * (4 * zz - xx - yy);
    out[12] = Real(0.3731763325901154) * z * (2 * zz - 3 * xx - 3 * yy);
    out[13] = Real(-0.4570457994644658) * x * (4 * zz - xx - yy);
    out[14] = Real(1.445305721320277) * z * (xx - yy);
    out[15] = Real(-0.5900435899266435) * x * (xx - 3 * yy);
}

// Colour of one channel before it is clamped at zero: coefficients are `stride` apart.
template <typename Real>
__host__ __device__ inline Real sh_to_channel(int degree, const Real *basis, const Real *coefficients, int stride) {
    Real sum = Real(0.5);
    for (int k = 0; k < (degree + 1) * (degree + 1); ++k) sum += basis[k] * coefficients[k * stride];
    return sum;
}

// Gradient of the basis values to the gradient of the direction, taken as three independent numbers.
template <typename Real>
__host__ __device__ inline void sh_basis_vjp(int degree, Real x, Real y, Real z, const Real *v, Real *v_direction) {
    Real vx = 0, vy = 0, vz = 0;
    if (degree >= 1) {
        const Real c1 = Real(0.4886025119029199);
        vx -= c1 * v[3];
        vy -= c1 * v[1];
        vz += c1 * v[2];
    }
    if (degree >= 2) {
        const Real c2 = Real(1.0925484305920792), c20 = Real(0.31539156525252005), c22 = Real(0.5462742152960396);
        vx += c2 * (y * v[4] - z * v[7]) - 2 * c20 * x * v[6] + 2 * c22 * x * v[8];
        vy += c2 * (x * v[4] - z * v[5]) - 2 * c20 * y * v[6] - 2 * c22 * y * v[8];
        vz += c2 * (-y * v[5] - x * v[7]) + 4 * c20 * z * v[6];
    }
    if (degree >= 3) {
        const Real xx = x * x, yy = y * y, zz = z * z, xy = x * y, yz = y * z, xz = x * z;
        const Real c33 = Real(0.5900435899266435), c32 = Real(2.890611442640554), c31 = Real(0.4570457994644658);
        const Real c30 = Real(0.3731763325901154), c3 = Real(1.445305721320277);
        vx += -6 * c33 * xy * v[9] + c32 * yz * v[10] + 2 * c31 * xy * v[11] - 6 * c30 * xz * v[12] +
              c31 * (3 * xx + yy - 4 * zz) * v[13] + 2 * c3 * xz * v[14] - 3 * c33 * (xx - yy) * v[15];
        vy += -3 * c33 * (xx - yy) * v[9] + c32 * xz * v[10] + c31 * (xx + 3 * yy - 4 * zz) * v[11] - 6 * c30 * yz * v[12] +
              2 * c31 * xy * v[13] - 2 * c3 * yz * v[14] + 6 * c33 * xy * v[15];
        vz += c32 * xy * v[10] - 8 * c31 * yz * v[11] + c30 * (6 * zz - 3 * xx - 3 * yy) * v[12] - 8 * c31 * xz * v[13] +
              c3 * (xx - yy) * v[14];
    }
    v_direction[0] = vx;
    v_direction[1] = vy;
    v_direction[2] = vz;
}

// From the eye to a point, and the length of that vector, at least 1e-12.
template <typename Real>
__host__ __device__ inline Real sh_direction(const Real *mean, const Real *eye, Real *direction) {
    for (int j = 0; j < 3; ++j) direction[j] = mean[j] - eye[j];
    const Real length = larger(square_root(dot3(direction, direction)), Real(1e-12));
    for (int j = 0; j < 3; ++j) direction[j] /= length;
    return length;
}

// Adds to `v_sh` (bases, 3) and `v_mean`; the eye's gradient is minus the mean's. `sh` (bases, 3) and `v_rgb` are of one
// Gaussian, `v_rgb` zero where the colour was clamped.
template <typename Real>
__host__ __device__ inline void sh_vjp(
    int degree, const Real *mean, const Real *eye, const Real *sh, const Real *v_rgb, Real *v_sh, Real *v_mean) {
    Real direction[3], basis[16], v_basis[16], v_direction[3];
    const Real length = sh_direction(mean, eye, direction);
    sh_basis(degree, direction[0], direction[1], direction[2], basis);
    // A constant bound lets the compiler keep the arrays in registers.
    for (int k = 0; k < 16; ++k) {
        if (k < (degree + 1) * (degree + 1)) {
            for (int c = 0; c < 3; ++c) v_sh[3 * k + c] += basis[k] * v_rgb[c];
            v_basis[k] = dot3(sh + 3 * k, v_rgb);
        }
    }
    sh_basis_vjp(degree, direction[0], direction[1], direction[2], v_basis, v_direction);
    const Real radial = dot3(direction, v_direction);
    for (int j = 0; j < 3; ++j) v_mean[j] += (v_direction[j] - radial * direction[j]) / length;
}

}  // namespace spatialwm
