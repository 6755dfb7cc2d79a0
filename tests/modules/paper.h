/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the paper adapters share: a connection without memory of its own, the last key of a JSON document, errors.
 *
 * Ownership: as the plugin ABI says. Threads: as the plugin ABI says.
 */
#ifndef TESTS_MODULES_PAPER_H
#define TESTS_MODULES_PAPER_H

#include <sonde/json.h>
#include <sonde/plugin.h>
#include <sonde/text.h>

#include <string.h>

extern const struct sonde_host *host;

/* An answer being read: its status, and its body as events or, when it is an error, its beginning. */
struct paper_answer {
    struct sonde_json json;
    uint32_t status;
    char key[32];
    char error[256];
    size_t error_size;
};

int32_t paper_open(const struct sonde_open *open, void **ret_instance);
void paper_close(void *instance);
void paper_head(struct paper_answer *answer, const struct sonde_response_head *head);
/* 0, SONDE_DONE when the event function stopped the reader, or BAD_ANSWER with its reason given. */
int32_t paper_data(struct sonde_ctx *ctx, struct paper_answer *answer, const void *data,
                   size_t size);
/* 0, or the class of what went wrong with its reason given. */
int32_t paper_end(struct sonde_ctx *ctx, struct paper_answer *answer,
                  const struct sonde_outcome *outcome);
/* Remembers a key; 1 if the event was one. */
int paper_is_key(struct paper_answer *answer, uint32_t type, const char *text, size_t size);
/* A copy that lives as long as the operation; "" when there is no memory. */
const char *paper_copy(struct sonde_ctx *ctx, const char *text, size_t size);
/* One series with a label "id" whose value is text. */
int32_t paper_series(const struct sonde_begin *begin, uint64_t id, const char *text);

#define PAPER_TABLE(its_name, its_caps)                                                   \
    .struct_size = sizeof(struct sonde_plugin), .abi_major = SONDE_ABI_MAJOR,             \
    .abi_minor = SONDE_ABI_MINOR, .caps = (its_caps), .name = (its_name), .version = "1", \
    .license = "Apache-2.0", .summary = "A backend on paper", .homepage = "https://example.org/"

#endif
