-- SPDX-License-Identifier: Apache-2.0
-- Times are milliseconds since 1970 UTC, ids UUIDs in lower case, booleans 0 or 1. JSON is checked where it is written: SQLite 3.40 takes
-- json_valid() in a CHECK for unsafe where the schema is not trusted, and ours is not.

CREATE TABLE schema_migrations (
    version    INTEGER PRIMARY KEY,
    name       TEXT    NOT NULL,
    sha256     TEXT    NOT NULL CHECK (length(sha256) = 64),
    applied_at INTEGER NOT NULL
) STRICT;

CREATE TABLE users (
    id          TEXT    NOT NULL PRIMARY KEY CHECK (length(id) = 36),
    name        TEXT    NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 63),
    external_id TEXT    UNIQUE,
    is_disabled INTEGER NOT NULL DEFAULT 0 CHECK (is_disabled IN (0, 1)),
    created_at  INTEGER NOT NULL
) STRICT;

-- The reserved users: whoever started the process, whom the configuration file's connections belong to, the process itself.
INSERT INTO users (id, name, created_at) VALUES
    ('736f6e64-6500-8000-8000-000000000001', 'local',    CAST(strftime('%s', 'now') AS INTEGER) * 1000),
    ('736f6e64-6500-8000-8000-000000000002', 'operator', CAST(strftime('%s', 'now') AS INTEGER) * 1000),
    ('736f6e64-6500-8000-8000-000000000003', 'keeper',   CAST(strftime('%s', 'now') AS INTEGER) * 1000);

CREATE TABLE api_tokens (
    id            TEXT    NOT NULL PRIMARY KEY CHECK (length(id) = 36),
    user_id       TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name          TEXT    NOT NULL,
    prefix        TEXT    NOT NULL,
    token_hash    BLOB    NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    rights        INTEGER NOT NULL,
    connections   TEXT,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER,
    last_used_at  INTEGER,
    revoked_at    INTEGER
) STRICT;
CREATE INDEX idx_api_tokens_user_id ON api_tokens (user_id);

CREATE TABLE sessions (
    id           TEXT    NOT NULL PRIMARY KEY CHECK (length(id) = 36),
    user_id      TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind         TEXT    NOT NULL,
    client       TEXT    NOT NULL DEFAULT '',
    started_at   INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL
) STRICT;
CREATE INDEX idx_sessions_last_seen_at ON sessions (last_seen_at);

CREATE TABLE observability_connections (
    id                   TEXT    NOT NULL PRIMARY KEY CHECK (length(id) = 36),
    user_id              TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name                 TEXT    NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    description          TEXT    NOT NULL DEFAULT '',
    backend_type         TEXT    NOT NULL,
    connection_config    TEXT    NOT NULL,
    is_enabled           INTEGER NOT NULL DEFAULT 1 CHECK (is_enabled IN (0, 1)),
    is_default           INTEGER NOT NULL DEFAULT 0 CHECK (is_default IN (0, 1)),
    tags                 TEXT    NOT NULL DEFAULT '{}',
    last_health_check_at INTEGER,
    health_status        TEXT    NOT NULL DEFAULT 'unknown'
        CHECK (health_status IN ('unknown', 'healthy', 'degraded', 'unhealthy')),
    health_error         TEXT    NOT NULL DEFAULT '',
    source               TEXT    NOT NULL,
    revision             INTEGER NOT NULL DEFAULT 1 CHECK (revision > 0),
    created_at           INTEGER NOT NULL,
    updated_at           INTEGER NOT NULL,
    deleted_at           INTEGER
) STRICT;
CREATE INDEX idx_observability_connections_user_id ON observability_connections (user_id);
CREATE INDEX idx_observability_connections_backend_type ON observability_connections (backend_type);
CREATE UNIQUE INDEX idx_observability_connections_user_name
    ON observability_connections (user_id, name) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX idx_observability_connections_user_backend_default
    ON observability_connections (user_id, backend_type) WHERE is_default = 1 AND deleted_at IS NULL;
CREATE INDEX idx_observability_connections_deleted_at
    ON observability_connections (deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE observability_query_cache (
    id            TEXT    NOT NULL PRIMARY KEY CHECK (length(id) = 36),
    connection_id TEXT    NOT NULL REFERENCES observability_connections (id) ON DELETE CASCADE,
    scope         TEXT    NOT NULL DEFAULT '',
    query_hash    TEXT    NOT NULL CHECK (length(query_hash) = 64),
    query_type    TEXT    NOT NULL,
    query_text    TEXT    NOT NULL,
    query_params  TEXT    NOT NULL,
    result_data   BLOB    NOT NULL,
    result_count  INTEGER NOT NULL,
    cached_at     INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    hit_count     INTEGER NOT NULL DEFAULT 0
) STRICT;
-- The first column serves what asks by connection alone.
CREATE UNIQUE INDEX idx_observability_query_cache_connection_id
    ON observability_query_cache (connection_id, query_hash);
CREATE INDEX idx_observability_query_cache_query_hash ON observability_query_cache (query_hash);
CREATE INDEX idx_observability_query_cache_expires_at ON observability_query_cache (expires_at);

-- connection_id refers to no table: what was given on the command line alone has no row, nor has what was refused (NULL).
CREATE TABLE observability_query_history (
    id                TEXT    NOT NULL PRIMARY KEY CHECK (length(id) = 36),
    call_id           TEXT    NOT NULL CHECK (length(call_id) = 36),
    session_id        TEXT    NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    connection_id     TEXT    CHECK (connection_id IS NULL OR length(connection_id) = 36),
    user_id           TEXT    NOT NULL REFERENCES users (id),
    connection_name   TEXT    NOT NULL DEFAULT '',
    tool              TEXT    NOT NULL,
    scope             TEXT    NOT NULL DEFAULT '',
    query_type        TEXT    NOT NULL,
    query_text        TEXT    NOT NULL,
    query_params      TEXT    NOT NULL,
    result_count      INTEGER NOT NULL,
    result_sample     TEXT   ,
    error_message     TEXT    NOT NULL DEFAULT '',
    execution_time_ms INTEGER NOT NULL,
    was_cached        INTEGER NOT NULL DEFAULT 0 CHECK (was_cached IN (0, 1)),
    queried_at        INTEGER NOT NULL
) STRICT;
-- With the id behind, a page of one session's or user's history is read in order from the index.
CREATE INDEX idx_observability_query_history_session_id ON observability_query_history (session_id, id);
CREATE INDEX idx_observability_query_history_user_id ON observability_query_history (user_id, id);
CREATE INDEX idx_observability_query_history_connection_id ON observability_query_history (connection_id, id);
CREATE INDEX idx_observability_query_history_queried_at ON observability_query_history (queried_at);

CREATE TABLE replicas (
    id           TEXT    NOT NULL PRIMARY KEY CHECK (length(id) = 36),
    host         TEXT    NOT NULL,
    key_ids      TEXT    NOT NULL,
    started_at   INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL
) STRICT;

CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- One number that every change to users, tokens and connections raises: a cheap look tells others that they must read again.
CREATE TABLE changes (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    generation INTEGER NOT NULL
) STRICT;
INSERT INTO changes (id, generation) VALUES (1, 1);
