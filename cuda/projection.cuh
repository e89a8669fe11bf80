// One 3D Gaussian through one pinhole camera: image position, depth, blurred covariance, opacity; and the way back.
// Source: Zwicker et al. 2001 with the clamped Jacobian of 3D Gaussian Splatting, as in render/reference.py.
#pragma once
#include "rotation.cuh"

namespace spatialwm {

template <typename Real>
struct Camera {
    Real view[12];  // cam_from_world, three rows of four
    Real fx, fy, cx, cy;
    Real min_tx, max_tx, min_ty, max_ty;  // where the Jacobian's slopes x/z and y/z are clamped
    Real eye[3];  // world
    Real unused;
};

template <typename Real>
struct Lens {
    Real near, far, eps2d;
    bool antialiased;
};

template <typename Real>
struct Projected {
    Real x, y;  // px
    Real depth;  // m
    Real xx, xy, yy;  // px^2, eps2d included
    Real sharp, det;  // determinants without and with eps2d
    Real opacity;
};

template <typename Real>
struct ProjectedGradient {
    Real x, y, depth;
    Real conic[3];
    Real opacity;
};

template <typename Real>
struct GaussianGradient {
    Real mean[3], quat[4], scale[3], opacity;
    Real view[12];
};

// What forward and backward both need on the way from a Gaussian to its image.
template <typename Real>
struct Footprint {
    Real z, slope_x, slope_y;  // slopes are x/z and y/z
    Real tx, ty;  // slopes clamped
    Real jx, jy;  // fx/z, fy/z
    Real a[3], b[3];  // rows of Jacobian times camera rotation
    Real unit[4], inverse_length, R[9];
    Real m[3], n[3];  // rows of the 2x3 square root M of the image covariance M M^T
};

// In float64 and rounded once, so that every backend sorts nearly equal depths alike. Four operations a Gaussian: free even
// where float64 runs at 1/64 rate.
SPATIALWM_FUNCTION Real depth_of(const Camera<Real> &camera, const Real *mean) {
    const Real *v = camera.view + 8;
    double depth = v[3];
    for (int j = 0; j < 3; ++j) depth += double(v[j]) * double(mean[j]);
    return Real(depth);
}

SPATIALWM_FUNCTION Footprint<Real> footprint(
    const Camera<Real> &camera, const Real *mean, const Real *quat, const Real *scale, Real z) {
    const Real *v = camera.view;
    Footprint<Real> f;
    f.z = z;
    f.slope_x = (dot3(v, mean) + v[3]) / z;
    f.slope_y = (dot3(v + 4, mean) + v[7]) / z;
    f.tx = clamped(f.slope_x, camera.min_tx, camera.max_tx);
    f.ty = clamped(f.slope_y, camera.min_ty, camera.max_ty);
    f.jx = camera.fx / z;
    f.jy = camera.fy / z;
    for (int j = 0; j < 3; ++j) {
        f.a[j] = f.jx * (v[j] - f.tx * v[8 + j]);
        f.b[j] = f.jy * (v[4 + j] - f.ty * v[8 + j]);
    }
    f.inverse_length = normalized(quat, f.unit);
    rotation_matrix(f.unit, f.R);
    for (int k = 0; k < 3; ++k) {
        f.m[k] = (f.a[0] * f.R[k] + f.a[1] * f.R[3 + k] + f.a[2] * f.R[6 + k]) * scale[k];
        f.n[k] = (f.b[0] * f.R[k] + f.b[1] * f.R[3 + k] + f.b[2] * f.R[6 + k]) * scale[k];
    }
    return f;
}

SPATIALWM_FUNCTION Projected<Real> image_of(
    const Camera<Real> &camera, const Lens<Real> &lens, const Footprint<Real> &f, Real opacity) {
    Projected<Real> p;
    p.x = camera.fx * f.slope_x + camera.cx;
    p.y = camera.fy * f.slope_y + camera.cy;
    p.depth = f.z;
    Real normal[3];
    cross3(f.m, f.n, normal);
    // det(M M^T) as |m x n|^2 (Lagrange): xx * yy - xy * xy cancels for long thin splats and goes negative in float32.
    p.sharp = dot3(normal, normal);
    const Real xx = dot3(f.m, f.m), yy = dot3(f.n, f.n);
    p.xy = dot3(f.m, f.n);
    p.det = p.sharp + lens.eps2d * (xx + yy + lens.eps2d);
    p.xx = xx + lens.eps2d;
    p.yy = yy + lens.eps2d;
    p.opacity = smaller(opacity, Real(1));
    if (lens.antialiased) p.opacity *= square_root(larger(p.sharp / p.det, Real(1e-20)));
    return p;
}

// False where near and far planes, faintness or an overflowing size forbid an image; then *out is not to be used.
SPATIALWM_FUNCTION bool project(
    const Camera<Real> &camera, const Lens<Real> &lens, const Real *mean, const Real *quat, const Real *scale, Real opacity,
    Real min_alpha, Projected<Real> *out) {
    const Real z = depth_of(camera, mean);
    if (!(z >= lens.near && z <= lens.far && opacity >= min_alpha)) return false;
    *out = image_of(camera, lens, footprint(camera, mean, quat, scale, z), opacity);
    return out->opacity >= min_alpha && out->det > Real(0) && out->det <= Real(3.4e38);
}

// The derivative of project() for a Gaussian that it accepted. `v.conic` belongs to (yy, -xy, xx) / det.
SPATIALWM_FUNCTION GaussianGradient<Real> project_vjp(
    const Camera<Real> &camera, const Lens<Real> &lens, const Real *mean, const Real *quat, const Real *scale, Real opacity,
    const ProjectedGradient<Real> &v) {
    const Footprint<Real> f = footprint(camera, mean, quat, scale, depth_of(camera, mean));
    const Projected<Real> p = image_of(camera, lens, f, opacity);
    GaussianGradient<Real> out;

    // The conic is the inverse of the covariance: its derivative is -K V K, which cancels less than going through 1 / det.
    const Real a = p.yy / p.det, b = -p.xy / p.det, c = p.xx / p.det;
    const Real half = Real(0.5) * v.conic[1];
    const Real k00 = v.conic[0] * a + half * b, k01 = v.conic[0] * b + half * c;
    const Real k10 = half * a + v.conic[2] * b, k11 = half * b + v.conic[2] * c;
    Real v_xx = -(a * k00 + b * k10), v_yy = -(b * k01 + c * k11);
    const Real v_xy = -2 * (a * k01 + b * k11);

    // Antialiasing scales the opacity by sqrt(sharp / det), where det - sharp = eps2d (xx + yy - eps2d) in blurred terms.
    Real scaling = Real(1), v_sharp = Real(0);
    if (lens.antialiased) {
        const Real ratio = p.sharp / p.det;
        scaling = square_root(larger(ratio, Real(1e-20)));
        if (ratio > Real(1e-20)) {
            const Real v_log = Real(0.5) * v.opacity * smaller(opacity, Real(1)) * scaling;  // of log(sharp / det)
            v_sharp = v_log * (lens.eps2d * (p.xx + p.yy - lens.eps2d) / p.det) / p.sharp;
            v_xx -= v_log * lens.eps2d / p.det;
            v_yy -= v_log * lens.eps2d / p.det;
        }
    }
    out.opacity = opacity <= Real(1) ? v.opacity * scaling : Real(0);

    Real v_m[3], v_n[3];
    for (int k = 0; k < 3; ++k) {
        v_m[k] = 2 * v_xx * f.m[k] + v_xy * f.n[k];
        v_n[k] = 2 * v_yy * f.n[k] + v_xy * f.m[k];
    }
    if (v_sharp != Real(0)) {
        Real normal[3], toward_m[3], toward_n[3];
        cross3(f.m, f.n, normal);
        cross3(f.n, normal, toward_m);
        cross3(normal, f.m, toward_n);
        for (int k = 0; k < 3; ++k) {
            v_m[k] += 2 * v_sharp * toward_m[k];
            v_n[k] += 2 * v_sharp * toward_n[k];
        }
    }

    // M = [a; b] R diag(scale).
    Real v_a[3] = {0, 0, 0}, v_b[3] = {0, 0, 0}, v_R[9];
    for (int k = 0; k < 3; ++k) {
        const Real column[3] = {f.R[k], f.R[3 + k], f.R[6 + k]};
        out.scale[k] = v_m[k] * dot3(f.a, column) + v_n[k] * dot3(f.b, column);
        const Real mu = v_m[k] * scale[k], nu = v_n[k] * scale[k];
        for (int j = 0; j < 3; ++j) {
            v_a[j] += mu * column[j];
            v_b[j] += nu * column[j];
            v_R[3 * j + k] = mu * f.a[j] + nu * f.b[j];
        }
    }
    rotation_vjp(f.unit, f.inverse_length, v_R, out.quat);

    // a = jx (V0 - tx V2), b = jy (V1 - ty V2).
    const Real *view = camera.view;
    const Real v_kx = dot3(v_a, view + 8), v_ky = dot3(v_b, view + 8);
    const Real v_jx = dot3(v_a, view) - f.tx * v_kx, v_jy = dot3(v_b, view + 4) - f.ty * v_ky;
    Real v_slope_x = camera.fx * v.x, v_slope_y = camera.fy * v.y;
    if (f.slope_x >= camera.min_tx && f.slope_x <= camera.max_tx) v_slope_x -= f.jx * v_kx;
    if (f.slope_y >= camera.min_ty && f.slope_y <= camera.max_ty) v_slope_y -= f.jy * v_ky;
    const Real v_p[3] = {
        v_slope_x / f.z,
        v_slope_y / f.z,
        v.depth - (v_jx * f.jx + v_jy * f.jy + v_slope_x * f.slope_x + v_slope_y * f.slope_y) / f.z,
    };
    for (int j = 0; j < 3; ++j) {
        out.mean[j] = v_p[0] * view[j] + v_p[1] * view[4 + j] + v_p[2] * view[8 + j];
        out.view[j] = v_p[0] * mean[j] + f.jx * v_a[j];
        out.view[4 + j] = v_p[1] * mean[j] + f.jy * v_b[j];
        out.view[8 + j] = v_p[2] * mean[j] - f.jx * f.tx * v_a[j] - f.jy * f.ty * v_b[j];
    }
    for (int i = 0; i < 3; ++i) out.view[4 * i + 3] = v_p[i];
    return out;
}

}  // namespace spatialwm
