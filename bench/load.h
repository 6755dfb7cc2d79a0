/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What drives one server: requests in flight over a child's pipes or over kept HTTP connections.
 *
 * Ownership: load_end gives back what load_spawn and load_url took; a work's times are the caller's to free. Threads: one.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LOAD_LANES 256
#define LOAD_FEW 8 /* numbers that @F@ becomes */

enum load_how { LOAD_STDIO, LOAD_POST, LOAD_GET };

struct bytes {
    char *data;
    size_t size;
    size_t capacity;
};

/* One request in flight. */
struct lane {
    bool busy;
    bool big;
    double started;
    /* HTTP only. */
    int fd;
    struct bytes in; /* the head, and the body where it is kept */
    bool head_done;
    bool chunked;
    bool bad;
    size_t body;    /* bytes of it so far */
    size_t left;    /* of the body, or of the chunk */
    char frame[32]; /* a chunk's head as it comes */
    size_t frame_size;
};

struct times {
    float *ms;
    size_t count;
    size_t capacity;
    size_t errors;
    size_t bytes;
};

struct work {
    const char *template[2]; /* small, big */
    size_t lanes[2];
    double seconds;   /* until no more is sent */
    size_t max_calls; /* instead of seconds: so many small ones */
    bool keep;        /* the answer goes to load->kept */
    /* Out. */
    struct times times[2];
};

struct load {
    enum load_how how;
    pid_t child;
    int to;   /* the child's input */
    int from; /* its output */
    struct bytes out;
    size_t out_done;
    struct bytes in;
    size_t scanned;
    struct sockaddr_in address;
    char host[128];
    char path[256];
    struct bytes headers;
    struct bytes kept;
    uint64_t next;
    size_t sent;
    double until;
    struct work *work;
    struct lane lanes[LOAD_LANES];
};

void load_fail(const char *what) __attribute__((noreturn));
double load_now(void);
void bytes_add(struct bytes *bytes, const void *data, size_t size);
char *bytes_room(struct bytes *bytes, size_t size);

void load_spawn(struct load *load, char **command);
void load_url(struct load *load, const char *url);
double load_start(char **command);
void load_header(struct load *load, const char *text);
void load_note(struct load *load, const char *text);
/* Seconds from the first request to the last answer. */
double load_run(struct load *load, struct work *work);
void load_end(struct load *load);

/* Between load_run.c and load_http.c. */
void load_text(struct load *load, struct bytes *to, const char *template, uint64_t number);
void load_answered(struct load *load, struct lane *lane, size_t bytes, bool error);
bool load_is_error(const char *text, size_t size);
void http_begin(struct load *load, struct lane *lane, const char *template, uint64_t number);
void http_read(struct load *load, struct lane *lane);

#endif
