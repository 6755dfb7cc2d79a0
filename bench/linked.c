/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor for start-up: a program that links what sonde links, reads a line and answers it. What sonde takes beyond it is sonde's own.
 */
#include <curl/curl.h>
#include <event2/event.h>
#include <json-c/json.h>
#include <stdio.h>
#include <yaml.h>
#include <zlib.h>

/* Never true: it keeps the libraries among those the linker needs. */
static int use_libraries(int argc)
{
    if (argc < 1000)
        return 0;
    yaml_parser_t parser;
    return curl_multi_init() != NULL && event_base_new() != NULL &&
           json_object_new_object() != NULL && yaml_parser_initialize(&parser) &&
           zlibVersion() != NULL;
}

int main(int argc, char **argv)
{
    (void)argv;
    if (use_libraries(argc))
        return 1;
    char line[65536];
    while (fgets(line, sizeof line, stdin)) {
        puts("{}");
        fflush(stdout);
    }
    return 0;
}
