#ifndef FARWATCH_CMOSQUITTO_H
#define FARWATCH_CMOSQUITTO_H
#include <mosquitto.h>
#include <errno.h>
#include <mqtt_protocol.h>
#include <string.h>

// `errno` is a macro over a function call.
static inline int farwatch_last_errno(void) { return errno; }
#endif
