/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/internal.h"

int connections_list(struct work *work)
{
    const struct manage_filter filter = {.backend_type = work_query(work, "backend_type"),
                                         .tag = work_query(work, "tag"),
                                         .cursor = work_query(work, "cursor"),
                                         .limit = work_number(work, "limit")};
    return manage_list(work->service, work->principal, &filter, &work->out, &work->err);
}

int connections_add(struct work *work)
{
    int r = manage_add(work->service, work->principal, work->body, work->body_size, "rest",
                       &work->out, work->id, &work->mistakes, &work->err);
    work->revision = 1; /* of a row that is new */
    return r;
}

int connections_show(struct work *work)
{
    return manage_show(work->service, work->principal, work_part(work, 0), &work->out,
                       &work->revision, &work->err);
}

/* A conflict is either of the two: the revision has moved on, or another connection has the name. */
static int tell_conflict(struct work *work)
{
    struct buf now = BUF(REST_MAX_ANSWER);
    struct err ignored = {0};
    uint64_t revision = 0;
    int r =
        manage_show(work->service, work->principal, work_part(work, 0), &now, &revision, &ignored);
    buf_finish(&now);
    work->revision = !r && work->conditional && revision != work->if_match ? revision : 0;
    return ERR_CONFLICT;
}

int connections_edit(struct work *work)
{
    int r =
        manage_edit(work->service, work->principal, work_part(work, 0), work->body, work->body_size,
                    work->if_match, &work->out, &work->revision, &work->mistakes, &work->err);
    return r == ERR_CONFLICT ? tell_conflict(work) : r;
}

int connections_remove(struct work *work)
{
    int r = manage_remove(work->service, work->principal, work_part(work, 0), work->if_match,
                          &work->err);
    return r == ERR_CONFLICT ? tell_conflict(work) : r;
}

int connections_test(struct work *work)
{
    return manage_test(work->service, work->call, work_part(work, 0), &work->out, &work->err);
}

int backends_list(struct work *work)
{
    return manage_backends(work->service, &work->out, &work->err);
}
