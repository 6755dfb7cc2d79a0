/* SPDX-License-Identifier: Apache-2.0 */
/*
 * REST below /api/v1: connections, their tests, the history of queries, the adapters, and the OpenAPI document of all that, which is made
 * from the same table as dispatch.
 *
 * Ownership: rest_destroy once the server of http/ has stopped; what still runs on call threads needs the service only. Threads: handlers
 * run on the loop of http/ and hand all that may wait to call threads.
 */
#ifndef REST_REST_H
#define REST_REST_H

#include "http/http.h"
#include "service/service.h"

struct rest;

int rest_create(struct service *service, struct rest **ret_rest, struct err *err);
void rest_destroy(struct rest *rest);
/* The routes to mount, one an operation; they live as long as rest. */
const struct http_route *rest_routes(const struct rest *rest, size_t *ret_count);
/* The OpenAPI document. */
const char *rest_openapi(const struct rest *rest, size_t *ret_size);

#endif
