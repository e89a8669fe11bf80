// Real spherical harmonics of 3D Gaussian Splatting, degrees 0 to 3: scalar device functions.
// Also compiles as plain C++, so that it is tested against the reference on machines without a GPU.
#pragma once

#ifndef __CUDACC__
#define __host__
#define __device__
#endif

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

// Colour of one channel: coefficients are `stride` apart; clamped at zero as in gsplat.
template <typename Real>
__host__ __device__ inline Real sh_to_channel(int degree, const Real *basis, const Real *coefficients, int stride) {
    Real sum = Real(0.5);
    for (int k = 0; k < (degree + 1) * (degree + 1); ++k) sum += basis[k] * coefficients[k * stride];
    return sum > Real(0) ? sum : Real(0);
}

}  // namespace spatialwm
