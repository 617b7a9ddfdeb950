// What the daemons need of Linux, for Swift without the Glibc module (Embedded Swift has none).
// Plain declarations come from the system's headers; a wrapper stands here only where the importer
// cannot take the original: variadic functions, macros, and `errno`.
#ifndef FARWATCH_CLINUX_H
#define FARWATCH_CLINUX_H

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <malloc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// `errno` is a macro over a function call.
static inline int farwatch_errno(void) { return errno; }

// open(2) is variadic.
static inline int farwatch_open(const char *path, int flags, unsigned int mode) { return open(path, flags, mode); }

// stderr is a macro; the daemons write with write(2) and never need the FILE.
// epoll_event carries a union; `data.fd` is all the loop uses.
static inline struct epoll_event farwatch_epoll_event(uint32_t events, int fd) {
    struct epoll_event event;
    memset(&event, 0, sizeof event);
    event.events = events;
    event.data.fd = fd;
    return event;
}
static inline int farwatch_epoll_fd(const struct epoll_event *event) { return event->data.fd; }

// ICMP echo headers hold unions that the importer flattens differently between versions.
static inline struct icmphdr farwatch_icmp_echo(uint16_t sequence) {
    struct icmphdr header;
    memset(&header, 0, sizeof header);
    header.type = ICMP_ECHO;
    header.un.echo.sequence = htons(sequence);
    return header;
}
static inline uint16_t farwatch_icmp_sequence(const struct icmphdr *header) { return ntohs(header->un.echo.sequence); }

// accept4(2) is declared for _GNU_SOURCE alone, SIG_IGN is a cast of 1 to a function pointer.
static inline int farwatch_accept(int listener) {
    int fd = accept(listener, NULL, NULL);
    if (fd >= 0) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        fcntl(fd, F_SETFL, O_NONBLOCK);
    }
    return fd;
}
// fcntl(2) is variadic.
static inline void farwatch_close_on_exec(int fd) { fcntl(fd, F_SETFD, FD_CLOEXEC); }
// A pipe whose reading end does not block, both ends closed on exec.
static inline int farwatch_pipe(int ends[2]) {
    if (pipe(ends) != 0) return -1;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return 0;
}
// environ(7) is declared by nobody: "should be declared in the user program".
extern char **environ;
static inline char **farwatch_environment(void) { return environ; }
static inline void farwatch_ignore_signal(int number) { signal(number, SIG_IGN); }

// Macros over the mode and the wait status.
static inline int farwatch_is_directory(const struct stat *s) { return S_ISDIR(s->st_mode); }
static inline int farwatch_is_regular(const struct stat *s) { return S_ISREG(s->st_mode); }

// Bounds receiving and, by SO_SNDTIMEO, connecting ("connect() … may block", socket(7)). Their names are expressions where a `time_t` is longer than a
// register.
static inline int farwatch_wait_within(int fd, int seconds) {
    struct timeval wait = {.tv_sec = seconds};
    return setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) | setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
}

// Renames to what was not there before (EEXIST).
int farwatch_rename_new(const char *path, const char *new_path);

#endif
