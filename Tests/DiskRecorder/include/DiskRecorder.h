// What SQLite asks of the disk, written down: a layer over its own file functions (https://www.sqlite.org/vfs.html), for tests that
// put the files together as they are after a power cut. Beside it fsync(2), whoever calls it, and a database that is there as a whole when SQLite first
// opens it: that one was renamed.
#ifndef FARWATCH_DISK_RECORDER_H
#define FARWATCH_DISK_RECORDER_H

#include <stdint.h>

enum disk_operation_kind { DISK_WRITE = 1, DISK_TRUNCATE = 2, DISK_SYNC = 3, DISK_DELETE = 4, DISK_APPEAR = 5 };

struct disk_operation {
    enum disk_operation_kind kind;
    // The file's name without its directory; of the directory itself ".".
    char name[64];
    // Of a write; of a truncation the new size.
    int64_t offset;
    int64_t length;
    const uint8_t *bytes;
};

// Takes down what happens to files in this directory from now on, in this process; forgets what was taken down before.
void disk_recorder_start(const char *directory);
void disk_recorder_stop(void);
// How many operations were taken down so far, and one of them.
int64_t disk_recorder_count(void);
const struct disk_operation *disk_recorder_operation(int64_t index);

#endif
