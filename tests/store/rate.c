/* SPDX-License-Identifier: Apache-2.0 */
/* rate LOCATION ROWS: how many rows of history a second reach the database through the queue, and what they cost whoever appends them. */
#include "contract.h"

#include "base/process.h"

int main(int argc, char **argv)
{
    int64_t rows = 0;
    char user[ROW_ID];
    int64_t spent = 0;
    if (argc != 3 || str_to_int(argv[2], 1, INT32_MAX, &rows))
        return 2;
    struct store *store = open_store(argv[1]);
    make_user(store, user);
    struct session_row session = sample_session(user);
    struct history_row fixed = sample_history(user, &session);
    struct store_state state = {0};
    int64_t begin = clock_mono_ns();
    for (int64_t i = 0; i < rows; i++) {
        struct history_row row = sample_history(user, &session);
        memcpy(row.connection_id, fixed.connection_id, ROW_ID);
        int64_t before = clock_mono_ns();
        store_append_history(store, &row, &session);
        spent += clock_mono_ns() - before;
        store_state(store, &state);
        while (state.queued_bytes > 16u << 20) {
            sleep_ms(1);
            store_state(store, &state);
        }
    }
    flush(store);
    double seconds = (double)(clock_mono_ns() - begin) / 1e9;
    store_state(store, &state);
    struct process_usage usage;
    process_usage(&usage);
    printf(
        "%.0f rows/s, %.1f us of processor a row, %.2f us to append one; %llu written, %llu lost\n",
        (double)rows / seconds, (double)usage.cpu_ns / 1e3 / (double)rows,
        (double)spent / 1e3 / (double)rows, (unsigned long long)state.written_rows,
        (unsigned long long)state.lost_rows);
    begin = clock_mono_ns();
    for (int i = 0; i < 10000; i++)
        store_generation(store);
    printf("%.2f us to ask for the generation\n", (double)(clock_mono_ns() - begin) / 1e7);
    begin = clock_mono_ns();
    for (int i = 0; i < 200; i++)
        make_user(store, user);
    printf("%.2f ms to add a user\n", (double)(clock_mono_ns() - begin) / 200e6);
    store_close(store, NS_PER_S);
    return 0;
}
