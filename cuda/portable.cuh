// What lets one source serve NVRTC and a plain C++ compiler: the scalar functions of these headers are templates over the real
// type, run in float32 on the GPU and are tested in float64 on the host against the reference.
#pragma once

#ifndef __CUDACC__
#include <math.h>
#ifndef __host__
#define __host__
#define __device__
#endif
#endif

#define SPATIALWM_FUNCTION template <typename Real> __host__ __device__ inline

namespace spatialwm {

__host__ __device__ inline float square_root(float x) { return sqrtf(x); }
__host__ __device__ inline double square_root(double x) { return sqrt(x); }

// What the blending loops are made of, in the hardware's own instructions: within 2^-22 of the exact value, where the exact
// ones are ten instructions each. Spelled out, for the kernels are not compiled with fast maths, which would also loosen what
// must be exact.
__host__ __device__ inline float power_of_two(float x) {
#ifdef __CUDA_ARCH__
    float y;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
#else
    return exp2f(x);
#endif
}
__host__ __device__ inline double power_of_two(double x) { return exp2(x); }
__host__ __device__ inline float quotient(float a, float b) {
#ifdef __CUDA_ARCH__
    return __fdividef(a, b);
#else
    return a / b;
#endif
}
__host__ __device__ inline double quotient(double a, double b) { return a / b; }

__host__ __device__ inline float logarithm_of_two(float x) { return log2f(x); }
__host__ __device__ inline double logarithm_of_two(double x) { return log2(x); }

SPATIALWM_FUNCTION Real smaller(Real a, Real b) { return a < b ? a : b; }
SPATIALWM_FUNCTION Real larger(Real a, Real b) { return a > b ? a : b; }
SPATIALWM_FUNCTION Real clamped(Real x, Real low, Real high) { return smaller(larger(x, low), high); }
SPATIALWM_FUNCTION Real magnitude(Real x) { return x < Real(0) ? -x : x; }

SPATIALWM_FUNCTION Real dot3(const Real *a, const Real *b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

SPATIALWM_FUNCTION void cross3(const Real *a, const Real *b, Real *out) {
    out[0] = a[1] * b[2] - a[2] * b[1];
    out[1] = a[2] * b[0] - a[0] * b[2];
    out[2] = a[0] * b[1] - a[1] * b[0];
}

}  // namespace spatialwm
