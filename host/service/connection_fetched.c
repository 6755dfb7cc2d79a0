/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets that are fetched: by a program, or from a token server. */
#include "service/connection_reader.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

#define COMMAND_MAX 64

/* As posix_spawnp will look for it. */
static bool is_found(const char *program)
{
    const char *path = getenv("PATH");
    if (*program == '/')
        return access(program, X_OK) == 0;
    for (const char *at = path; at;) {
        char file[PATH_MAX];
        size_t n = strcspn(at, ":");
        int size = snprintf(file, sizeof file, "%.*s/%s", (int)n, n ? at : ".", program);
        if (size > 0 && (size_t)size < sizeof file && access(file, X_OK) == 0)
            return true;
        at = at[n] ? at + n + 1 : NULL;
    }
    return false;
}

bool reader_exec(struct reader *reader, const struct node *node, struct secret_ref *ret)
{
    const char *const *words;
    size_t n;
    if (!check_texts(reader->check, node, &words, &n))
        return false;
    if (!n || n > COMMAND_MAX || !*words[0]) {
        check_fail(reader->check, node,
                   "expected a program and its arguments, such as [pass, show, prometheus], at "
                   "most %d texts",
                   COMMAND_MAX);
        return false;
    }
    if (strchr(words[0], '/') && *words[0] != '/') {
        check_fail(reader->check, node,
                   "%.128s: expected the program's whole path, beginning with \"/\", or its name "
                   "alone",
                   words[0]);
        return false;
    }
    if (!is_found(words[0])) {
        check_fail(reader->check, node, "cannot run %.128s: %s", words[0],
                   *words[0] == '/' ? strerror(errno) : "there is no such program in PATH");
        return false;
    }
    struct arena *arena = &reader->connection->arena;
    const char **command = arena_alloc_array(arena, n + 1, sizeof *command);
    for (size_t i = 0; command && i < n; i++)
        command[i] = reader_copy(reader, words[i]);
    *ret = (struct secret_ref){.kind = SECRET_EXEC, .command = command};
    return command != NULL;
}

void reader_oauth2(struct reader *reader, const struct node *auth)
{
    static const char *const keys[] = {"type",          "token_url", "client_id",
                                       "client_secret", "scope",     "audience"};
    struct connection_auth *out = &reader->connection->auth;
    check_keys(reader->check, auth, keys, ARRAY_SIZE(keys), NULL, 0);
    const struct node *url = reader_need(reader, auth, "token_url", "oauth2");
    const struct node *id = reader_need(reader, auth, "client_id", "oauth2");
    const struct node *secret = reader_need(reader, auth, "client_secret", "oauth2");
    const char *text;
    if (url && check_text(reader->check, url, &text)) {
        const char *wrong = check_url_text(text, false);
        if (wrong) /* it may hold a password: not shown */
            check_fail(reader->check, url,
                       "not a URL such as https://login.example/oauth2/token: %s", wrong);
        else
            out->token_url = reader_copy(reader, text);
    }
    if (id)
        reader_text(reader, auth, "client_id", &out->client_id);
    if (secret)
        reader_secret(reader, secret, &out->secret);
    reader_text(reader, auth, "scope", &out->oauth_scope);
    reader_text(reader, auth, "audience", &out->oauth_audience);
}
