-- SPDX-License-Identifier: Apache-2.0
-- Tables and indexes that PostgreSQL shares with Citus, CockroachDB and YugabyteDB: no extension, no trigger, no procedure.

CREATE TABLE schema_migrations (
    version    INTEGER     NOT NULL PRIMARY KEY,
    name       TEXT        NOT NULL,
    sha256     TEXT        NOT NULL CHECK (length(sha256) = 64),
    applied_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE users (
    id          UUID        NOT NULL PRIMARY KEY,
    name        TEXT        NOT NULL CHECK (length(name) BETWEEN 1 AND 63),
    external_id TEXT,
    is_disabled BOOLEAN     NOT NULL DEFAULT FALSE,
    created_at  TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX idx_users_name ON users (name);
CREATE UNIQUE INDEX idx_users_external_id ON users (external_id);

-- The reserved users: whoever started the process, whom the configuration file's connections belong to, the process itself.
INSERT INTO users (id, name, created_at) VALUES
    ('736f6e64-6500-8000-8000-000000000001', 'local',    CURRENT_TIMESTAMP),
    ('736f6e64-6500-8000-8000-000000000002', 'operator', CURRENT_TIMESTAMP),
    ('736f6e64-6500-8000-8000-000000000003', 'keeper',   CURRENT_TIMESTAMP);

CREATE TABLE api_tokens (
    id           UUID        NOT NULL PRIMARY KEY,
    user_id      UUID        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name         TEXT        NOT NULL,
    prefix       TEXT        NOT NULL,
    token_hash   BYTEA       NOT NULL CHECK (length(token_hash) = 32),
    rights       BIGINT      NOT NULL,
    connections  JSONB,
    created_at   TIMESTAMPTZ NOT NULL,
    expires_at   TIMESTAMPTZ,
    last_used_at TIMESTAMPTZ,
    revoked_at   TIMESTAMPTZ
);
CREATE UNIQUE INDEX idx_api_tokens_token_hash ON api_tokens (token_hash);
CREATE INDEX idx_api_tokens_user_id ON api_tokens (user_id);

CREATE TABLE sessions (
    id           UUID        NOT NULL PRIMARY KEY,
    user_id      UUID        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind         TEXT        NOT NULL,
    client       TEXT        NOT NULL DEFAULT '',
    started_at   TIMESTAMPTZ NOT NULL,
    last_seen_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX idx_sessions_last_seen_at ON sessions (last_seen_at);

CREATE TABLE observability_connections (
    id                   UUID        NOT NULL PRIMARY KEY,
    user_id              UUID        NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name                 TEXT        NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    description          TEXT        NOT NULL DEFAULT '',
    backend_type         TEXT        NOT NULL,
    connection_config    JSONB       NOT NULL,
    is_enabled           BOOLEAN     NOT NULL DEFAULT TRUE,
    is_default           BOOLEAN     NOT NULL DEFAULT FALSE,
    tags                 JSONB       NOT NULL DEFAULT '{}',
    last_health_check_at TIMESTAMPTZ,
    health_status        TEXT        NOT NULL DEFAULT 'unknown'
        CHECK (health_status IN ('unknown', 'healthy', 'degraded', 'unhealthy')),
    health_error         TEXT        NOT NULL DEFAULT '',
    source               TEXT        NOT NULL,
    revision             BIGINT      NOT NULL DEFAULT 1 CHECK (revision > 0),
    created_at           TIMESTAMPTZ NOT NULL,
    updated_at           TIMESTAMPTZ NOT NULL,
    deleted_at           TIMESTAMPTZ
);
CREATE INDEX idx_observability_connections_user_id ON observability_connections (user_id);
CREATE INDEX idx_observability_connections_backend_type ON observability_connections (backend_type);
CREATE UNIQUE INDEX idx_observability_connections_user_name
    ON observability_connections (user_id, name) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX idx_observability_connections_user_backend_default
    ON observability_connections (user_id, backend_type) WHERE is_default AND deleted_at IS NULL;
CREATE INDEX idx_observability_connections_deleted_at
    ON observability_connections (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE observability_query_cache (
    id            UUID        NOT NULL PRIMARY KEY,
    connection_id UUID        NOT NULL REFERENCES observability_connections (id) ON DELETE CASCADE,
    scope         TEXT        NOT NULL DEFAULT '',
    query_hash    TEXT        NOT NULL CHECK (length(query_hash) = 64),
    query_type    TEXT        NOT NULL,
    query_text    TEXT        NOT NULL,
    query_params  JSONB       NOT NULL,
    result_data   BYTEA       NOT NULL,
    result_count  BIGINT      NOT NULL,
    cached_at     TIMESTAMPTZ NOT NULL,
    expires_at    TIMESTAMPTZ NOT NULL,
    hit_count     BIGINT      NOT NULL DEFAULT 0
);
-- The first column serves what asks by connection alone.
CREATE UNIQUE INDEX idx_observability_query_cache_connection_id
    ON observability_query_cache (connection_id, query_hash);
CREATE INDEX idx_observability_query_cache_query_hash ON observability_query_cache (query_hash);
CREATE INDEX idx_observability_query_cache_expires_at ON observability_query_cache (expires_at);

-- connection_id refers to no table: what was given on the command line alone has no row, nor has what was refused (NULL).
CREATE TABLE observability_query_history (
    id                UUID        NOT NULL PRIMARY KEY,
    call_id           UUID        NOT NULL,
    session_id        UUID        NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    connection_id     UUID,
    user_id           UUID        NOT NULL REFERENCES users (id),
    connection_name   TEXT        NOT NULL DEFAULT '',
    tool              TEXT        NOT NULL,
    scope             TEXT        NOT NULL DEFAULT '',
    query_type        TEXT        NOT NULL,
    query_text        TEXT        NOT NULL,
    query_params      JSONB       NOT NULL,
    result_count      BIGINT      NOT NULL,
    result_sample     JSONB,
    error_message     TEXT        NOT NULL DEFAULT '',
    execution_time_ms BIGINT      NOT NULL,
    was_cached        BOOLEAN     NOT NULL DEFAULT FALSE,
    queried_at        TIMESTAMPTZ NOT NULL
);
-- With the id behind, a page of one session's or user's history is read in order from the index.
CREATE INDEX idx_observability_query_history_session_id ON observability_query_history (session_id, id);
CREATE INDEX idx_observability_query_history_user_id ON observability_query_history (user_id, id);
CREATE INDEX idx_observability_query_history_connection_id ON observability_query_history (connection_id, id);
CREATE INDEX idx_observability_query_history_queried_at ON observability_query_history (queried_at);

CREATE TABLE replicas (
    id           UUID        NOT NULL PRIMARY KEY,
    host         TEXT        NOT NULL,
    key_ids      JSONB       NOT NULL,
    started_at   TIMESTAMPTZ NOT NULL,
    last_seen_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- One number that every change to users, tokens and connections raises: a cheap look tells others that they must read again.
CREATE TABLE changes (
    id         INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    generation BIGINT  NOT NULL
);
INSERT INTO changes (id, generation) VALUES (1, 1);
