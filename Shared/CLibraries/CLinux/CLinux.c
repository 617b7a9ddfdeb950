#include "CLinux.h"

// Embedded Swift parses a Double through this one C function, which the ordinary runtime brings along;
// weak, so that the runtime's own wins where there is one. Returns the end of what was read, or NULL for nothing.
__attribute__((weak)) const char *_swift_stdlib_strtod_clocale(const char *text, double *value) {
    char *end = NULL;
    *value = strtod(text, &end);
    return end == text ? NULL : end;
}
