#include "DiskRecorder.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sqlite3_vfs layer;
static sqlite3_vfs *real_vfs;
static char directory[1024];
static struct disk_operation *operations;
static int64_t operations_count, operations_capacity;

// A file of ours: SQLite's own behind it.
struct recorded_file {
    sqlite3_file base;
    char path[1024];
    sqlite3_file *real;
};

static const char *recorded_name(const char *path) {
    size_t length = strlen(directory);
    if (length == 0 || path == NULL || strncmp(path, directory, length) != 0 || path[length] != '/') return NULL;
    return path + length + 1;
}

static void take_down(const char *path, enum disk_operation_kind kind, int64_t offset, int64_t length, const void *bytes) {
    pthread_mutex_lock(&mutex);
    const char *name = recorded_name(path);
    if (name != NULL) {
        if (operations_count == operations_capacity) {
            operations_capacity = operations_capacity ? 2 * operations_capacity : 1024;
            operations = realloc(operations, (size_t)operations_capacity * sizeof *operations);
        }
        struct disk_operation *operation = &operations[operations_count++];
        memset(operation, 0, sizeof *operation);
        operation->kind = kind;
        strncpy(operation->name, name, sizeof operation->name - 1);
        operation->offset = offset;
        operation->length = length;
        if (bytes != NULL) {
            uint8_t *copy = malloc((size_t)length);
            memcpy(copy, bytes, (size_t)length);
            operation->bytes = copy;
        }
    }
    pthread_mutex_unlock(&mutex);
}

static int is_known(const char *path) {
    int found = 0;
    pthread_mutex_lock(&mutex);
    const char *name = recorded_name(path);
    for (int64_t index = 0; name != NULL && index < operations_count; index++) found |= strcmp(operations[index].name, name) == 0;
    pthread_mutex_unlock(&mutex);
    return found;
}

// Files that were synced as NAME.new and are NAME now.
static void take_down_renamed(void) {
    for (int64_t index = 0, count = disk_recorder_count(); index < count; index++) {
        char path[1200];
        size_t length = strlen(operations[index].name);
        if (length < 5 || strcmp(operations[index].name + length - 4, ".new") != 0) continue;
        snprintf(path, sizeof path, "%s/%.*s", directory, (int)length - 4, operations[index].name);
        FILE *file = is_known(path) ? NULL : fopen(path, "rb");
        if (file == NULL) continue;
        fseek(file, 0, SEEK_END);
        long size = ftell(file);
        rewind(file);
        void *bytes = malloc((size_t)size + 1);
        if (fread(bytes, 1, (size_t)size, file) == (size_t)size) take_down(path, DISK_APPEAR, 0, size, bytes);
        free(bytes);
        fclose(file);
    }
}

// In place of the C library's.
int fsync(int fd) {
    char link[64], path[1024];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 3);
    if (length > 0) {
        path[length] = 0;
        if (strcmp(path, directory) == 0) {
            take_down_renamed();
            strcat(path, "/.");
        }
        take_down(path, DISK_SYNC, 0, 0, NULL);
    }
    return (int)syscall(SYS_fsync, fd);
}

// What of a file was not written by SQLite.
static void take_down_content(const char *path, sqlite3_file *file) {
    sqlite3_int64 size = 0;
    if (is_known(path) || file->pMethods->xFileSize(file, &size) != SQLITE_OK || size == 0) return;
    void *bytes = malloc((size_t)size);
    if (file->pMethods->xRead(file, bytes, (int)size, 0) == SQLITE_OK) take_down(path, DISK_APPEAR, 0, size, bytes);
    free(bytes);
}

#define REAL(file) (((struct recorded_file *)(file))->real)
#define PATH(file) (((struct recorded_file *)(file))->path)

static int file_close(sqlite3_file *f) { return REAL(f)->pMethods ? REAL(f)->pMethods->xClose(REAL(f)) : SQLITE_OK; }
static int file_read(sqlite3_file *f, void *to, int count, sqlite3_int64 at) { return REAL(f)->pMethods->xRead(REAL(f), to, count, at); }
static int file_write(sqlite3_file *f, const void *from, int count, sqlite3_int64 at) {
    int code = REAL(f)->pMethods->xWrite(REAL(f), from, count, at);
    if (code == SQLITE_OK) take_down(PATH(f), DISK_WRITE, at, count, from);
    return code;
}
static int file_truncate(sqlite3_file *f, sqlite3_int64 size) {
    int code = REAL(f)->pMethods->xTruncate(REAL(f), size);
    if (code == SQLITE_OK) take_down(PATH(f), DISK_TRUNCATE, size, 0, NULL);
    return code;
}
static int file_sync(sqlite3_file *f, int flags) {
    (void)flags;
    // Nothing is lost by this test but time: what a sync means is worked out from what was taken down.
    take_down(PATH(f), DISK_SYNC, 0, 0, NULL);
    return SQLITE_OK;
}
static int file_size(sqlite3_file *f, sqlite3_int64 *size) { return REAL(f)->pMethods->xFileSize(REAL(f), size); }
static int file_lock(sqlite3_file *f, int lock) { return REAL(f)->pMethods->xLock(REAL(f), lock); }
static int file_unlock(sqlite3_file *f, int lock) { return REAL(f)->pMethods->xUnlock(REAL(f), lock); }
static int file_check(sqlite3_file *f, int *result) { return REAL(f)->pMethods->xCheckReservedLock(REAL(f), result); }
static int file_control(sqlite3_file *f, int operation, void *argument) {
    return REAL(f)->pMethods->xFileControl(REAL(f), operation, argument);
}
static int file_sector(sqlite3_file *f) { return REAL(f)->pMethods->xSectorSize(REAL(f)); }
static int file_device(sqlite3_file *f) { return REAL(f)->pMethods->xDeviceCharacteristics(REAL(f)); }
static int file_map(sqlite3_file *f, int page, int size, int extend, void volatile **at) {
    return REAL(f)->pMethods->xShmMap(REAL(f), page, size, extend, at);
}
static int file_shm_lock(sqlite3_file *f, int offset, int n, int flags) { return REAL(f)->pMethods->xShmLock(REAL(f), offset, n, flags); }
static void file_barrier(sqlite3_file *f) { REAL(f)->pMethods->xShmBarrier(REAL(f)); }
static int file_unmap(sqlite3_file *f, int remove) { return REAL(f)->pMethods->xShmUnmap(REAL(f), remove); }

static const sqlite3_io_methods methods = {
    2, file_close, file_read, file_write, file_truncate, file_sync, file_size, file_lock, file_unlock, file_check, file_control, file_sector,
    file_device, file_map, file_shm_lock, file_barrier, file_unmap, NULL, NULL,
};

static int vfs_open(sqlite3_vfs *vfs, sqlite3_filename path, sqlite3_file *f, int flags, int *given) {
    (void)vfs;
    struct recorded_file *file = (struct recorded_file *)f;
    pthread_mutex_lock(&mutex);
    int is_recorded = recorded_name(path) != NULL;
    pthread_mutex_unlock(&mutex);
    if (!is_recorded) return real_vfs->xOpen(real_vfs, path, f, flags, given);
    memset(file, 0, sizeof *file);
    strncpy(file->path, path, sizeof file->path - 1);
    file->real = (sqlite3_file *)(file + 1);
    int code = real_vfs->xOpen(real_vfs, path, file->real, flags, given);
    file->base.pMethods = file->real->pMethods ? &methods : NULL;
    if (code == SQLITE_OK && (flags & SQLITE_OPEN_MAIN_DB)) take_down_content(path, file->real);
    return code;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int sync) {
    (void)vfs;
    int code = real_vfs->xDelete(real_vfs, path, sync);
    if (code == SQLITE_OK) take_down(path, DISK_DELETE, sync, 0, NULL);
    return code;
}

static void install(void) {
    real_vfs = sqlite3_vfs_find(NULL);
    layer = *real_vfs;
    layer.zName = "recorder";
    layer.pNext = NULL;
    layer.szOsFile = (int)sizeof(struct recorded_file) + real_vfs->szOsFile;
    layer.xOpen = vfs_open;
    layer.xDelete = vfs_delete;
    sqlite3_vfs_register(&layer, 1);
}

void disk_recorder_start(const char *path) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
    pthread_mutex_lock(&mutex);
    for (int64_t index = 0; index < operations_count; index++) free((void *)operations[index].bytes);
    operations_count = 0;
    strncpy(directory, path, sizeof directory - 1);
    pthread_mutex_unlock(&mutex);
}

void disk_recorder_stop(void) {
    pthread_mutex_lock(&mutex);
    directory[0] = 0;
    pthread_mutex_unlock(&mutex);
}

int64_t disk_recorder_count(void) {
    pthread_mutex_lock(&mutex);
    int64_t count = operations_count;
    pthread_mutex_unlock(&mutex);
    return count;
}

const struct disk_operation *disk_recorder_operation(int64_t index) { return &operations[index]; }
