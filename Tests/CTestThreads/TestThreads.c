// Swift's own pool has as many threads as the machine has processors, two perhaps. A test that computes for a minute, or waits for a
// process to end, takes one of them from all others, and what they bound by time ends without having run: a pool of connections then
// refuses who waited. Tests therefore run on a queue that starts another thread when all are taken.
//
// The hook is the one that the runtime has for other executors: include/swift/Runtime/Concurrency.h in Swift's sources.

#include <stddef.h>

typedef struct {
    void *identity;
    void *implementation;
} SerialExecutor;

typedef __attribute__((swiftcall)) void (*EnqueueOriginal)(void *job);

extern __attribute__((swiftcall)) void (*swift_task_enqueueGlobal_hook)(void *job, EnqueueOriginal original);
extern __attribute__((swiftcall)) void swift_job_run(void *job, SerialExecutor executor);

// libdispatch's, whose headers are not on the C compiler's path here.
extern void *dispatch_get_global_queue(long identifier, unsigned long flags);
extern void dispatch_async_f(void *queue, void *context, void (*work)(void *));

// A thread for each job when none is free, 255 at most.
static const unsigned long overcommit = 2;

static void run(void *job) {
    // The generic executor has neither identity nor implementation.
    SerialExecutor generic = {NULL, NULL};
    swift_job_run(job, generic);
}

static __attribute__((swiftcall)) void enqueue(void *job, EnqueueOriginal original) {
    (void)original;
    dispatch_async_f(dispatch_get_global_queue(0, overcommit), job, run);
}

__attribute__((constructor)) static void install(void) { swift_task_enqueueGlobal_hook = enqueue; }
