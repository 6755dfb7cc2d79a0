# SPDX-License-Identifier: Apache-2.0
if HAVE_CMOCKA
include tests/unit/base/base.mk
include tests/unit/model/model.mk
include tests/unit/selfstats/selfstats.mk
include tests/unit/config/config.mk
include tests/unit/secrets/secrets.mk
include tests/unit/plugin/plugin.mk
include tests/unit/io/io.mk
include tests/unit/query/query.mk
include tests/unit/catalogue/catalogue.mk
include tests/unit/answer/answer.mk
include tests/unit/render/render.mk
include tests/unit/auth/auth.mk
include tests/unit/service/service.mk
include tests/unit/http/http.mk
include tests/unit/mcp/mcp.mk
include tests/unit/sdk/sdk.mk
include tests/unit/promql/promql.mk
endif
