// What SQLite asks of the disk, written down: a layer over its own file functions (https://www.sqlite.org/vfs.html), for tests that
// put the files together as they are after a power cut.
#ifndef FARWATCH_DISK_RECORDER_H
#define FARWATCH_DISK_RECORDER_H

#include <stdint.h>

enum disk_operation_kind { DISK_WRITE = 1, DISK_TRUNCATE = 2, DISK_SYNC = 3, DISK_DELETE = 4 };

struct disk_operation {
    enum disk_operation_kind kind;
    // The file's name without its directory.
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
