/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the server said, as one of the store's errors. DETAIL and CONTEXT are never shown: they repeat values of rows.
 */
#include <string.h>
#include "base/mem.h"
#include "base/str.h"
#include "store/postgres/internal.h"

/* libpq never repeats a password; a server's message might. */
static void strike_out(char *text, const char *password)
{
    size_t size = password ? strlen(password) : 0;
    if (size < 4)
        return;
    for (char *p = text; (p = strstr(p, password));)
        memset(p, '*', size);
}

void pg_one_line(const struct address *address, const char *text, char *out, size_t size)
{
    utf8_clean(out, size, text, strlen(text));
    for (char *p = out; *p; p++) {
        if (*p == '\n' || *p == '\t')
            *p = ' ';
    }
    for (size_t end = strlen(out); end > 0 && out[end - 1] == ' '; end--)
        out[end - 1] = '\0';
    strike_out(out, pg_address_option(address, "password"));
    strike_out(out, pg_address_option(address, "sslpassword"));
}

static bool is_class(const char *sqlstate, const char *class)
{
    return strncmp(sqlstate, class, 2) == 0;
}

static bool is_one(const char *sqlstate, const char *const *codes)
{
    for (; *codes; codes++) {
        if (strcmp(sqlstate, *codes) == 0)
            return true;
    }
    return false;
}

/* The code for a SQLSTATE, and what to do about it ("" when its own words say enough). */
static int judge(const char *s, const char **ret_advice)
{
    static const char *const waited[] = {"55P03", "57014", "40001", "40P01", "55006", NULL};
    static const char *const full[] = {"53100", "58030", "XX001", "XX002", NULL};
    *ret_advice = "";
    if (is_one(s, waited)) {
        *ret_advice = ": somebody else holds a lock or the server is overloaded; try again";
        return ERR_BUSY;
    }
    if (is_one(s, full)) {
        *ret_advice = ": make room or mend the server's disk";
        return ERR_SYSTEM;
    }
    if (strcmp(s, "23505") == 0)
        return ERR_CONFLICT;
    if (is_class(s, "22") || is_class(s, "23"))
        return ERR_INVALID;
    if (strcmp(s, "42P01") == 0 || strcmp(s, "42703") == 0)
        *ret_advice = ": the schema is not as this program needs it; `sonde db migrate` makes it";
    else if (strcmp(s, "42501") == 0)
        *ret_advice = ": grant the user the rights on schema and tables";
    return ERR_UNAVAILABLE;
}

static int fail_lost(struct conn *conn, const char *words, struct err *err)
{
    char line[512];
    pg_one_line(conn->address, words, line, sizeof line);
    pg_disconnect(conn);
    conn->lost = true;
    return err_set(err, ERR_UNAVAILABLE, "%s: the connection was lost: %s", conn->address->where,
                   *line ? line : "no reason was given");
}

int pg_fail(struct conn *conn, const PGresult *result, struct err *err)
{
    const char *sqlstate = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    if (!result || !sqlstate || PQstatus(conn->pq) == CONNECTION_BAD)
        return fail_lost(conn, result ? PQresultErrorMessage(result) : PQerrorMessage(conn->pq),
                         err);
    memcpy(conn->sqlstate, sqlstate, 5);
    conn->sqlstate[5] = '\0';
    conn->stale = strcmp(sqlstate, "26000") == 0;
    conn->clash = is_class(sqlstate, "40");
    conn->conflict = strcmp(sqlstate, "23505") == 0;
    const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    char line[512];
    pg_one_line(conn->address, primary ? primary : "", line, sizeof line);
    const char *advice;
    int code = judge(sqlstate, &advice);
    int r = err_set(err, code, "%s: %s (%s)%s", conn->address->where, line, conn->sqlstate, advice);
    /* A server that only reads (a standby, or one that was made one) is of no use: look for the other one next time. */
    if (strcmp(conn->sqlstate, "25006") == 0)
        pg_disconnect(conn);
    return r;
}
