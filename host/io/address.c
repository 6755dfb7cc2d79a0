/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "io/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "io/policy.h"

struct range4 {
    uint32_t network;
    uint8_t bits;
    bool operator_may;
    const char *what;
};

#define METADATA "a cloud metadata address"
#define V4(a, b, c, d) \
    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

/* First match wins: single metadata addresses stand before the ranges that hold them. */
static const struct range4 ranges4[] = {
    {V4(169, 254, 169, 0), 24, false,
     METADATA}, /* AWS, Azure, GCP and most others; AWS's resolver */
    {V4(169, 254, 170, 0), 24, false, METADATA},   /* ECS task roles, EKS pod identity */
    {V4(169, 254, 0, 23), 32, false, METADATA},    /* Tencent */
    {V4(169, 254, 42, 42), 32, false, METADATA},   /* Scaleway */
    {V4(100, 100, 100, 200), 32, false, METADATA}, /* Alibaba */
    {V4(168, 63, 129, 16), 32, false, METADATA},   /* Azure host */
    {V4(192, 0, 0, 192), 32, false, METADATA},     /* Oracle */
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
     METADATA}, /* AWS */
    {{0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x23},
     128,
     false,
     METADATA}, /* EKS */
    {{0xfd, 0x20, 0x00, 0xce, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54},
     128,
     false,
     METADATA}, /* GCP */
    {{0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x53},
     128,
     false,
     METADATA}, /* AWS resolver */
    {{0xfd, 0, 0, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x42},
     128,
     false,
     METADATA}, /* Scaleway */
    {{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xa9, 0xfe, 0xa9, 0xfe},
     128,
     false,
     METADATA}, /* OpenStack */
    {{0}, 128, false, "an unspecified address"},
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, true, "a loopback address"},
    {{0xff}, 8, false, "a multicast address"},
    {{0xfe, 0x80}, 10, true, "a link-local address"},
    {{0xfe, 0xc0}, 10, true, "a private address"}, /* site-local, deprecated */
    {{0xfc}, 7, true, "a private address"},
};

/* What an address is, if not a public one. */
struct judgement {
    const char *what; /* NULL: public */
    bool never;       /* nobody may */
};

static struct judgement judge4(const uint8_t *bytes)
{
    uint32_t address = V4(bytes[0], bytes[1], bytes[2], bytes[3]);
    for (size_t i = 0; i < ARRAY_SIZE(ranges4); i++) {
        const struct range4 *range = &ranges4[i];
        uint32_t mask = (uint32_t)(UINT64_C(0xffffffff) << (32 - range->bits));
        if ((address & mask) == range->network)
            return (struct judgement){range->what, !range->operator_may};
    }
    return (struct judgement){0};
}

static bool has_prefix6(const uint8_t *address, const uint8_t *prefix, unsigned bits)
{
    unsigned whole = bits / 8;
    if (memcmp(address, prefix, whole) != 0)
        return false;
    unsigned rest = bits % 8;
    return !rest || address[whole] >> (8 - rest) == prefix[whole] >> (8 - rest);
}

/* The IPv4 address a gateway would go on to, or false. */
static bool embedded(const uint8_t *address, uint8_t out[4])
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    static const uint8_t translated[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}; /* RFC 2765 */
    static const uint8_t nat64[12] = {0, 0x64, 0xff, 0x9b};
    static const uint8_t local_nat64[6] = {0, 0x64, 0xff, 0x9b, 0, 1}; /* RFC 8215 */
    static const uint8_t compatible[12] = {0};
    static const uint8_t six_to_four[2] = {0x20, 0x02}; /* RFC 3056 */
    static const uint8_t teredo[4] = {0x20, 0x01};      /* RFC 4380 */
    static const uint8_t isatap[4] = {0, 0, 0x5e, 0xfe};
    if (has_prefix6(address, mapped, 96) || has_prefix6(address, translated, 96) ||
        has_prefix6(address, nat64, 96) || has_prefix6(address, local_nat64, 48) ||
        has_prefix6(address, compatible, 96)) {
        memcpy(out, address + 12, 4);
    } else if (has_prefix6(address, six_to_four, 16)) {
        memcpy(out, address + 2, 4);
    } else if (has_prefix6(address, teredo, 32)) {
        for (int i = 0; i < 4; i++)
            out[i] = (uint8_t)~address[12 + i];
    } else if ((address[8] & 0xfd) == 0 && memcmp(address + 9, isatap + 1, 3) == 0) {
        memcpy(out, address + 12, 4);
    } else {
        return false;
    }
    return true;
}

static struct judgement judge6(const uint8_t *address)
{
    struct judgement own = {0};
    uint8_t inner[4];
    for (size_t i = 0; !own.what && i < ARRAY_SIZE(ranges6); i++)
        if (has_prefix6(address, ranges6[i].prefix, ranges6[i].bits))
            own = (struct judgement){ranges6[i].what, !ranges6[i].operator_may};
    /* "::1" embeds 0.0.0.1, and is not that. */
    if (own.never || (own.what && !address[0] && !address[1]) || !embedded(address, inner))
        return own;
    struct judgement embeds = judge4(inner);
    return embeds.never || !own.what ? embeds : own;
}

const char *address_refusal(const struct sockaddr *address, bool from_operator,
                            const struct address_policy *policy)
{
    struct judgement judgement;
    bool allowed;
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        uint8_t bytes[4];
        memcpy(&in, address, sizeof in);
        memcpy(bytes, &in.sin_addr, 4);
        judgement = judge4(bytes);
        allowed = policy_holds(policy, bytes, true);
    } else if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        uint8_t inner[4];
        memcpy(&in6, address, sizeof in6);
        judgement = judge6(in6.sin6_addr.s6_addr);
        allowed = policy_holds(policy, in6.sin6_addr.s6_addr, false) ||
                  (embedded(in6.sin6_addr.s6_addr, inner) && policy_holds(policy, inner, true));
    } else {
        return "not an internet address";
    }
    if (judgement.never)
        return judgement.what;
    if (from_operator || allowed)
        return NULL;
    if (judgement.what)
        return judgement.what;
    return own_address(address) ? "an address of this machine" : NULL;
}

bool address_range_parse(const char *text, struct address_range *ret_range)
{
    char address[INET6_ADDRSTRLEN];
    struct address_range range = {0};
    size_t size = strcspn(text, "/");
    if (!size || size >= sizeof address)
        return false;
    memcpy(address, text, size);
    address[size] = '\0';
    range.four = inet_pton(AF_INET, address, range.prefix) == 1;
    if (!range.four && inet_pton(AF_INET6, address, range.prefix) != 1)
        return false;
    int64_t bits = range.four ? 32 : 128;
    if (text[size] && str_to_int(text + size + 1, 0, bits, &bits) < 0)
        return false;
    range.bits = (uint8_t)bits;
    *ret_range = range;
    return true;
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
