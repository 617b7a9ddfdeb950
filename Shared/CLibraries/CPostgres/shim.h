#ifndef FARWATCH_CPOSTGRES_H
#define FARWATCH_CPOSTGRES_H
#include <postgresql/libpq-fe.h>

// The PG_DIAG_… fields are character macros, which the importer refuses.
enum {
    farwatch_diag_severity = PG_DIAG_SEVERITY_NONLOCALIZED,
    farwatch_diag_sqlstate = PG_DIAG_SQLSTATE,
    farwatch_diag_message = PG_DIAG_MESSAGE_PRIMARY,
    farwatch_diag_context = PG_DIAG_CONTEXT,
    farwatch_diag_constraint = PG_DIAG_CONSTRAINT_NAME,
};

// libssl's, of which nothing else is needed: its headers bring all of OpenSSL.
int SSL_has_pending(const void *tls);

// Whether TLS holds bytes that poll(2) cannot see: a record is up to 16 KiB, of which libpq may have read a part.
static inline int farwatch_has_pending_tls(PGconn *connection) {
    const void *tls = PQsslStruct(connection, "OpenSSL");
    return tls != 0 && SSL_has_pending(tls) == 1;
}
#endif
