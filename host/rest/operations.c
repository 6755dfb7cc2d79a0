/* SPDX-License-Identifier: Apache-2.0 */
/* The one table: dispatch, checks and the OpenAPI document are made from it. */
#include <string.h>

#include "rest/internal.h"

#define LIST(array)                  \
    {                                \
        (array), ARRAY_SIZE((array)) \
    }

#define PAGE(what)                                                                                 \
    {.name = "limit",                                                                              \
     .type = FIELD_INTEGER,                                                                        \
     .min = 1,                                                                                     \
     .max = 200,                                                                                   \
     .fallback = "50",                                                                             \
     .about = "How many " what " a page holds at most."},                                          \
    {                                                                                              \
        .name = "cursor", .type = FIELD_TEXT, .min = 1, .max = 512,                                \
        .about = "next_cursor of the page before; left out, the first page. The other parameters " \
                 "must be those of that page."                                                     \
    }

static const struct field connection_part[] = {{.name = "id",
                                                .type = FIELD_TEXT,
                                                .required = true,
                                                .min = 1,
                                                .max = 63,
                                                .about = "The connection's id, or its name."}};

static const struct field query_part[] = {{.name = "id",
                                           .type = FIELD_UUID,
                                           .required = true,
                                           .about = "The id of one row of the history."}};

static const struct field connections_query[] = {
    {.name = "backend_type",
     .type = FIELD_TEXT,
     .min = 1,
     .max = 63,
     .about = "Only connections of this adapter, such as prometheus."},
    {.name = "tag",
     .type = FIELD_TAG,
     .min = 3,
     .max = 320,
     .about = "Only connections with this tag, written KEY=VALUE."},
    PAGE("connections")};

static const char *const statuses[] = {"ok", "error", NULL};
static const struct field history_query[] = {
    {.name = "session_id", .type = FIELD_UUID, .about = "Only queries of this session."},
    {.name = "connection_id", .type = FIELD_UUID, .about = "Only queries to this connection."},
    {.name = "tool",
     .type = FIELD_TEXT,
     .min = 1,
     .max = 63,
     .about = "Only calls of this tool, such as query_metrics."},
    {.name = "status",
     .type = FIELD_CHOICE,
     .values = statuses,
     .about = "Only queries that went well, or only those that failed."},
    {.name = "user",
     .type = FIELD_TEXT,
     .rights = RIGHT_ADMIN,
     .min = 1,
     .max = 63,
     .about = "Queries of the user of this name in place of one's own; all: everybody's."},
    {.name = "from",
     .type = FIELD_TEXT,
     .min = 1,
     .max = 64,
     .about = "Only queries since then: ISO 8601, or relative such as now-1h. A plus sign is "
              "written %2B in a URL."},
    {.name = "to", .type = FIELD_TEXT, .min = 1, .max = 64, .about = "Only queries before then."},
    PAGE("queries")};

#define CONNECTION_FIELDS(need)                                                                 \
    {.name = "name",                                                                            \
     .type = FIELD_NAME,                                                                        \
     .required = need,                                                                          \
     .about = "What it is called: unique among your connections, and not \"all\".",             \
     .example = "\"prod\""},                                                                    \
        {.name = "backend_type",                                                                \
         .type = FIELD_TEXT,                                                                    \
         .required = need,                                                                      \
         .min = 1,                                                                              \
         .max = 63,                                                                             \
         .about = "Which adapter asks it: see " REST_PREFIX "/backends.",                       \
         .example = "\"prometheus\""},                                                          \
        {.name = "connection_config",                                                           \
         .type = FIELD_OBJECT,                                                                  \
         .required = need,                                                                      \
         .max = 64,                                                                             \
         .about =                                                                               \
             "Where the backend is and how it is asked; which keys an adapter takes is in the " \
             "parameters of " REST_PREFIX "/backends. Secrets are written only.",               \
         .example = "{\"url\":\"https://prometheus.example\",\"auth\":{\"type\":\"bearer\","    \
                    "\"token\":\"...\"},\"timeout_seconds\":30}"},                              \
        {.name = "description",                                                                 \
         .type = FIELD_TEXT,                                                                    \
         .max = 1000,                                                                           \
         .about = "What it is for, in words that help an agent choose."},                       \
        {.name = "is_enabled",                                                                  \
         .type = FIELD_BOOLEAN,                                                                 \
         .fallback = need ? "true" : NULL,                                                      \
         .about = "Whether it may be asked."},                                                  \
        {.name = "is_default",                                                                  \
         .type = FIELD_BOOLEAN,                                                                 \
         .fallback = need ? "false" : NULL,                                                     \
         .about = "Whether it answers where none is named; the adapter's default before it is " \
                  "cleared."},                                                                  \
    {                                                                                           \
        .name = "tags", .type = FIELD_TEXTS, .max = 32, .about = "Words it may be chosen by.",  \
        .example = "{\"env\":\"prod\"}"                                                         \
    }

/* What a document has that was read may come back with it. */
#define READ_ONLY(key)                                                    \
    {                                                                     \
        .name = key, .type = FIELD_ANY, .read_only = true,                \
        .about = "Not looked at, so that what was read may be sent back." \
    }

static const struct field new_fields[] = {CONNECTION_FIELDS(true)};
static const struct field change_fields[] = {CONNECTION_FIELDS(false), READ_ONLY("id"),
                                             READ_ONLY("owner"),       READ_ONLY("source"),
                                             READ_ONLY("revision"),    READ_ONLY("health"),
                                             READ_ONLY("created_at"),  READ_ONLY("updated_at")};

static const struct operation table[] = {
    {.path = REST_PREFIX "/connections",
     .method = HTTP_GET,
     .id = "listConnections",
     .summary = "List connections",
     .about = "Your own and the operator's that are shared with you, by name.",
     .rights = RIGHT_READ,
     .query = LIST(connections_query),
     .success = 200,
     .answer = "ConnectionList",
     .run = connections_list},
    {.path = REST_PREFIX "/connections",
     .method = HTTP_POST,
     .id = "addConnection",
     .summary = "Add a connection",
     .about = "The backend is not asked: test it afterwards.",
     .rights = RIGHT_MANAGE,
     .body = "ConnectionNew",
     .fields = LIST(new_fields),
     .names = true,
     .etag = true,
     .location = true,
     .success = 201,
     .answer = "Connection",
     .run = connections_add},
    {.path = REST_PREFIX "/connections/{id}",
     .method = HTTP_GET,
     .id = "getConnection",
     .summary = "Show a connection",
     .about = "A secret is shown as {\"masked\": true} and never otherwise.",
     .rights = RIGHT_READ,
     .parts = LIST(connection_part),
     .etag = true,
     .success = 200,
     .answer = "Connection",
     .run = connections_show},
    {.path = REST_PREFIX "/connections/{id}",
     .method = HTTP_PUT,
     .id = "changeConnection",
     .summary = "Change a connection",
     .about =
         "What is left out stays as it is; a key of connection_config that is null goes; a masked "
         "secret that is sent back stays what it is.",
     .rights = RIGHT_MANAGE,
     .parts = LIST(connection_part),
     .body = "ConnectionChange",
     .fields = LIST(change_fields),
     .if_match = true,
     .names = true,
     .etag = true,
     .success = 200,
     .answer = "Connection",
     .run = connections_edit},
    {.path = REST_PREFIX "/connections/{id}",
     .method = HTTP_DELETE,
     .id = "removeConnection",
     .summary = "Remove a connection",
     .about = "Its secrets are erased at once; its history stays until it ends by age.",
     .rights = RIGHT_MANAGE,
     .parts = LIST(connection_part),
     .if_match = true,
     .success = 204,
     .run = connections_remove},
    {.path = REST_PREFIX "/connections/{id}/test",
     .method = HTTP_POST,
     .id = "testConnection",
     .summary = "Test a connection",
     .about =
         "Asks the backend, stage by stage. A test that fails is an answer, not an error: the first "
         "stage that failed names the setting that mends it. A body is not looked at.",
     .rights = RIGHT_MANAGE,
     .parts = LIST(connection_part),
     .cancel = true,
     .success = 200,
     .answer = "TestResult",
     .run = connections_test},
    {.path = REST_PREFIX "/query-history",
     .method = HTTP_GET,
     .id = "listQueries",
     .summary = "List what was asked",
     .about = "One's own, newest first. Who may administer can name another user, or all.",
     .rights = RIGHT_READ,
     .query = LIST(history_query),
     .success = 200,
     .answer = "QueryList",
     .run = history_list},
    {.path = REST_PREFIX "/query-history/{id}",
     .method = HTTP_GET,
     .id = "getQuery",
     .summary = "Show one query",
     .rights = RIGHT_READ,
     .parts = LIST(query_part),
     .success = 200,
     .answer = "Query",
     .run = history_show},
    {.path = REST_PREFIX "/backends",
     .method = HTTP_GET,
     .id = "listBackends",
     .summary = "List the adapters",
     .about = "What each can be asked, and the JSON Schema of its connection_config.",
     .rights = RIGHT_READ,
     .success = 200,
     .answer = "BackendList",
     .run = backends_list},
    {.path = REST_ROOT "/openapi.json",
     .method = HTTP_GET,
     .id = "getOpenapi",
     .summary = "This document",
     .success = 200,
     .answer = "OpenApi"}};

const struct operation *operations(size_t *ret_count)
{
    *ret_count = ARRAY_SIZE(table);
    return table;
}

size_t operation_statuses(const struct operation *operation, int out[STATUSES_MAX])
{
    const struct {
        int status;
        bool may;
    } all[] = {{operation->success, true},
               {400, true}, /* a parameter, If-Match, JSON that is none */
               {401, operation->rights != 0},
               {403, operation->rights != 0},
               {404, operation->parts.count > 0},
               {409, operation->names},
               {412, operation->if_match},
               {413, operation->body != NULL},
               {415, operation->body != NULL},
               {422, operation->body != NULL},
               {428, operation->if_match},
               {429, operation->run != NULL},
               {500, operation->run != NULL},
               {503, operation->run != NULL},
               {504, operation->cancel}};
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        if (all[i].may)
            out[n++] = all[i].status;
    return n;
}
