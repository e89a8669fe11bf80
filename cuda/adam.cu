// Adam (Kingma and Ba 2015), one pass over a tensor: 16 bytes read and 12 written per value.

// Values of rows that are not visible stay as they are; all are visible where `visible` is null. The caller brings the bias
// corrections: step_size = lr / (1 - beta1^t), root_scale = 1 / sqrt(1 - beta2^t). 1 - beta arrives rounded once, not as a
// difference of floats, which would cost five digits.
extern "C" __global__ void __launch_bounds__(256) adam_step(float *__restrict__ values, const float *__restrict__ gradient,
                                                            float *__restrict__ mean, float *__restrict__ square,
                                                            const unsigned char *__restrict__ visible, unsigned n,
                                                            unsigned row_length, float step_size, float one_minus_beta1,
                                                            float beta2, float one_minus_beta2, float root_scale, float eps) {
    const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n || (visible && !visible[i / row_length])) return;
    const float g = gradient[i];
    const float m = mean[i] + one_minus_beta1 * (g - mean[i]);
    const float v = beta2 * square[i] + one_minus_beta2 * g * g;
    mean[i] = m;
    square[i] = v;
    values[i] -= step_size * m / (sqrtf(v) * root_scale + eps);
}
