// Stands in for libcuda.so.1 where there is no GPU: says on standard output what NVIDIA's driver would have been asked to do, so
// that the way from Python through cuda-core to the driver is tested. Its one kernel takes (pointer, int, float, long long).
#include <stdio.h>
#include <string.h>

typedef int (*Function)(void);
enum { SUCCESS = 0, NOT_FOUND = 500 };

static long context, library, kernel;
static _Thread_local void *current;

__attribute__((constructor)) static void print_at_once(void) { setvbuf(stdout, NULL, _IOLBF, 0); }

static int anything_else(void) { return SUCCESS; }
static int driver_version(int *version) { return *version = 13000, SUCCESS; }
static int device_count(int *count) { return *count = 1, SUCCESS; }
static int device_get(int *device, int ordinal) { return *device = ordinal, SUCCESS; }
static int device_attribute(int *value, int attribute, int device) {
    return *value = attribute == 75 /* compute capability, major */ ? 9 : device, SUCCESS;
}
static int retain(void **made, int device) { return *made = &context + device, SUCCESS; }
static int set_current(void *asked) { return current = asked, SUCCESS; }
static int get_current(void **asked) { return *asked = current, SUCCESS; }
static int get_device(int *device) { return *device = 0, SUCCESS; }
static int load(void **made, const char *code) {
    printf("load %.3s\n", code + 1);
    return *made = &library, SUCCESS;
}
static int get_kernel(void **made, void *from, const char *name) {
    if (from != &library || !strcmp(name, "absent")) return NOT_FOUND;
    printf("kernel %s\n", name);
    return *made = &kernel, SUCCESS;
}
static int error_text(int error, const char **text) { return *text = error == NOT_FOUND ? "not found" : "?", SUCCESS; }

struct Config {
    unsigned grid[3], block[3], shared_bytes;
    void *stream, *attributes;
    unsigned attribute_count;
};

static int launch(const struct Config *c, void *function, void **arguments, void **extra) {
    if (function != &kernel || current != &context || extra) return NOT_FOUND;
    printf("launch %u,%u,%u of %u,%u,%u on %llx: %llx %d %g %lld\n", c->grid[0], c->grid[1], c->grid[2], c->block[0], c->block[1],
           c->block[2], (unsigned long long)c->stream, *(unsigned long long *)arguments[0], *(int *)arguments[1],
           (double)*(float *)arguments[2], *(long long *)arguments[3]);
    return SUCCESS;
}

int cuInit(unsigned flags) { return (int)flags; }

int cuGetProcAddress_v2(const char *name, void **function, int version, unsigned long long flags, int *status) {
    static const struct { const char *name; void *function; } known[] = {
        {"cuGetProcAddress", (void *)cuGetProcAddress_v2}, {"cuDriverGetVersion", (void *)driver_version},
        {"cuDeviceGetCount", (void *)device_count}, {"cuDeviceGet", (void *)device_get},
        {"cuDeviceGetAttribute", (void *)device_attribute}, {"cuDevicePrimaryCtxRetain", (void *)retain},
        {"cuCtxSetCurrent", (void *)set_current}, {"cuCtxGetCurrent", (void *)get_current}, {"cuCtxGetDevice", (void *)get_device},
        {"cuLibraryLoadData", (void *)load}, {"cuLibraryGetKernel", (void *)get_kernel}, {"cuLaunchKernelEx", (void *)launch},
        {"cuGetErrorName", (void *)error_text}, {"cuGetErrorString", (void *)error_text},
    };
    *function = (void *)anything_else;
    for (unsigned i = 0; i < sizeof known / sizeof *known; ++i)
        if (!strcmp(name, known[i].name)) *function = known[i].function;
    if (status) *status = 0;
    return SUCCESS;
}
