// A CUDA block on one CPU core: the real kernels run, unchanged, where there is no GPU.
//
// Each CUDA thread is a fiber, and blocks run one after the other, or a few at once that take turns at every barrier, in changing
// order. Barriers and warp collectives are true meetings: a thread waits until every thread that must take part has come, and a
// meeting that cannot happen is an error that says who waits where, not a hang. Shared memory is filled with NaN before each block.
// Not modelled: preemption, so a loop that waits for another thread has to call __nanosleep; memory ordering; speed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <math.h>
#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

// ---------------------------------------------------------------------------------------------- the language
#define __host__
#define __device__
#define __global__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __constant__ static
#ifdef __SANITIZE_ADDRESS__  // guards only what lies where the compiler puts it; blocks then run one by one
#define __shared__ static
#else  // a section of its own, so that NaN can replace what the last block left, and blocks in flight can take turns with it
#define __shared__ static __attribute__((section("emulated_shared")))
#endif

struct uint3 { unsigned x, y, z; };
struct dim3 { unsigned x = 1, y = 1, z = 1; };
struct alignas(8) int2 { int x, y; };
struct alignas(8) uint2 { unsigned x, y; };
struct alignas(8) float2 { float x, y; };
struct int3 { int x, y, z; };
struct float3 { float x, y, z; };
struct alignas(16) int4 { int x, y, z, w; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
struct alignas(16) float4 { float x, y, z, w; };
inline int2 make_int2(int x, int y) { return {x, y}; }
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline float2 make_float2(float x, float y) { return {x, y}; }
inline int3 make_int3(int x, int y, int z) { return {x, y, z}; }
inline float3 make_float3(float x, float y, float z) { return {x, y, z}; }
inline int4 make_int4(int x, int y, int z, int w) { return {x, y, z, w}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }

static uint3 threadIdx, blockIdx;
static dim3 blockDim, gridDim;
static constexpr int warpSize = 32;

namespace emulator {

enum class Op { syncwarp, shfl, shfl_up, shfl_down, shfl_xor, ballot, any, all, match_any, add, min, max, barrier, count, either, both };

inline const char *name_of(Op op) {
    static const char *names[] = {"__syncwarp", "__shfl_sync", "__shfl_up_sync", "__shfl_down_sync", "__shfl_xor_sync",
        "__ballot_sync", "__any_sync", "__all_sync", "__match_any_sync", "__reduce_add_sync", "__reduce_min_sync",
        "__reduce_max_sync", "__syncthreads", "__syncthreads_count", "__syncthreads_or", "__syncthreads_and"};
    return names[static_cast<int>(op)];
}

struct Meeting {  // what a waiting thread brought
    Op op;
    unsigned mask;
    uint64_t value;
    int argument, width;
    const char *file;
    int line;
    bool same_as(const Meeting &o) const { return op == o.op && mask == o.mask && line == o.line && !std::strcmp(file, o.file); }
};

// ---------------------------------------------------------------------------------------------- fibers
#if defined(__x86_64__) && defined(__linux__) && !defined(EMULATOR_UCONTEXT)
// swapcontext saves the signal mask with a system call, at every switch; this is some 50 times faster.
extern "C" void emulator_switch(void **save, void *load);
asm(R"(
    .text
    .globl emulator_switch
    .hidden emulator_switch
    .type emulator_switch, @function
emulator_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size emulator_switch, .-emulator_switch
)");

struct Context {
    void *stack_pointer = nullptr;
    void start(char *bottom, size_t bytes, void (*entry)()) {
        auto top = reinterpret_cast<void **>((reinterpret_cast<uintptr_t>(bottom) + bytes) & ~uintptr_t(15));
        *--top = nullptr;  // where entry would return to; it never does, and the stack is aligned as after a call
        *--top = reinterpret_cast<void *>(entry);
        for (int saved = 0; saved < 6; ++saved) *--top = nullptr;
        stack_pointer = top;
    }
    void switch_to(Context &other) { emulator_switch(&stack_pointer, other.stack_pointer); }
};
#else
}  // namespace emulator
#include <ucontext.h>
namespace emulator {
struct Context {
    ucontext_t context;
    void start(char *bottom, size_t bytes, void (*entry)()) {
        getcontext(&context);
        context.uc_stack.ss_sp = bottom;
        context.uc_stack.ss_size = bytes & ~size_t(15);
        context.uc_link = nullptr;
        makecontext(&context, entry, 0);
    }
    void switch_to(Context &other) { swapcontext(&context, &other.context); }
};
#endif

constexpr int MAX_THREADS = 1024;
constexpr size_t STACK_BYTES = 1 << 16;

struct Fiber {
    Context context;
    bool started;
    uint3 index;
    Meeting meeting;
    uint64_t result;
};

struct Warp {
    unsigned alive, runnable, paused, waiting;  // lanes: not returned; able to go on; able from the next turn on; in a collective
};

// ---------------------------------------------------------------------------------------------- one block
struct Block {
    std::unique_ptr<char[]> stacks{new char[MAX_THREADS * STACK_BYTES]};
    Fiber fibers[MAX_THREADS];
    Warp warps[MAX_THREADS / 32];
    Context scheduler;
    int threads, warp_count, alive, at_barrier, current;
    unsigned start;  // how many blocks started before
    bool backwards, taking_turns;
    long long naps;
    uint3 index;
    std::string error;
    std::vector<char> shared;  // its shared memory while another block runs
    void (*invoke)(const void *kernel, void **arguments);
    const void *kernel;
    void **arguments;

    static Block *&active() {
        static Block *block = nullptr;
        return block;
    }
    static Block &the() { return *active(); }

    static std::string text(const uint3 &i) {
        return "(" + std::to_string(i.x) + ", " + std::to_string(i.y) + ", " + std::to_string(i.z) + ")";
    }

    static std::string place(const Fiber &f) {
        const char *slash = std::strrchr(f.meeting.file, '/');
        return "thread " + text(f.index) + " at " + name_of(f.meeting.op) + ", " + (slash ? slash + 1 : f.meeting.file) + ":" +
               std::to_string(f.meeting.line);
    }

    void fail(const std::string &what) {
        error = "block " + text(blockIdx) + ": " + what;
        leave();
    }

    void leave() {  // never resumed; not [[noreturn]], which makes the address sanitizer look for the thread's own stack
        fibers[current].context.switch_to(scheduler);
        std::abort();
    }

    static void entry() {
        Block &b = the();
        b.invoke(b.kernel, b.arguments);
        b.retire();
        b.leave();
    }

    void yield() { fibers[current].context.switch_to(scheduler); }

    void nap() {
        if (++naps > 10'000'000) fail("thread " + text(fibers[current].index) + " waits for ever for another thread's write");
        warps[current / 32].paused |= 1u << (current & 31);
        yield();
    }

    void retire() {
        Warp &warp = warps[current / 32];
        warp.alive &= ~(1u << (current & 31));
        --alive;
        if (at_barrier && at_barrier == alive) release_barrier();
        for (unsigned left = warp.waiting; left;) {  // those who waited for this thread only
            const int lane = __builtin_ctz(left);
            const unsigned members = fibers[(current & ~31) + lane].meeting.mask & warp.alive;
            left &= ~members & ~(1u << lane);
            if ((warp.waiting & members) == members) resolve(warp, current & ~31, members, lane);
        }
    }

    // Every thread of the block that has not returned, as on hardware since Volta.
    int barrier(Op op, int predicate, const char *file, int line) {
        Fiber &me = fibers[current];
        me.meeting = {op, 0, uint64_t(predicate != 0), 0, 0, file, line};
        if (++at_barrier == alive) release_barrier();
        else yield();
        return int(me.result);
    }

    void release_barrier() {
        const Fiber *first = nullptr;
        uint64_t count = 0;
        for (int t = 0; t < threads; ++t) {
            if (!(warps[t / 32].alive >> (t & 31) & 1)) continue;
            if (!first) first = &fibers[t];
            if (!fibers[t].meeting.same_as(first->meeting))
                fail("divergent barrier: " + place(*first) + "; " + place(fibers[t]));
            count += fibers[t].meeting.value;
        }
        const Op op = first->meeting.op;
        const uint64_t result = op == Op::count ? count : op == Op::either ? count > 0 : count == uint64_t(alive);
        for (int t = 0; t < threads; ++t) fibers[t].result = result;
        for (int w = 0; w < warp_count; ++w) (taking_turns ? warps[w].paused : warps[w].runnable) = warps[w].alive;
        at_barrier = 0;
        const bool took_part = warps[current / 32].alive >> (current & 31) & 1;
        if (took_part && taking_turns) yield();
        else if (took_part) warps[current / 32].runnable &= ~(1u << (current & 31));  // goes on by itself
    }

    // Every lane of the mask that has not returned.
    uint64_t collective(Op op, unsigned mask, uint64_t value, int argument, int width, const char *file, int line) {
        const int lane = current & 31, base = current & ~31;
        Fiber &me = fibers[current];
        Warp &warp = warps[current / 32];
        me.meeting = {op, mask, value, argument, width, file, line};
        if (!(mask >> lane & 1)) fail("a thread is not in its own mask: " + place(me));
        warp.waiting |= 1u << lane;
        const unsigned members = mask & warp.alive;
        if ((warp.waiting & members) == members) {
            resolve(warp, base, members, lane);
            warp.runnable &= ~(1u << lane);  // goes on by itself
        } else {
            yield();
        }
        return me.result;
    }

    void resolve(Warp &warp, int base, unsigned members, int leader) {
        const Meeting &m = fibers[base + leader].meeting;
        uint64_t ballot = 0;
        int64_t sum = 0, low = INT64_MAX, high = INT64_MIN;
        for (unsigned left = members; left; left &= left - 1) {
            const int lane = __builtin_ctz(left);
            const Fiber &f = fibers[base + lane];
            if (!f.meeting.same_as(m)) fail("divergent warp collective: " + place(fibers[base + leader]) + "; " + place(f));
            if (f.meeting.value) ballot |= 1u << lane;
            const int64_t value = int64_t(f.meeting.value);
            sum += value, low = std::min(low, value), high = std::max(high, value);
        }
        for (unsigned left = members; left; left &= left - 1) {
            const int lane = __builtin_ctz(left);
            Fiber &f = fibers[base + lane];
            switch (m.op) {
                case Op::ballot: f.result = ballot; break;
                case Op::any: f.result = ballot != 0; break;
                case Op::all: f.result = ballot == members; break;
                case Op::add: f.result = uint64_t(sum); break;
                case Op::min: f.result = uint64_t(low); break;
                case Op::max: f.result = uint64_t(high); break;
                case Op::match_any: f.result = equal_lanes(base, members, f.meeting.value); break;
                case Op::shfl: case Op::shfl_up: case Op::shfl_down: case Op::shfl_xor: {
                    const int source = source_lane(f.meeting, lane);
                    if (!(members >> source & 1)) fail("reads lane " + std::to_string(source) + ", which takes no part: " + place(f));
                    f.result = fibers[base + source].meeting.value;
                    break;
                }
                default: break;
            }
        }
        warp.waiting &= ~members;
        warp.runnable |= members;
    }

    uint64_t equal_lanes(int base, unsigned members, uint64_t value) const {
        uint64_t equal = 0;
        for (unsigned left = members; left; left &= left - 1)
            if (fibers[base + __builtin_ctz(left)].meeting.value == value) equal |= left & -left;
        return equal;
    }

    // Source: CUDA C++ programming guide, warp shuffle functions.
    static int source_lane(const Meeting &m, int lane) {
        const int first = lane & ~(m.width - 1), last = first + m.width - 1;
        if (m.op == Op::shfl) return first | (m.argument & (m.width - 1));
        const int source = m.op == Op::shfl_up ? lane - m.argument : m.op == Op::shfl_down ? lane + m.argument : lane ^ m.argument;
        const bool outside = m.op == Op::shfl_up ? source < first : source > last;
        return outside ? lane : source;
    }

    void begin(const uint3 &at) {
        index = at;
        alive = threads = int(blockDim.x * blockDim.y * blockDim.z);
        warp_count = (threads + 31) / 32;
        at_barrier = 0, naps = 0;
        for (int w = 0; w < warp_count; ++w) {
            const int lanes = std::min(32, threads - 32 * w);
            warps[w] = {lanes == 32 ? ~0u : (1u << lanes) - 1, 0, 0, 0};
            warps[w].paused = warps[w].alive;
        }
        for (int t = 0; t < threads; ++t) {
            fibers[t].started = false;
            fibers[t].index = {t % blockDim.x, t / blockDim.x % blockDim.y, t / blockDim.x / blockDim.y};
        }
    }

    // Every thread runs until it has to wait; false where none could.
    bool take_turn() {
        blockIdx = index;
        bool progress = false;
        for (int w = 0; w < warp_count; ++w) warps[w].runnable |= std::exchange(warps[w].paused, 0);
        for (int i = 0; i < warp_count; ++i) {
            const int w = backwards ? warp_count - 1 - i : i;
            while (warps[w].runnable) {
                progress = true;
                const int lane = backwards ? 31 - __builtin_clz(warps[w].runnable) : __builtin_ctz(warps[w].runnable);
                warps[w].runnable &= ~(1u << lane);
                resume(32 * w + lane);
                if (!error.empty()) return true;
            }
        }
        for (int w = 0; w < warp_count; ++w) progress |= warps[w].runnable != 0;
        return progress;
    }

    void resume(int thread) {
        current = thread;
        Fiber &f = fibers[thread];
        if (!f.started) {
            f.started = true;
            // Shifted tops: stacks a power of two apart would all fall into the same cache lines.
            f.context.start(&stacks[thread * STACK_BYTES], STACK_BYTES - 192 * (thread % 64), entry);
        }
        threadIdx = f.index;
        scheduler.switch_to(f.context);
    }

    std::string deadlock() const {
        std::string report = "block " + text(index) + ": threads wait for each other for ever:";
        const Fiber *shown = nullptr;
        for (int t = 0, lines = 0; t < threads && lines < 8; ++t) {
            if (!(warps[t / 32].alive >> (t & 31) & 1) || (shown && fibers[t].meeting.same_as(shown->meeting))) continue;
            shown = &fibers[t];
            report += " " + place(*shown) + ";";
            ++lines;
        }
        return report;
    }
};

// ---------------------------------------------------------------------------------------------- launches
template <typename T>
const char *type_name() {
    using V = std::remove_cv_t<T>;
    if constexpr (std::is_pointer_v<V>) {
        using P = std::remove_cv_t<std::remove_pointer_t<V>>;
        if constexpr (std::is_same_v<P, float>) return "float*";
        else if constexpr (std::is_same_v<P, double>) return "double*";
        else if constexpr (std::is_integral_v<P> && sizeof(P) == 1) return "int8*";
        else if constexpr (std::is_integral_v<P> && sizeof(P) == 2) return "int16*";
        else if constexpr (std::is_integral_v<P> && sizeof(P) == 4) return "int32*";
        else if constexpr (std::is_integral_v<P> && sizeof(P) == 8) return "int64*";
        else return "void*";
    } else {
        static_assert(std::is_arithmetic_v<V>, "kernels take pointers and numbers");
        if constexpr (std::is_same_v<V, float>) return "float";
        else if constexpr (std::is_same_v<V, double>) return "double";
        else if constexpr (sizeof(V) == 4) return "int32";
        else if constexpr (sizeof(V) == 8) return "int64";
        else return sizeof(V) == 1 ? "int8" : "int16";
    }
}

struct Entry {
    const char *name;
    const void *kernel;
    void (*invoke)(const void *kernel, void **arguments);
    std::string signature;
};

template <typename... A, size_t... I>
void call(void (*kernel)(A...), void **arguments, std::index_sequence<I...>) {
    kernel(*static_cast<std::remove_cv_t<A> *>(arguments[I])...);
}

template <typename... A>
Entry entry(const char *name, void (*kernel)(A...)) {
    Entry e{name, reinterpret_cast<const void *>(kernel), nullptr, ""};
    e.invoke = [](const void *k, void **arguments) {
        call(reinterpret_cast<void (*)(A...)>(const_cast<void *>(k)), arguments, std::index_sequence_for<A...>());
    };
    ((e.signature += std::string(e.signature.empty() ? "" : ",") + type_name<A>()), ...);
    return e;
}

}  // namespace emulator

#include "builtins.hpp"

// ---------------------------------------------------------------------------------------------- what Python calls
// Bounds of the section, which the linker provides when there is one.
extern "C" char __start_emulated_shared[] __attribute__((weak, visibility("hidden")));
extern "C" char __stop_emulated_shared[] __attribute__((weak, visibility("hidden")));

namespace emulator {

// Runs a grid, `residents` blocks at a time; returns what went wrong, or nothing.
inline std::string run_grid(const Entry &entry, void **arguments, bool backwards, int residents) {
#ifdef __SANITIZE_ADDRESS__
    residents = 1;
#endif
    static std::vector<std::unique_ptr<Block>> pool;
    const size_t shared_bytes = size_t(__stop_emulated_shared - __start_emulated_shared);
    const unsigned blocks = gridDim.x * gridDim.y * gridDim.z;
    unsigned begun = 0;
    const auto begin = [&](Block &b) {
        const unsigned k = backwards ? blocks - 1 - begun : begun;
        b.start = begun++;
        b.begin({k % gridDim.x, k / gridDim.x % gridDim.y, k / gridDim.x / gridDim.y});
        if (shared_bytes) b.shared.assign(shared_bytes, char(0xff));
    };
    std::vector<Block *> running;
    for (int i = 0; i < residents && begun < blocks; ++i) {
        if (pool.size() <= size_t(i)) pool.push_back(std::make_unique<Block>());
        Block &b = *pool[i];
        b.invoke = entry.invoke, b.kernel = entry.kernel, b.arguments = arguments;
        b.backwards = backwards, b.taking_turns = residents > 1;
        b.error.clear();
        begin(b);
        running.push_back(&b);
    }
    std::minstd_rand random(residents);
    while (!running.empty()) {
        bool progress = false;
        // Blocks come at a point of the kernel in any order, the order in which they started and its reverse included.
        const auto by_start = [](const Block *a, const Block *b) { return a->start < b->start; };
        const unsigned kind = running.size() > 1 ? unsigned(random()) % 3 : 0;
        if (kind == 1) std::sort(running.rbegin(), running.rend(), by_start);
        else std::sort(running.begin(), running.end(), by_start);
        if (kind == 2) std::shuffle(running.begin(), running.end(), random);
        for (size_t i = 0; i < running.size();) {
            Block &b = *running[i];
            Block::active() = &b;
            if (shared_bytes) std::memcpy(__start_emulated_shared, b.shared.data(), shared_bytes);
            progress |= b.take_turn();
            if (!b.error.empty()) return b.error;
            if (shared_bytes) std::memcpy(b.shared.data(), __start_emulated_shared, shared_bytes);
            if (b.alive) ++i;
            else if (begun < blocks) begin(b);
            else running.erase(running.begin() + long(i));
        }
        if (!progress && !running.empty()) return running.front()->deadlock();
    }
    return "";
}

}  // namespace emulator

#define EMULATOR_EXPORT extern "C" __attribute__((visibility("default")))
#define EMULATOR_KERNELS(...)                                                                                             \
    static const emulator::Entry entries[] = {__VA_ARGS__};                                                               \
    static const emulator::Entry *find(const char *name) {                                                                \
        for (const auto &e : entries)                                                                                     \
            if (!std::strcmp(e.name, name)) return &e;                                                                    \
        return nullptr;                                                                                                   \
    }                                                                                                                     \
    /* Comma-separated types of a kernel's arguments; null where there is no such kernel. */                              \
    EMULATOR_EXPORT const char *signature(const char *name) {                                                             \
        const auto *e = find(name);                                                                                       \
        return e ? e->signature.c_str() : nullptr;                                                                        \
    }                                                                                                                     \
    /* `arguments` point at the values, as for cuLaunchKernel. Returns null, or what went wrong. */                       \
    EMULATOR_EXPORT const char *emulate(const char *name, const unsigned *grid, const unsigned *block, void **arguments,  \
                                        int backwards, int residents) {                                                   \
        static std::string error;                                                                                         \
        gridDim = {grid[0], grid[1], grid[2]}, blockDim = {block[0], block[1], block[2]};                                 \
        error = emulator::run_grid(*find(name), arguments, backwards, residents);                                         \
        return error.empty() ? nullptr : error.c_str();                                                                   \
    }
