/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON Schemas of what is answered; those of what is taken are made from the table. */
#include "rest/internal.h"

#define TEXT "{\"type\":\"string\"}"
#define TEXT_OR_NULL "{\"type\":[\"string\",\"null\"]}"
#define COUNT "{\"type\":\"integer\",\"minimum\":0}"
#define TIME "{\"type\":\"string\",\"format\":\"date-time\"}"
#define TIME_OR_NULL "{\"type\":[\"string\",\"null\"],\"format\":\"date-time\"}"
#define UUID "{\"type\":\"string\",\"format\":\"uuid\"}"
#define UUID_OR_NULL "{\"type\":[\"string\",\"null\"],\"format\":\"uuid\"}"
#define FLAG "{\"type\":\"boolean\"}"
#define REF(name) "{\"$ref\":\"#/components/schemas/" name "\"}"

const char *const rest_schemas =
    "\"Problem\":{\"type\":\"object\",\"description\":\"RFC 9457.\",\"required\":[\"type\",\"title\","
    "\"status\",\"detail\",\"instance\"],\"properties\":{\"type\":" TEXT ",\"title\":" TEXT
    ",\"status\":{\"type\":\"integer\",\"minimum\":400,\"maximum\":599},\"detail\":" TEXT
    ",\"instance\":{\"type\":\"string\",\"pattern\":\"^r-[0-9a-f]{16}$\",\"description\":\"The "
    "request's id: the log has it.\"},\"errors\":{\"type\":\"array\",\"maxItems\":32,\"items\":"
    "{\"type\":\"object\",\"required\":[\"path\",\"detail\"],\"properties\":{\"path\":{\"type\":"
    "\"string\",\"description\":\"Of the parameter or the member: connection_config.auth.type\"},"
    "\"detail\":" TEXT "}}}}},"

    "\"Health\":{\"type\":\"object\",\"required\":[\"status\"],\"properties\":{\"status\":{\"enum\":"
    "[\"healthy\",\"degraded\",\"unhealthy\",\"unknown\"]},\"reason\":" TEXT_OR_NULL
    ",\"checked_at\":" TIME_OR_NULL
    ",\"uptime_24h\":{\"type\":[\"number\",\"null\"],\"minimum\":0,\"maximum\":1},\"p95_ms\":"
    "{\"type\":[\"integer\",\"null\"]},\"last_success_at\":" TIME_OR_NULL
    ",\"last_failure_at\":" TIME_OR_NULL "}},"

    "\"Connection\":{\"type\":\"object\",\"required\":[\"id\",\"name\",\"backend_type\","
    "\"connection_config\",\"is_enabled\",\"is_default\",\"tags\",\"owner\",\"source\",\"revision\","
    "\"health\"],\"properties\":{\"id\":" UUID ",\"name\":" TEXT ",\"description\":" TEXT_OR_NULL
    ",\"backend_type\":" TEXT
    ",\"connection_config\":{\"type\":\"object\",\"description\":\"As it was written, but that a secret "
    "is {\\\"masked\\\": true}.\"},\"is_enabled\":" FLAG ",\"is_default\":" FLAG
    ",\"tags\":{\"type\":\"object\",\"additionalProperties\":" TEXT
    "},\"owner\":{\"enum\":[\"you\",\"operator\"]},\"source\":{\"enum\":[\"rest\",\"cli\",\"yaml\"]},"
    "\"revision\":{\"type\":\"integer\",\"minimum\":1},\"health\":" REF(
        "Health") ",\"created_at\":" TIME_OR_NULL ",\"updated_at\":" TIME_OR_NULL "}},"

                  "\"ConnectionList\":{\"type\":\"object\",\"required\":[\"connections\"],\"properties\":"
                  "{\"connections\":{\"type\":\"array\",\"maxItems\":200,\"items\":" REF(
                      "Connection") "},\"next_cursor\":" TEXT_OR_NULL "}},"

                                    "\"TestResult\":{\"type\":\"object\",\"required\":[\"ok\",\"stages\"],\"properties\":{\"ok\":" FLAG
                                    ",\"stages\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"stage\",\"ok\"],"
                                    "\"properties\":{\"stage\":" TEXT
                                    ",\"ok\":{\"type\":[\"boolean\",\"null\"],\"description\":\"null: "
                                    "not reached.\"},\"detail\":" TEXT_OR_NULL
                                    ",\"setting\":{\"type\":[\"string\",\"null\"],\"description\":\"The key that mends it.\"}}}}}},"

                                    "\"BackendList\":{\"type\":\"object\",\"required\":[\"backends\"],\"properties\":{\"backends\":"
                                    "{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"name\",\"version\",\"signals\","
                                    "\"parameters\"],\"properties\":{\"name\":" TEXT
                                    ",\"version\":" TEXT
                                    ",\"signals\":{\"type\":\"array\",\"items\":" TEXT
                                    "},\"parameters\":{\"type\":\"object\",\"description\":\"The JSON Schema of "
                                    "connection_config.\"}}}}}},"

                                    "\"Query\":{\"type\":\"object\",\"required\":[\"id\",\"tool\",\"status\",\"queried_at\"],"
                                    "\"properties\":{\"id\":" UUID ",\"call_id\":" UUID_OR_NULL
                                    ",\"tool\":" TEXT ",\"session_id\":" UUID_OR_NULL
                                    ",\"connection_id\":" UUID_OR_NULL
                                    ",\"connection_name\":" TEXT_OR_NULL ",\"scope\":" TEXT_OR_NULL
                                    ",\"query_type\":" TEXT_OR_NULL ",\"query_text\":" TEXT_OR_NULL
                                    ",\"query_params\":{\"type\":[\"object\",\"null\"]},\"result_count\":{\"type\":[\"integer\","
                                    "\"null\"],\"minimum\":0},\"result_sample\":{\"type\":[\"array\",\"null\"]},\"error_message\":" TEXT_OR_NULL
                                    ",\"execution_time_ms\":" COUNT ",\"was_cached\":" FLAG
                                    ",\"status\":{\"enum\":[\"ok\",\"error\"]},\"queried_at\":" TIME
                                    "}},"

                                    "\"QueryList\":{\"type\":\"object\",\"required\":[\"queries\"],\"properties\":{\"queries\":"
                                    "{\"type\":\"array\",\"maxItems\":200,\"items\":" REF(
                                        "Query") "},\"next_cursor\":" TEXT_OR_NULL "}},"

                                                 "\"OpenApi\":{\"type\":\"object\",\"required\":[\"openapi\",\"info\",\"paths\"],\"properties\":"
                                                 "{\"openapi\":" TEXT
                                                 ",\"info\":{\"type\":\"object\"},\"paths\":{\"type\":\"object\"}}}";
