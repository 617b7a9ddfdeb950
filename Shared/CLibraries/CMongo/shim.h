#ifndef FARWATCH_CMONGO_H
#define FARWATCH_CMONGO_H
#include <mongoc/mongoc.h>
#include <stdlib.h>

// The text is an array in the struct, which Swift imports as a tuple of 504 members.
static inline const char *farwatch_mongo_message(const bson_error_t *error) { return error->message; }

// bson_t is aligned to 128 bytes, which Swift's own memory is not: it is made by libbson alone, and looked at through these.
static inline const unsigned char *farwatch_bson_bytes(const bson_t *document) { return bson_get_data(document); }
static inline unsigned int farwatch_bson_length(const bson_t *document) { return document->len; }

// A reply is written by bson_init, which makes a bson_t one that bson_destroy does not free: its memory has to be of our own.
static inline bson_t *farwatch_bson_new_reply(void) {
    void *memory = 0;
    if (posix_memalign(&memory, 128, sizeof(bson_t)) != 0) abort();
    bson_init((bson_t *)memory);
    return (bson_t *)memory;
}
static inline void farwatch_bson_free_reply(bson_t *reply) {
    bson_destroy(reply);
    free(reply);
}
#endif
