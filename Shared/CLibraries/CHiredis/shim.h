#ifndef FARWATCH_CHIREDIS_H
#define FARWATCH_CHIREDIS_H
#include <hiredis/hiredis.h>
#include <stdlib.h>

// hiredis makes room for an array as soon as its length is told, before an element has come: a few bytes could ask for gigabytes. Its table of
// functions is the one place where that can be refused; the count's type differs between its versions.
#if HIREDIS_MAJOR >= 1
typedef size_t farwatch_count;
#else
typedef int farwatch_count;
#endif

struct farwatch_reply_limit {
    redisReplyObjectFunctions functions;
    redisReplyObjectFunctions *original;
    size_t elements_left;
};

static inline void *farwatch_create_array(const redisReadTask *task, farwatch_count elements) {
    struct farwatch_reply_limit *limit = (struct farwatch_reply_limit *)task->privdata;
    // What returns NULL ends the reading with REDIS_ERR_OOM.
    if ((size_t)elements > limit->elements_left) return NULL;
    limit->elements_left -= (size_t)elements;
    return limit->original->createArray(task, elements);
}

// To be freed after the context.
static inline struct farwatch_reply_limit *farwatch_limit_replies(redisContext *context) {
    struct farwatch_reply_limit *limit = (struct farwatch_reply_limit *)malloc(sizeof *limit);
    if (limit == NULL) return NULL;
    limit->original = (redisReplyObjectFunctions *)context->reader->fn;
    limit->functions = *limit->original;
    limit->functions.createArray = farwatch_create_array;
    limit->elements_left = 0;
    context->reader->fn = &limit->functions;
    context->reader->privdata = limit;
    return limit;
}

// A char array of fixed size is a tuple of 128 in Swift.
static inline const char *farwatch_error_text(const redisContext *context) { return context->errstr; }
#endif
