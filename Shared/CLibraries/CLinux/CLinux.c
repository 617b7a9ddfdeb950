#include "CLinux.h"

#include <linux/fs.h>
#include <sys/random.h>
#include <sys/syscall.h>

// Embedded Swift parses a Double through this one C function, which the ordinary runtime brings along;
// weak, so that the runtime's own wins where there is one. Returns the end of what was read, or NULL for nothing.
__attribute__((weak)) const char *_swift_stdlib_strtod_clocale(const char *text, double *value) {
    char *end = NULL;
    *value = strtod(text, &end);
    return end == text ? NULL : end;
}

// renameat2(2) is declared for _GNU_SOURCE alone, and not by every C library.
int farwatch_rename_new(const char *path, const char *new_path) {
#ifdef SYS_renameat2
    return (int)syscall(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, new_path, RENAME_NOREPLACE);
#else
    errno = ENOSYS;
    return -1;
#endif
}

#ifdef FARWATCH_EMBEDDED
// What Embedded Swift seeds its hashes with. glibc has it since 2.36 only, and Ubuntu 22.04 has 2.35.
void arc4random_buf(void *buffer, size_t size) {
    for (size_t filled = 0; filled < size;) {
        ssize_t count = getrandom((char *)buffer + filled, size - filled, 0);
        if (count < 0 && errno != EINTR) abort();
        if (count > 0) filled += (size_t)count;
    }
}
#endif
