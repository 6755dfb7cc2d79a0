/* SPDX-License-Identifier: Apache-2.0 */
/* The table of operations, and how a driver begins and ends. */
#include <errno.h>
#include <string.h>
#include "base/mem.h"
#include "base/thread.h"
#include "store/postgres/internal.h"

static void pg_close(struct driver *driver)
{
    pg_notices_finish(driver);
    for (size_t i = 0; i < POOL_SIZE; i++)
        pg_disconnect(&driver->conns[i]);
    pg_address_finish(&driver->address);
    pthread_cond_destroy(&driver->given_back);
    pthread_mutex_destroy(&driver->lock);
    mem_free(driver);
}

static int pg_open(const char *location, struct driver **ret_driver, struct err *err)
{
    struct address address;
    int r = pg_address_parse(location, &address, err);
    if (r != 0)
        return r;
    struct driver *driver = mem_alloc(sizeof *driver);
    if (!driver) {
        pg_address_finish(&address);
        return err_set(err, ERR_MEMORY, "out of memory");
    }
    driver->address = address;
    atomic_store(&driver->can_notify, true);
    pthread_mutex_init(&driver->lock, NULL);
    r = cond_init(&driver->given_back);
    if (r != 0) {
        pg_address_finish(&driver->address);
        mem_free(driver);
        return err_set(err, ERR_SYSTEM, "no condition variable is to be had");
    }
    r = pg_notices_init(driver, err);
    if (r == 0)
        r = pg_operate(driver, READS, pg_notices_begin, driver, err);
    if (r != 0) {
        pg_close(driver);
        return r;
    }
    *ret_driver = driver;
    return 0;
}

const struct driver_table driver_postgres = {
    .open = pg_open,
    .close = pg_close,
    .migrations = pg_migrations,
    .migrate = pg_migrate,
    .facts = pg_facts,
    .check_schema = pg_check_schema,
    .generation = pg_generation,
    .wait_change = pg_wait_change,
    .stop_waiting = pg_stop_waiting,
    .user_add = pg_user_add,
    .users = pg_users,
    .user_find = pg_user_find,
    .user_disable = pg_user_disable,
    .token_add = pg_token_add,
    .tokens = pg_tokens,
    .token_revoke = pg_token_revoke,
    .connection_add = pg_connection_add,
    .connections = pg_connections,
    .connection_get = pg_connection_get,
    .connection_update = pg_connection_update,
    .connection_delete = pg_connection_delete,
    .connection_health = pg_connection_health,
    .connections_sync = pg_connections_sync,
    .connections_scan = pg_connections_scan,
    .connection_rewrap = pg_connection_rewrap,
    .setting_get = pg_setting_get,
    .setting_init = pg_setting_init,
    .setting_swap = pg_setting_swap,
    .replica_beat = pg_replica_beat,
    .replica_gone = pg_replica_gone,
    .replicas = pg_replicas,
    .history = pg_history,
    .history_get = pg_history_get,
    .get_cache = pg_get_cache,
    .sweep = pg_sweep,
    .write_batch = pg_write_batch,
};
