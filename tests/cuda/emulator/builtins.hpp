// The functions that CUDA gives to kernels, on the emulator's block; included by emulator.hpp.
#pragma once

#include "emulator.hpp"

namespace emulator {

template <typename T>
uint64_t as_bits(T value) {
    static_assert(std::is_arithmetic_v<T> && sizeof(T) <= 8, "a warp exchanges numbers");
    uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof(T));
    return bits;
}

template <typename T>
T from_bits(uint64_t bits) {
    T value;
    std::memcpy(&value, &bits, sizeof(T));
    return value;
}

template <typename T>
T shuffle(Op op, unsigned mask, T value, int argument, int width, const char *file, int line) {
    return from_bits<T>(Block::the().collective(op, mask, as_bits(value), argument, width, file, line));
}

}  // namespace emulator

#define EMULATOR_HERE const char *file = __builtin_FILE(), int line = __builtin_LINE()

inline void __syncthreads(EMULATOR_HERE) { emulator::Block::the().barrier(emulator::Op::barrier, 0, file, line); }
inline int __syncthreads_count(int p, EMULATOR_HERE) { return emulator::Block::the().barrier(emulator::Op::count, p, file, line); }
inline int __syncthreads_or(int p, EMULATOR_HERE) { return emulator::Block::the().barrier(emulator::Op::either, p, file, line); }
inline int __syncthreads_and(int p, EMULATOR_HERE) { return emulator::Block::the().barrier(emulator::Op::both, p, file, line); }

inline void __syncwarp(unsigned mask = ~0u, EMULATOR_HERE) {
    emulator::Block::the().collective(emulator::Op::syncwarp, mask, 0, 0, 32, file, line);
}
inline unsigned __ballot_sync(unsigned mask, int p, EMULATOR_HERE) {
    return unsigned(emulator::Block::the().collective(emulator::Op::ballot, mask, p != 0, 0, 32, file, line));
}
inline int __any_sync(unsigned mask, int p, EMULATOR_HERE) {
    return int(emulator::Block::the().collective(emulator::Op::any, mask, p != 0, 0, 32, file, line));
}
inline int __all_sync(unsigned mask, int p, EMULATOR_HERE) {
    return int(emulator::Block::the().collective(emulator::Op::all, mask, p != 0, 0, 32, file, line));
}
template <typename T>
T __shfl_sync(unsigned mask, T v, int lane, int width = 32, EMULATOR_HERE) {
    return emulator::shuffle(emulator::Op::shfl, mask, v, lane, width, file, line);
}
template <typename T>
T __shfl_up_sync(unsigned mask, T v, unsigned delta, int width = 32, EMULATOR_HERE) {
    return emulator::shuffle(emulator::Op::shfl_up, mask, v, int(delta), width, file, line);
}
template <typename T>
T __shfl_down_sync(unsigned mask, T v, unsigned delta, int width = 32, EMULATOR_HERE) {
    return emulator::shuffle(emulator::Op::shfl_down, mask, v, int(delta), width, file, line);
}
template <typename T>
T __shfl_xor_sync(unsigned mask, T v, int lanes, int width = 32, EMULATOR_HERE) {
    return emulator::shuffle(emulator::Op::shfl_xor, mask, v, lanes, width, file, line);
}
template <typename T>
unsigned __match_any_sync(unsigned mask, T v, EMULATOR_HERE) {
    return unsigned(emulator::Block::the().collective(emulator::Op::match_any, mask, emulator::as_bits(v), 0, 32, file, line));
}
template <typename T>  // int or unsigned, as on sm_80 and later
T __reduce_add_sync(unsigned mask, T v, EMULATOR_HERE) {
    return T(emulator::Block::the().collective(emulator::Op::add, mask, uint64_t(int64_t(v)), 0, 32, file, line));
}
template <typename T>
T __reduce_min_sync(unsigned mask, T v, EMULATOR_HERE) {
    return T(emulator::Block::the().collective(emulator::Op::min, mask, uint64_t(int64_t(v)), 0, 32, file, line));
}
template <typename T>
T __reduce_max_sync(unsigned mask, T v, EMULATOR_HERE) {
    return T(emulator::Block::the().collective(emulator::Op::max, mask, uint64_t(int64_t(v)), 0, 32, file, line));
}

// Nothing runs between the read and the write of an atomic: threads change places only at meetings.
template <typename T, typename V> T atomicAdd(T *at, V v) { const T old = *at; *at = T(old + T(v)); return old; }
template <typename T, typename V> T atomicSub(T *at, V v) { const T old = *at; *at = T(old - T(v)); return old; }
template <typename T, typename V> T atomicMax(T *at, V v) { const T old = *at; *at = std::max(old, T(v)); return old; }
template <typename T, typename V> T atomicMin(T *at, V v) { const T old = *at; *at = std::min(old, T(v)); return old; }
template <typename T, typename V> T atomicExch(T *at, V v) { const T old = *at; *at = T(v); return old; }
template <typename T, typename V> T atomicOr(T *at, V v) { const T old = *at; *at = T(old | T(v)); return old; }
template <typename T, typename V> T atomicAnd(T *at, V v) { const T old = *at; *at = T(old & T(v)); return old; }
template <typename T, typename U, typename V> T atomicCAS(T *at, U compare, V v) {
    const T old = *at;
    if (old == T(compare)) *at = T(v);
    return old;
}
inline void __threadfence() {}
inline void __threadfence_block() {}
inline void __nanosleep(unsigned) { emulator::Block::the().nap(); }
template <typename T> T __ldg(const T *at) { return *at; }
template <typename T> T __ldcg(const T *at) { return *at; }
template <typename T> T __ldcs(const T *at) { return *at; }
template <typename T> void __stcg(T *at, T v) { *at = v; }
template <typename T> void __stcs(T *at, T v) { *at = v; }

inline int __popc(unsigned v) { return __builtin_popcount(v); }
inline int __popcll(unsigned long long v) { return __builtin_popcountll(v); }
inline int __ffs(int v) { return __builtin_ffs(v); }
inline int __clz(int v) { return v ? __builtin_clz(unsigned(v)) : 32; }
inline int __clzll(long long v) { return v ? __builtin_clzll(static_cast<unsigned long long>(v)) : 64; }
inline unsigned __brev(unsigned v) { unsigned r = 0; for (int i = 0; i < 32; ++i) r |= (v >> i & 1u) << (31 - i); return r; }
inline int __float_as_int(float v) { return emulator::from_bits<int>(emulator::as_bits(v)); }
inline unsigned __float_as_uint(float v) { return unsigned(emulator::as_bits(v)); }
inline float __int_as_float(int v) { return emulator::from_bits<float>(emulator::as_bits(v)); }
inline float __uint_as_float(unsigned v) { return emulator::from_bits<float>(v); }
inline int __float2int_rd(float v) { return int(std::floor(v)); }
inline int __float2int_ru(float v) { return int(std::ceil(v)); }
inline int __float2int_rn(float v) { return int(std::nearbyint(v)); }
inline int __float2int_rz(float v) { return int(v); }
inline float __int2float_rn(int v) { return float(v); }
inline float __uint2float_rn(unsigned v) { return float(v); }

inline float __expf(float v) { return std::exp(v); }
inline float __logf(float v) { return std::log(v); }
inline float __log2f(float v) { return std::log2(v); }
inline float __powf(float a, float b) { return std::pow(a, b); }
inline float __sinf(float v) { return std::sin(v); }
inline float __cosf(float v) { return std::cos(v); }
inline float __fdividef(float a, float b) { return a / b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __frcp_rn(float v) { return 1.0f / v; }
inline float __fsqrt_rn(float v) { return std::sqrt(v); }
inline float __frsqrt_rn(float v) { return 1.0f / std::sqrt(v); }
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __saturatef(float v) { return std::min(std::max(v, 0.0f), 1.0f); }
inline float rsqrtf(float v) { return 1.0f / std::sqrt(v); }
inline double rsqrt(double v) { return 1.0 / std::sqrt(v); }
inline float rsqrt(float v) { return rsqrtf(v); }
inline int min(int a, int b) { return a < b ? a : b; }
inline int max(int a, int b) { return a > b ? a : b; }
inline unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }
inline unsigned max(unsigned a, unsigned b) { return a > b ? a : b; }
inline long long min(long long a, long long b) { return a < b ? a : b; }
inline long long max(long long a, long long b) { return a > b ? a : b; }
inline unsigned long long min(unsigned long long a, unsigned long long b) { return a < b ? a : b; }
inline unsigned long long max(unsigned long long a, unsigned long long b) { return a > b ? a : b; }
inline float min(float a, float b) { return std::fmin(a, b); }
inline float max(float a, float b) { return std::fmax(a, b); }
inline double min(double a, double b) { return std::fmin(a, b); }
inline double max(double a, double b) { return std::fmax(a, b); }
