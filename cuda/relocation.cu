// What becomes of Gaussians that are copied in place, one thread each.

#include "relocation.cuh"

// counts: how many each becomes, itself among them.
extern "C" __global__ void __launch_bounds__(128) relocate(
    const float *__restrict__ opacities, const float *__restrict__ scales, const int *__restrict__ counts,
    float *__restrict__ new_opacities, float *__restrict__ new_scales, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    double opacity, factor;
    spatialwm::share(opacities[i], counts[i], &opacity, &factor);
    new_opacities[i] = float(opacity);
    for (int axis = 0; axis < 3; ++axis) new_scales[3 * i + axis] = float(factor * scales[3 * i + axis]);
}
