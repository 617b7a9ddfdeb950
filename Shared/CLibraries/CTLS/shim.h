#ifndef FARWATCH_CTLS_H
#define FARWATCH_CTLS_H
#include <openssl/err.h>
#include <openssl/ssl.h>

// Macros, which Swift does not see.
static inline int farwatch_tls_set_oldest(SSL_CTX *context) { return (int)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION); }
static inline int farwatch_tls_name_server(SSL *connection, const char *host) { return (int)SSL_set_tlsext_host_name(connection, host); }
#endif
