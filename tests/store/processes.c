/* SPDX-License-Identifier: Apache-2.0 */
/*
 * processes LOCATION SECONDS: eight processes write users, tokens, connections and history to one file; two are killed on the way. What was
 * acknowledged must be there, and the file be whole. Then one process is killed in full stride, to see how much of its history goes with it.
 */
#include "contract.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#define WRITERS 8
#define KILLED 2

enum note_type { NOTE_USER, NOTE_TOKEN, NOTE_CONNECTION, NOTE_HISTORY };

/* One line of the common pipe; shorter than PIPE_BUF, so that lines never mix. */
struct note {
    int writer;
    enum note_type type;
    int64_t time_ns;
    char id[ROW_ID];
    char owner[ROW_ID];
};

struct notes {
    struct note *list;
    size_t count, room;
};

static void tell(int fd, int writer, enum note_type type, const char *id, const char *owner)
{
    struct note note = {.writer = writer, .type = type, .time_ns = clock_mono_ns()};
    memcpy(note.id, id, ROW_ID);
    memcpy(note.owner, owner, ROW_ID);
    CHECK(write(fd, &note, sizeof note) == sizeof note);
}

static void add_people(struct store *store, int fd, int writer, int round)
{
    struct err err = {0};
    char name[64];
    struct user_row user = {.name = name, .created_ms = NOW_MS};
    uuid7(user.id);
    snprintf(name, sizeof name, "w%d-%d-%d", writer, (int)getpid(), round);
    int r = store_user_add(store, &user, &err);
    if (r == ERR_BUSY) /* allowed: nothing was acknowledged */
        return;
    FINE(r);
    tell(fd, writer, NOTE_USER, user.id, user.id);
    struct token_row token = {.name = "t", .prefix = "p", .rights = 1, .created_ms = NOW_MS};
    uuid7(token.id);
    memcpy(token.user_id, user.id, ROW_ID);
    rand_bytes(token.hash, sizeof token.hash);
    r = store_token_add(store, &token, &err);
    if (!r)
        tell(fd, writer, NOTE_TOKEN, token.id, user.id);
    CHECK(!r || r == ERR_BUSY);
    struct connection_row row = sample_connection(user.id, "one");
    r = store_connection_add(store, &row, &err);
    if (!r)
        tell(fd, writer, NOTE_CONNECTION, row.id, user.id);
    CHECK(!r || r == ERR_BUSY);
}

static void write_on(const char *location, int fd, int writer, int64_t until_ns, bool people)
{
    struct store *store = open_store(location);
    char user[ROW_ID];
    make_user(store, user);
    struct session_row session = sample_session(user);
    for (int round = 0; clock_mono_ns() < until_ns; round++) {
        for (int i = 0; i < 5; i++) {
            struct history_row row = sample_history(user, &session);
            store_append_history(store, &row, &session);
            tell(fd, writer, NOTE_HISTORY, row.id, user);
            sleep_ms(people ? 2 : 1);
        }
        if (people)
            add_people(store, fd, writer, round);
    }
    store_close(store, 60 * NS_PER_S);
}

static pid_t start(const char *location, int fd, int writer, int64_t until_ns, bool people)
{
    pid_t child = fork();
    CHECK(child >= 0);
    if (child)
        return child;
    write_on(location, fd, writer, until_ns, people);
    exit(0);
}

/* Reads notes until deadline, or the end of them. */
static void read_notes(int fd, struct notes *notes, int64_t deadline_ns)
{
    int flags = fcntl(fd, F_GETFL);
    CHECK(fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0);
    while (clock_mono_ns() < deadline_ns) {
        struct note note;
        ssize_t n = read(fd, &note, sizeof note);
        if (n == 0)
            return;
        if (n < 0) {
            CHECK(errno == EAGAIN || errno == EINTR);
            sleep_ms(2);
            continue;
        }
        CHECK(n == sizeof note);
        if (notes->count == notes->room) {
            notes->room = notes->room ? 2 * notes->room : 4096;
            notes->list = mem_resize(notes->list, notes->room, sizeof note);
            CHECK(notes->list);
        }
        notes->list[notes->count++] = note;
    }
}

static bool is_there(struct store *store, struct arena *arena, const struct note *note)
{
    struct err err = {0};
    struct user_row user;
    struct token_row *tokens = NULL;
    struct connection_row connection;
    struct history_row row;
    size_t n = 0;
    switch (note->type) {
    case NOTE_USER:
        return !store_user_find(store, note->id, NULL, NULL, arena, &user, &err);
    case NOTE_TOKEN:
        FINE(store_tokens(store, note->owner, arena, &tokens, &n, &err));
        return n == 1 && str_eq(tokens[0].id, note->id);
    case NOTE_CONNECTION:
        return !store_connection_get(store, note->owner, note->id, arena, &connection, &err);
    case NOTE_HISTORY:
        return !store_history_get(store, note->owner, note->id, arena, &row, &err);
    }
    return false;
}

static void check_integrity(const char *path)
{
    sqlite3 *db;
    sqlite3_stmt *statement;
    CHECK(sqlite3_open(path, &db) == SQLITE_OK);
    CHECK(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &statement, NULL) == SQLITE_OK);
    CHECK(sqlite3_step(statement) == SQLITE_ROW);
    CHECK(str_eq((const char *)sqlite3_column_text(statement, 0), "ok"));
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

/* ended: when each writer was killed, 0 for those who were not. */
static void check_notes(const char *location, const struct notes *notes, const int64_t *ended)
{
    size_t counts[4] = {0};
    size_t lost = 0;
    int64_t worst_ns = 0;
    struct store *store = open_store(location);
    for (size_t i = 0; i < notes->count; i++) {
        ARENA(arena);
        const struct note *note = &notes->list[i];
        counts[note->type]++;
        if (is_there(store, &arena, note))
            continue;
        if (note->type != NOTE_HISTORY || !ended[note->writer])
            fprintf(stderr, "writer %d: note of type %d with id %s is lost\n", note->writer,
                    (int)note->type, note->id);
        CHECK(note->type == NOTE_HISTORY && ended[note->writer]);
        lost++;
        int64_t age = ended[note->writer] - note->time_ns;
        worst_ns = age > worst_ns ? age : worst_ns;
    }
    printf(
        "%zu users, %zu tokens, %zu connections, %zu rows of history acknowledged; of the killed "
        "ones' history %zu rows were lost, the oldest %.0f ms old\n",
        counts[NOTE_USER], counts[NOTE_TOKEN], counts[NOTE_CONNECTION], counts[NOTE_HISTORY], lost,
        (double)worst_ns / 1e6);
    CHECK(counts[NOTE_USER] && counts[NOTE_HISTORY]);
    /* A hundred milliseconds where the machine has time for it; the bound here is for one that has none. */
    CHECK(worst_ns < 5 * NS_PER_S);
    store_close(store, NS_PER_S);
}

static void run_many(const char *location, int64_t seconds)
{
    int pipes[2];
    pid_t writers[WRITERS];
    int64_t ended[WRITERS] = {0};
    struct notes notes = {0};
    int64_t begin = clock_mono_ns();
    int64_t until = begin + seconds * NS_PER_S;
    CHECK(pipe(pipes) == 0);
    for (int i = 0; i < WRITERS; i++)
        writers[i] = start(location, pipes[1], i, until, true);
    close(pipes[1]);
    for (int i = 0; i < KILLED; i++) {
        read_notes(pipes[0], &notes, begin + (i + 1) * seconds * NS_PER_S / (KILLED + 1));
        CHECK(kill(writers[i], SIGKILL) == 0);
        ended[i] = clock_mono_ns();
    }
    read_notes(pipes[0], &notes, INT64_MAX);
    for (int i = 0; i < WRITERS; i++) {
        int status;
        CHECK(waitpid(writers[i], &status, 0) == writers[i]);
        CHECK(i < KILLED ? WIFSIGNALED(status) : status == 0);
    }
    close(pipes[0]);
    check_integrity(location);
    check_notes(location, &notes, ended);
    mem_free(notes.list);
}

static void run_killed(const char *location)
{
    int pipes[2];
    int64_t ended[1];
    struct notes notes = {0};
    int status;
    CHECK(pipe(pipes) == 0);
    pid_t writer = start(location, pipes[1], 0, INT64_MAX, false);
    close(pipes[1]);
    /* Its user is one to count, too. */
    struct store *store = open_store(location);
    char user[ROW_ID];
    make_user(store, user);
    struct note own = {.type = NOTE_USER};
    memcpy(own.id, user, ROW_ID);
    store_close(store, 0);
    read_notes(pipes[0], &notes, clock_mono_ns() + NS_PER_S);
    CHECK(kill(writer, SIGKILL) == 0);
    ended[0] = clock_mono_ns();
    CHECK(waitpid(writer, &status, 0) == writer && WIFSIGNALED(status));
    read_notes(pipes[0], &notes, INT64_MAX);
    close(pipes[0]);
    notes.list = mem_resize(notes.list, notes.count + 1, sizeof own);
    CHECK(notes.list);
    notes.list[notes.count++] = own;
    check_notes(location, &notes, ended);
    mem_free(notes.list);
}

int main(int argc, char **argv)
{
    int64_t seconds = 0;
    if (argc != 3 || str_to_int(argv[2], 1, 3600, &seconds))
        return 2;
    run_many(argv[1], seconds);
    run_killed(argv[1]);
    return 0;
}
