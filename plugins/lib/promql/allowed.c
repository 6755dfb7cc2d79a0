/* SPDX-License-Identifier: Apache-2.0 */
#include "allowed.h"

/* query, query_range and query_exemplars. */
PROMQL_ALLOW(promql_get_query, "GET", "/api/v1/query");
PROMQL_ALLOW(promql_post_query, "POST", "/api/v1/query");
PROMQL_ALLOW(promql_get_labels, "GET", "/api/v1/labels");
PROMQL_ALLOW(promql_post_labels, "POST", "/api/v1/labels");
PROMQL_ALLOW(promql_get_values, "GET", "/api/v1/label/");
PROMQL_ALLOW(promql_get_metadata, "GET", "/api/v1/metadata");
