/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

static bool is_address(const char *location)
{
    return str_starts(location, "postgresql://") || str_starts(location, "postgres://");
}

const struct driver_table *store_driver(const char *location)
{
    return is_address(location) ? &driver_postgres : &driver_sqlite;
}

int store_default_path(char *path, size_t size, struct err *err)
{
    const char *state = getenv("STATE_DIRECTORY");
    const char *xdg = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    int n;
    if (state && state[0] == '/') {
        /* systemd lists several with colons; the first is the one named first in the unit. */
        n = snprintf(path, size, "%.*s/sonde.db", (int)strcspn(state, ":"), state);
    } else if (xdg && xdg[0] == '/') {
        n = snprintf(path, size, "%s/sonde/sonde.db", xdg);
    } else if (geteuid() == 0) {
        n = snprintf(path, size, "/var/lib/sonde/sonde.db");
    } else if (home && home[0] == '/') {
        n = snprintf(path, size, "%s/.local/state/sonde/sonde.db", home);
    } else {
        return err_set(err, ERR_INVALID,
                       "neither STATE_DIRECTORY, XDG_STATE_HOME nor HOME says where the database "
                       "may be; name a file with `store:` in the configuration");
    }
    if (n < 0 || (size_t)n >= size)
        return err_set(err, ERR_INVALID, "the path of the database is longer than %zu bytes",
                       size - 1);
    return 0;
}

/* The value of one parameter of an address's query, as written. */
static const char *parameter(const char *query, const char *name, size_t *ret_size)
{
    size_t length = strlen(name);
    for (const char *at = query; at && *at; at = strpbrk(at, "&")) {
        at += *at == '&' || *at == '?';
        if (strncmp(at, name, length) == 0 && at[length] == '=') {
            *ret_size = strcspn(at + length + 1, "&");
            return at + length + 1;
        }
    }
    return NULL;
}

/*
 * Names what is shown instead of hiding what is not: a password may stand in several places, and one with a stray '@' or '/' in it makes the
 * rest look like something else. So all up to the last '@' goes, and of the query only three parameters come back.
 */
void store_place(const char *location, char *shown, size_t size)
{
    if (!is_address(location)) {
        snprintf(shown, size, "%s", location);
        return;
    }
    const char *at = strrchr(location, '@');
    const char *host = at ? at + 1 : strstr(location, "://") + 3;
    const char *query = strchr(host, '?');
    size_t length = query ? (size_t)(query - host) : strlen(host);
    int n = snprintf(shown, size, "postgresql://%.*s", (int)length, host);
    static const char *const names[] = {"host", "port", "dbname"};
    char sign = '?';
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        size_t value_size = 0;
        const char *value = parameter(query, names[i], &value_size);
        if (!value || n < 0 || (size_t)n >= size)
            continue;
        n += snprintf(shown + n, size - (size_t)n, "%c%s=%.*s", sign, names[i], (int)value_size,
                      value);
        sign = '&';
    }
}
