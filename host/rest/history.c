/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/internal.h"

int history_list(struct work *work)
{
    const struct manage_history_filter filter = {.session_id = work_query(work, "session_id"),
                                                 .connection_id = work_query(work, "connection_id"),
                                                 .tool = work_query(work, "tool"),
                                                 .status = work_query(work, "status"),
                                                 .user = work_query(work, "user"),
                                                 .from = work_query(work, "from"),
                                                 .to = work_query(work, "to"),
                                                 .cursor = work_query(work, "cursor"),
                                                 .limit = work_number(work, "limit")};
    return manage_history(work->service, work->principal, &filter, &work->out, &work->err);
}

int history_show(struct work *work)
{
    return manage_history_show(work->service, work->principal, work_part(work, 0), &work->out,
                               &work->err);
}
