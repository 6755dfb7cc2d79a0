/* SPDX-License-Identifier: Apache-2.0 */
/* What RFC 9112 says to refuse is refused, with the right status, however the bytes are cut; what it allows is read as meant. */
#include <stdio.h>
#include <string.h>

#include "cmocka_all.h"
#include "http/message.h"

#define TAIL "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
#define GET_HEAD "GET / HTTP/1.1\r\nHost: a\r\n"
#define POST_HEAD "POST / HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED POST_HEAD "Transfer-Encoding: chunked\r\n\r\n"

struct test_case {
    const char *name;
    const char *text;
    size_t size; /* 0: to the NUL */
    int status;  /* 0: accepted */
    const char *body;
};

#define WITH_NUL(name, text, status)               \
    {                                              \
        name, text, sizeof(text) - 1, status, NULL \
    }

static const struct test_case cases[] = {
    /* Lengths */
    {"two different lengths", POST_HEAD "Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde", 0,
     400, NULL},
    {"two equal lengths", POST_HEAD "Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd", 0, 400,
     NULL},
    {"length +4", POST_HEAD "Content-Length: +4\r\n\r\nabcd", 0, 400, NULL},
    {"length -4", POST_HEAD "Content-Length: -4\r\n\r\nabcd", 0, 400, NULL},
    {"length 0x4", POST_HEAD "Content-Length: 0x4\r\n\r\nabcd", 0, 400, NULL},
    {"length 4, 4", POST_HEAD "Content-Length: 4, 4\r\n\r\nabcd", 0, 400, NULL},
    {"length 4 4", POST_HEAD "Content-Length: 4 4\r\n\r\nabcd", 0, 400, NULL},
    {"length empty", POST_HEAD "Content-Length:\r\n\r\n", 0, 400, NULL},
    {"length blank", POST_HEAD "Content-Length:   \r\n\r\n", 0, 400, NULL},
    {"length of 2^64", POST_HEAD "Content-Length: 18446744073709551616\r\n\r\n", 0, 400, NULL},
    {"length of 2^64 - 1", POST_HEAD "Content-Length: 18446744073709551615\r\n\r\n", 0, 400, NULL},
    {"length of 30 digits", POST_HEAD "Content-Length: 100000000000000000000000000004\r\n\r\n", 0,
     400, NULL},
    /* Codings */
    {"coding, then length",
     POST_HEAD "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", 0, 400, NULL},
    {"length, then coding",
     POST_HEAD "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, 400, NULL},
    {"coding gzip", POST_HEAD "Transfer-Encoding: gzip\r\n\r\n", 0, 400, NULL},
    {"coding xchunked", POST_HEAD "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 0, 400, NULL},
    {"coding identity", POST_HEAD "Transfer-Encoding: identity\r\n\r\n", 0, 400, NULL},
    {"coding empty", POST_HEAD "Transfer-Encoding:\r\n\r\n", 0, 400, NULL},
    {"coding chunked with parameter", POST_HEAD "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n",
     0, 400, NULL},
    {"chunked not last", POST_HEAD "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 0, 400,
     NULL},
    {"chunked twice", POST_HEAD "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 0, 400,
     NULL},
    {"chunked and nothing", POST_HEAD "Transfer-Encoding: , chunked\r\n\r\n0\r\n\r\n", 0, 501,
     NULL},
    {"gzip, chunked", POST_HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 0, 501, NULL},
    {"gzip, chunked on two lines",
     POST_HEAD "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, 501,
     NULL},
    {"chunked on two lines",
     POST_HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, 400,
     NULL},
    {"chunked on HTTP/1.0",
     "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, 400, NULL},
    /* Chunks */
    {"chunk size 0x5", CHUNKED "0x5\r\nhello\r\n0\r\n\r\n", 0, 400, NULL},
    {"chunk size +5", CHUNKED "+5\r\nhello\r\n0\r\n\r\n", 0, 400, NULL},
    {"chunk size -5", CHUNKED "-5\r\nhello\r\n0\r\n\r\n", 0, 400, NULL},
    {"chunk size with blank before", CHUNKED " 5\r\nhello\r\n0\r\n\r\n", 0, 400, NULL},
    {"chunk size with blank after", CHUNKED "5 \r\nhello\r\n0\r\n\r\n", 0, 400, NULL},
    {"chunk size empty", CHUNKED "\r\nhello\r\n0\r\n\r\n", 0, 400, NULL},
    {"chunk size overflows", CHUNKED "10000000000000005\r\nhello\r\n0\r\n\r\n", 0, 400, NULL},
    {"chunk size of 64 bits", CHUNKED "ffffffffffffffff\r\nhello\r\n0\r\n\r\n", 0, 400, NULL},
    {"chunk beyond the limit", CHUNKED "fffffff\r\nhello\r\n0\r\n\r\n", 0, 413, NULL},
    {"bare LF after a size", CHUNKED "5\nhello\r\n0\r\n\r\n", 0, 400, NULL},
    {"bare LF after data", CHUNKED "5\r\nhello\n0\r\n\r\n", 0, 400, NULL},
    {"bare LF after an extension", CHUNKED "5;a\nhello\r\n0\r\n\r\n", 0, 400, NULL},
    {"bare LF after the last size", CHUNKED "5\r\nhello\r\n0\n\r\n", 0, 400, NULL},
    {"bare LF as end of trailers", CHUNKED "5\r\nhello\r\n0\r\nA: b\r\n\n", 0, 400, NULL},
    {"bare LF after a trailer", CHUNKED "5\r\nhello\r\n0\r\nA: b\n\r\n", 0, 400, NULL},
    {"lone CR after a size", CHUNKED "5\rhello\r\n0\r\n\r\n", 0, 400, NULL},
    {"lone CR after data", CHUNKED "5\r\nhello\r0\r\n\r\n", 0, 400, NULL},
    {"more data than the size", CHUNKED "5\r\nhelloo\r\n0\r\n\r\n", 0, 400, NULL},
    WITH_NUL("NUL in an extension", CHUNKED "5;a\0\r\nhello\r\n0\r\n\r\n", 400),
    {"folded trailer", CHUNKED "0\r\nA: b\r\n c\r\n\r\n", 0, 400, NULL},
    {"trailer without colon", CHUNKED "0\r\nA b\r\n\r\n", 0, 400, NULL},
    /* Bytes */
    WITH_NUL("NUL in a value", GET_HEAD "A: b\0c\r\n\r\n", 400),
    WITH_NUL("NUL in a name", GET_HEAD "A\0B: c\r\n\r\n", 400),
    WITH_NUL("NUL in the target", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    {"0x01 in a value", GET_HEAD "A: \x01\r\n\r\n", 0, 400, NULL},
    {"0x01 in a name", GET_HEAD "A\x01: b\r\n\r\n", 0, 400, NULL},
    {"0x7f in a value", GET_HEAD "A: \x7f\r\n\r\n", 0, 400, NULL},
    {"0x7f in a name", GET_HEAD "A\x7f: b\r\n\r\n", 0, 400, NULL},
    {"8 bits in a name", GET_HEAD "A\xc3\xa4: b\r\n\r\n", 0, 400, NULL},
    {"lone CR in a value", GET_HEAD "A: b\rc\r\n\r\n", 0, 400, NULL},
    {"lone CR as line end", GET_HEAD "A: b\rB: c\r\n\r\n", 0, 400, NULL},
    {"CR CR LF", GET_HEAD "A: b\r\r\n\r\n", 0, 400, NULL},
    {"no colon", GET_HEAD "A\r\n\r\n", 0, 400, NULL},
    {"empty name", GET_HEAD ": b\r\n\r\n", 0, 400, NULL},
    {"blank in a name", "GET / HTTP/1.1\r\nHo st: a\r\n\r\n", 0, 400, NULL},
    {"blank before the colon of a coding", POST_HEAD "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
     0, 400, NULL},
    {"tab before the colon of a coding", POST_HEAD "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n",
     0, 400, NULL},
    {"blank before the colon of a length", POST_HEAD "Content-Length : 4\r\n\r\nabcd", 0, 400,
     NULL},
    {"folded header", GET_HEAD "A: b\r\n c\r\n\r\n", 0, 400, NULL},
    {"header folded by tab", GET_HEAD "A: b\r\n\tc\r\n\r\n", 0, 400, NULL},
    {"folded coding", POST_HEAD "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 0, 400, NULL},
    {"fold as first line", "GET / HTTP/1.1\r\n Host: a\r\nHost: a\r\n\r\n", 0, 400, NULL},
    {"bare LF in the head", "GET / HTTP/1.1\nHost: a\n\n", 0, 400, NULL},
    {"bare LF after a header", "GET / HTTP/1.1\r\nHost: a\nA: b\r\n\r\n", 0, 400, NULL},
    {"bare LF as blank line", "GET / HTTP/1.1\r\nHost: a\r\n\n", 0, 400, NULL},
    /* The request line */
    {"tab as separator", "GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n", 0, 400, NULL},
    {"tab before the version", "GET /\tHTTP/1.1\r\nHost: a\r\n\r\n", 0, 400, NULL},
    {"method in lower case", "get / HTTP/1.1\r\nHost: a\r\n\r\n", 0, 400, NULL},
    {"method in mixed case", "Get / HTTP/1.1\r\nHost: a\r\n\r\n", 0, 400, NULL},
    {"unknown method", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 0, 501, NULL},
    {"method CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 0, 501, NULL},
    {"HTTP/0.9", "GET /\r\n", 0, 400, NULL},
    {"HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 0, 505, NULL},
    {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 0, 505, NULL},
    {"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0, 505, NULL},
    {"http/1.1 in lower case", "GET / http/1.1\r\nHost: a\r\n\r\n", 0, 400, NULL},
    {"HTTP/1.10", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", 0, 400, NULL},
    {"HTTP/11", "GET / HTTP/11\r\nHost: a\r\n\r\n", 0, 400, NULL},
    {"two blanks", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 0, 400, NULL},
    {"two blanks before the version", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 0, 400, NULL},
    {"blank in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 0, 400, NULL},
    {"blank at the end", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 0, 400, NULL},
    {"blank before the method", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", 0, 400, NULL},
    {"8 bits in the target", "GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n", 0, 400, NULL},
    {"# in the target", "GET /#a HTTP/1.1\r\nHost: a\r\n\r\n", 0, 400, NULL},
    {"no slash", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", 0, 400, NULL},
    {"* for GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 0, 400, NULL},
    {"absolute target of another scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 0, 400, NULL},
    {"absolute target with a user", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 0, 400, NULL},
    {"absolute target without host", "GET http:///a HTTP/1.1\r\nHost: a\r\n\r\n", 0, 400, NULL},
    {"two empty lines first", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 0, 400, NULL},
    {"TLS", "\x16\x03\x01\x02\x05\x01\x01\xfc\x03\x03", 0, 400, NULL},
    /* Headers that may come once */
    {"no Host", "GET / HTTP/1.1\r\n\r\n", 0, 400, NULL},
    {"no Host, another header", "GET / HTTP/1.1\r\nA: b\r\n\r\n", 0, 400, NULL},
    {"no Host on HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", 0, 400, NULL},
    {"two Hosts", GET_HEAD "Host: b\r\n\r\n", 0, 400, NULL},
    {"two equal Hosts", GET_HEAD "Host: a\r\n\r\n", 0, 400, NULL},
    {"two tokens", GET_HEAD "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n", 0, 400,
     NULL},
    {"two Origins", GET_HEAD "Origin: http://a\r\nOrigin: http://a\r\n\r\n", 0, 400, NULL},
    {"another expectation", POST_HEAD "Expect: 200-ok\r\nContent-Length: 1\r\n\r\na", 0, 417, NULL},
    /* Accepted */
    {"plain", GET_HEAD "\r\n", 0, 0, ""},
    {"one empty line first", "\r\n" GET_HEAD "\r\n", 0, 0, ""},
    {"no blank after the colon", "GET / HTTP/1.1\r\nHost:a\r\n\r\n", 0, 0, ""},
    {"blanks around a value", "GET / HTTP/1.1\r\nHost: \t a \t\r\n\r\n", 0, 0, ""},
    {"empty value", GET_HEAD "A:\r\n\r\n", 0, 0, ""},
    {"8 bits in a value", GET_HEAD "A: \xc3\xa4\xff\r\n\r\n", 0, 0, ""},
    {"HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\n\r\n", 0, 0, ""},
    {"length 0", POST_HEAD "Content-Length: 0\r\n\r\n", 0, 0, ""},
    {"length 4", POST_HEAD "Content-Length: 4\r\n\r\nabcd", 0, 0, "abcd"},
    {"length 4 of GET", GET_HEAD "Content-Length: 4\r\n\r\nabcd", 0, 0, "abcd"},
    {"chunks", CHUNKED "5\r\nhello\r\n1\r\n \r\nA;x=\"y\"\r\n0123456789\r\n0\r\n\r\n", 0, 0,
     "hello 0123456789"},
    {"no chunk", CHUNKED "0\r\n\r\n", 0, 0, ""},
    {"many zeros", CHUNKED "000\r\n\r\n", 0, 0, ""},
    {"CHUNKED", POST_HEAD "TRANSFER-ENCODING: CHUNKED\r\n\r\n1\r\na\r\n0\r\n\r\n", 0, 0, "a"},
    {"trailers", CHUNKED "1\r\na\r\n0\r\nContent-Length: 7\r\nHost: b\r\n\r\n", 0, 0, "a"},
    {"upgrade offered", GET_HEAD "Connection: upgrade\r\nUpgrade: h2c\r\n\r\n", 0, 0, ""},
    {"upgrade offered with a body",
     POST_HEAD "Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nab", 0, 0, "ab"},
    {"* for OPTIONS", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 0, 0, ""},
    {"method TRACE", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 0, 0, ""},
    {"absolute target", "GET http://a:80/ HTTP/1.1\r\nHost: a\r\n\r\n", 0, 0, ""},
};

struct outcome {
    enum message_event event;
    size_t used; /* of all bytes */
};

/* Reads of the given sizes in turn, the last one to the end. */
static struct outcome feed(struct message *message, const char *data, size_t size, size_t first,
                           size_t step)
{
    struct outcome outcome = {MESSAGE_MORE, 0};
    size_t end = first < size ? first : size;
    for (;;) {
        size_t used = 0;
        outcome.event = message_feed(message, data + outcome.used, end - outcome.used, &used);
        outcome.used += used;
        assert_true(outcome.used <= end);
        if (outcome.event == MESSAGE_DONE || outcome.event == MESSAGE_REFUSED)
            return outcome;
        if (outcome.event == MESSAGE_MORE) {
            assert_int_equal(outcome.used, end); /* MORE has taken all */
            if (end == size)
                return outcome;
            end = end + step < size ? end + step : size;
        }
    }
}

static void check(const struct test_case *c, const char *data, size_t size, size_t message_size,
                  size_t first, size_t step)
{
    struct message message;
    message_init(&message, 100000);
    struct outcome outcome = feed(&message, data, size, first, step);
    int status = outcome.event == MESSAGE_REFUSED ? message.refusal.status : 0;
    if (status != c->status || (!status && outcome.event != MESSAGE_DONE))
        fail_msg("%s, cut at %zu and every %zu: event %d, status %d instead of %d (%s)", c->name,
                 first, step, (int)outcome.event, status, c->status,
                 message.refusal.detail ? message.refusal.detail : "");
    if (status) {
        size_t used = 1;
        assert_true(message.refusal.detail[0]);
        /* What follows is never looked at. */
        assert_int_equal(message_feed(&message, TAIL, sizeof TAIL - 1, &used), MESSAGE_REFUSED);
        assert_int_equal(used, 0);
    } else {
        if (outcome.used != message_size)
            fail_msg("%s, cut at %zu: %zu bytes taken of %zu", c->name, first, outcome.used,
                     message_size);
        assert_int_equal(message.body_size, strlen(c->body));
        assert_memory_equal(message.body_size ? message.body : "", c->body, strlen(c->body));
    }
    message_finish(&message);
}

static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct test_case *c = &cases[i];
        size_t message_size = c->size ? c->size : strlen(c->text);
        size_t size = message_size + sizeof TAIL - 1;
        char data[1024];
        assert_true(size <= sizeof data);
        memcpy(data, c->text, message_size);
        memcpy(data + message_size, TAIL, sizeof TAIL - 1);
        check(c, data, size, message_size, size, size);
        check(c, data, size, message_size, 1, 1);
        for (size_t cut = 1; cut < size; cut++)
            check(c, data, size, message_size, cut, size);
    }
}

static int status_of(struct message *message, const char *data, size_t size)
{
    message_init(message, 1000);
    struct outcome outcome = feed(message, data, size, size, 1);
    return outcome.event == MESSAGE_REFUSED ? message->refusal.status
           : outcome.event == MESSAGE_DONE  ? 0
                                            : -1;
}

static size_t fill(char *out, const char *before, char byte, size_t n, const char *after)
{
    size_t a = strlen(before), b = strlen(after);
    memcpy(out, before, a);
    memset(out + a, byte, n);
    memcpy(out + a + n, after, b);
    return a + n + b;
}

static void test_limits(void **state)
{
    (void)state;
    static char data[64 * 1024];
    struct message message;
    size_t n = fill(data, "GET /", 'a', URI_MAX_BYTES - 1, " HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(status_of(&message, data, n), 0);
    assert_int_equal(strlen(message.path), URI_MAX_BYTES);
    message_finish(&message);
    n = fill(data, "GET /", 'a', URI_MAX_BYTES, " HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(status_of(&message, data, n), 414);
    message_finish(&message);
    /* Refused without the end of the line. */
    n = fill(data, "GET /", 'a', 2 * URI_MAX_BYTES, "");
    assert_int_equal(status_of(&message, data, n), 414);
    message_finish(&message);
    n = fill(data, GET_HEAD "A: ", 'a', HEAD_MAX_BYTES - 100, "\r\n\r\n");
    assert_int_equal(status_of(&message, data, n), 0);
    message_finish(&message);
    n = fill(data, GET_HEAD "A: ", 'a', HEAD_MAX_BYTES, "");
    assert_int_equal(status_of(&message, data, n), 431);
    message_finish(&message);
    for (int lines = 63; lines <= 64; lines++) {
        n = fill(data, GET_HEAD, 'a', 0, "");
        for (int i = 0; i < lines; i++)
            n += fill(data + n, "A: b\r\n", 'a', 0, "");
        n += fill(data + n, "\r\n", 'a', 0, "");
        assert_int_equal(status_of(&message, data, n), lines == 63 ? 0 : 431);
        message_finish(&message);
    }
    n = fill(data, POST_HEAD "Content-Length: 1000\r\n\r\n", 'a', 1000, "");
    assert_int_equal(status_of(&message, data, n), 0);
    assert_int_equal(message.body_size, 1000);
    message_finish(&message);
    n = fill(data, POST_HEAD "Content-Length: 1001\r\n\r\n", 'a', 1001, "");
    assert_int_equal(status_of(&message, data, n), 413);
    message_finish(&message);
}

/* Long extensions, long trailers and chunks of one byte cost more than they carry. */
static void test_framing_costs(void **state)
{
    (void)state;
    static char data[256 * 1024];
    struct message message;
    size_t n = fill(data, CHUNKED "5;", 'a', 300, "\r\nhello\r\n0\r\n\r\n");
    assert_int_equal(status_of(&message, data, n), 400);
    message_finish(&message);
    n = fill(data, CHUNKED "0\r\nA: ", 'a', 5000, "\r\n\r\n");
    assert_int_equal(status_of(&message, data, n), 431);
    message_finish(&message);
    n = fill(data, CHUNKED, 'a', 0, "");
    for (int i = 0; i < 900; i++)
        n += fill(data + n, "1;", 'x', 200, "\r\na\r\n");
    assert_int_equal(status_of(&message, data, n), 400);
    message_finish(&message);
}

static void test_texts(void **state)
{
    (void)state;
    static const char text[] = "POST /a%2Fb?c=%20d HTTP/1.1\r\nHost: x:1\r\nX-One:  first \r\n"
                               "x-one: second\r\nAuthorization: Bearer secret-word\r\n"
                               "Expect: 100-Continue\r\nContent-Length: 3\r\n\r\nxyz";
    struct message message;
    assert_int_equal(status_of(&message, text, sizeof text - 1), 0);
    assert_string_equal(message.method, "POST");
    assert_string_equal(message.path, "/a%2Fb");
    assert_string_equal(message.query, "c=%20d");
    assert_string_equal(message_header(&message, "host"), "x:1");
    assert_string_equal(message_header(&message, "X-ONE"), "first");
    assert_int_equal(message_header_count(&message, "x-One"), 2);
    assert_null(message_header(&message, "X-On"));
    assert_null(message.authority);
    assert_true(message.expects);
    assert_true(message.keep_alive);
    const char *value = message_header(&message, "Authorization");
    assert_string_equal(value, "Bearer secret-word");
    message_wipe_header(&message, "authorization");
    assert_null(message_header(&message, "Authorization"));
    for (size_t i = 0; i < sizeof "Bearer secret-word"; i++)
        assert_int_equal(value[i], 0);
    message_finish(&message);

    static const char closing[] = GET_HEAD "Connection: TE, Close\r\n\r\n";
    assert_int_equal(status_of(&message, closing, sizeof closing - 1), 0);
    assert_false(message.keep_alive);
    message_finish(&message);
    static const char old[] = "GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n";
    assert_int_equal(status_of(&message, old, sizeof old - 1), 0);
    assert_false(message.keep_alive);
    message_finish(&message);
}

static void test_absolute_targets(void **state)
{
    (void)state;
    static const struct {
        const char *target, *authority, *path, *query;
    } targets[] = {
        {"http://b:80/p/q?r", "b:80", "/p/q", "r"},  {"HTTPS://b", "b", "/", ""},
        {"http://b?q=1", "b", "/", "q=1"},           {"http://[::1]:7/", "[::1]:7", "/", ""},
        {"http://b/http://c", "b", "/http://c", ""},
    };
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        char text[256];
        int n =
            snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", targets[i].target);
        struct message message;
        assert_int_equal(status_of(&message, text, (size_t)n), 0);
        assert_string_equal(message.authority, targets[i].authority);
        assert_string_equal(message.path, targets[i].path);
        assert_string_equal(message.query, targets[i].query);
        message_finish(&message);
    }
}

/* A claimed length is not memory. */
static void test_memory_follows_bytes(void **state)
{
    (void)state;
    static const char text[] = POST_HEAD "Content-Length: 90000000\r\n\r\nabc";
    struct message message;
    message_init(&message, 100000000);
    assert_int_equal(feed(&message, text, sizeof text - 1, sizeof text, 1).event, MESSAGE_MORE);
    assert_true(message.body_capacity < 100000);
    message_finish(&message);
}

static void test_discard(void **state)
{
    (void)state;
    static const char text[] = POST_HEAD "Content-Length: 4\r\n\r\nabcd" TAIL;
    struct message message;
    message_init(&message, 1000);
    size_t used = 0;
    assert_int_equal(message_feed(&message, text, sizeof text - 1, &used), MESSAGE_HEAD);
    message.discard = true;
    size_t more = 0;
    assert_int_equal(message_feed(&message, text + used, sizeof text - 1 - used, &more),
                     MESSAGE_DONE);
    assert_int_equal(more, 4);
    assert_int_equal(message.body_size, 0);
    message_finish(&message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_framing_costs),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_absolute_targets),
        cmocka_unit_test(test_memory_follows_bytes),
        cmocka_unit_test(test_discard),
    };
    print_message("parser: %s\n", parser_name());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
