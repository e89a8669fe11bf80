// Quaternions (wxyz, any length but zero) to rotation matrices (row-major), and back through the derivative.
#pragma once
#include "portable.cuh"

namespace spatialwm {

// A zero quaternion is no rotation; returns 1 / length, 0 for it.
SPATIALWM_FUNCTION Real normalized(const Real *quat, Real *unit) {
    const Real square = quat[0] * quat[0] + quat[1] * quat[1] + quat[2] * quat[2] + quat[3] * quat[3];
    const bool is_zero = square < Real(1e-24);
    const Real inverse = is_zero ? Real(0) : Real(1) / square_root(square);
    for (int i = 0; i < 4; ++i) unit[i] = is_zero ? Real(i == 0) : quat[i] * inverse;
    return inverse;
}

SPATIALWM_FUNCTION void rotation_matrix(const Real *unit, Real *R) {
    const Real w = unit[0], x = unit[1], y = unit[2], z = unit[3];
    R[0] = 1 - 2 * (y * y + z * z), R[1] = 2 * (x * y - w * z), R[2] = 2 * (x * z + w * y);
    R[3] = 2 * (x * y + w * z), R[4] = 1 - 2 * (x * x + z * z), R[5] = 2 * (y * z - w * x);
    R[6] = 2 * (x * z - w * y), R[7] = 2 * (y * z + w * x), R[8] = 1 - 2 * (x * x + y * y);
}

// Gradient of the matrix to the gradient of the quaternion before it was normalised; a zero quaternion receives none.
SPATIALWM_FUNCTION void rotation_vjp(const Real *unit, Real inverse_length, const Real *v, Real *v_quat) {
    const Real w = unit[0], x = unit[1], y = unit[2], z = unit[3];
    const Real wx = v[7] - v[5], wy = v[2] - v[6], wz = v[3] - v[1];
    const Real xy = v[1] + v[3], xz = v[2] + v[6], yz = v[5] + v[7];
    const Real u[4] = {
        2 * (x * wx + y * wy + z * wz),
        2 * (-2 * x * (v[4] + v[8]) + y * xy + z * xz + w * wx),
        2 * (x * xy - 2 * y * (v[0] + v[8]) + z * yz + w * wy),
        2 * (x * xz + y * yz - 2 * z * (v[0] + v[4]) + w * wz),
    };
    const Real radial = u[0] * w + u[1] * x + u[2] * y + u[3] * z;
    for (int i = 0; i < 4; ++i) v_quat[i] = (u[i] - radial * unit[i]) * inverse_length;
}

}  // namespace spatialwm
