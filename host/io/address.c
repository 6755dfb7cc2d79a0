/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "io/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

struct range4 {
    uint32_t network;
    uint8_t bits;
    bool operator_may;
    const char *what;
};

#define V4(a, b, c, d) \
    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

/* First match wins: single metadata addresses stand before the ranges that hold them. */
static const struct range4 ranges4[] = {
    {V4(169, 254, 169, 254), 32, false, "a cloud metadata address"}, /* AWS, Azure, GCP and more */
    {V4(169, 254, 170, 2), 32, false, "a cloud metadata address"},   /* ECS task roles */
    {V4(169, 254, 170, 23), 32, false, "a cloud metadata address"},  /* EKS pod identity */
    {V4(169, 254, 169, 253), 32, false, "a cloud metadata address"}, /* AWS resolver */
    {V4(100, 100, 100, 200), 32, false, "a cloud metadata address"}, /* Alibaba */
    {V4(168, 63, 129, 16), 32, false, "a cloud metadata address"},   /* Azure host */
    {V4(192, 0, 0, 192), 32, false, "a cloud metadata address"},     /* Oracle */
    {V4(0, 0, 0, 0), 8, false, "an unspecified address"},
    {V4(224, 0, 0, 0), 4, false, "a multicast address"},
    {V4(240, 0, 0, 0), 4, false, "a reserved address"},
    {V4(127, 0, 0, 0), 8, true, "a loopback address"},
    {V4(169, 254, 0, 0), 16, true, "a link-local address"},
    {V4(10, 0, 0, 0), 8, true, "a private address"},
    {V4(172, 16, 0, 0), 12, true, "a private address"},
    {V4(192, 168, 0, 0), 16, true, "a private address"},
    {V4(100, 64, 0, 0), 10, true, "a shared (carrier-grade NAT) address"},
    {V4(192, 0, 0, 0), 24, true, "a reserved address"},
    {V4(198, 18, 0, 0), 15, true, "a benchmarking address"},
};

struct range6 {
    uint8_t prefix[16];
    uint8_t bits;
    bool operator_may;
    const char *what;
};

static const struct range6 ranges6[] = {
    {{0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54},
     128,
     false,
     "a cloud metadata address"}, /* AWS */
    {{0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x23},
     128,
     false,
     "a cloud metadata address"}, /* EKS */
    {{0xfd, 0x20, 0x00, 0xce, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54},
     128,
     false,
     "a cloud metadata address"}, /* GCP */
    {{0}, 128, false, "an unspecified address"},
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, true, "a loopback address"},
    {{0xff}, 8, false, "a multicast address"},
    {{0xfe, 0x80}, 10, true, "a link-local address"},
    {{0xfe, 0xc0}, 10, true, "a private address"}, /* site-local, deprecated */
    {{0xfc}, 7, true, "a private address"},
};

static const char *refusal4(uint32_t address, bool from_operator)
{
    for (size_t i = 0; i < ARRAY_SIZE(ranges4); i++) {
        const struct range4 *range = &ranges4[i];
        uint32_t mask = (uint32_t)(UINT64_C(0xffffffff) << (32 - range->bits));
        if ((address & mask) == range->network)
            return range->operator_may && from_operator ? NULL : range->what;
    }
    return NULL;
}

static bool has_prefix6(const uint8_t *address, const uint8_t *prefix, unsigned bits)
{
    unsigned whole = bits / 8;
    if (memcmp(address, prefix, whole) != 0)
        return false;
    unsigned rest = bits % 8;
    return !rest || address[whole] >> (8 - rest) == prefix[whole] >> (8 - rest);
}

static const char *refusal6(const uint8_t *address, bool from_operator)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    static const uint8_t nat64[12] = {0, 0x64, 0xff, 0x9b};
    static const uint8_t compatible[12] = {0};
    static const uint8_t six_to_four[2] = {0x20, 0x02};
    for (size_t i = 0; i < ARRAY_SIZE(ranges6); i++) {
        const struct range6 *range = &ranges6[i];
        if (has_prefix6(address, range->prefix, range->bits))
            return range->operator_may && from_operator ? NULL : range->what;
    }
    const uint8_t *inner = NULL;
    if (has_prefix6(address, mapped, 96) || has_prefix6(address, nat64, 96) ||
        has_prefix6(address, compatible, 96))
        inner = address + 12;
    else if (has_prefix6(address, six_to_four, 16)) /* RFC 3056 */
        inner = address + 2;
    if (!inner)
        return NULL;
    return refusal4(V4(inner[0], inner[1], inner[2], inner[3]), from_operator);
}

const char *address_refusal(const struct sockaddr *address, bool from_operator)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        return refusal4(ntohl(in.sin_addr.s_addr), from_operator);
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof in6);
        return refusal6(in6.sin6_addr.s6_addr, from_operator);
    }
    return "not an internet address";
}

void address_text(const struct sockaddr *address, bool brackets, char out[ADDRESS_TEXT])
{
    char text[INET6_ADDRSTRLEN] = "";
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        inet_ntop(AF_INET, &in.sin_addr, text, sizeof text);
        brackets = false;
    } else if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof in6);
        inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof text);
    }
    snprintf(out, ADDRESS_TEXT, brackets ? "[%s]" : "%s", text);
}

bool address_parse(const char *host, struct sockaddr_storage *ret_address)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, host, &in.sin_addr) == 1) {
        *ret_address = (struct sockaddr_storage){0};
        memcpy(ret_address, &in, sizeof in);
        return true;
    }
    if (inet_pton(AF_INET6, host, &in6.sin6_addr) == 1) {
        *ret_address = (struct sockaddr_storage){0};
        memcpy(ret_address, &in6, sizeof in6);
        return true;
    }
    return false;
}
