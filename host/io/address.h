/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which network addresses a connection may reach: the guard against being sent to places of the
 * host's own (server-side request forgery).
 *
 * Ownership: nothing kept; texts are static. Threads: pure functions.
 */
#ifndef IO_ADDRESS_H
#define IO_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct address_policy;

/* Bytes of the longest address text with brackets, NUL included. */
#define ADDRESS_TEXT 64

/* A network: prefix of an IPv4 or IPv6 address. */
struct address_range {
    uint8_t prefix[16];
    uint8_t bits;
    bool four;
};
/* "10.0.0.0/8", "fd00::/8", or an address alone. False when it is none. */
bool address_range_parse(const char *text, struct address_range *ret_range);

/* What a user reads after the host, whatever the reason was: a refusal must not tell what is where. */
#define ADDRESS_NOT_FOR_USERS                                                                \
    "leads where connections of users may not; the operator of this server opens ranges of " \
    "addresses with network.allow in sonde.yaml"

/*
 * Why this address may not be connected to ("a cloud metadata address" ...), or NULL when it may.
 * Metadata, unspecified, multicast and reserved addresses are refused to everybody; loopback, private, shared (RFC 6598), link-local and this
 * machine's own ones to all but the operator's connections, where no range of allow holds them (NULL: none does). Addresses embedded in IPv6
 * (v4-mapped, NAT64, 6to4, Teredo, ISATAP) are judged as what they embed.
 */
const char *address_refusal(const struct sockaddr *address, bool from_operator,
                            const struct address_policy *policy);
/* "192.0.2.1" or "2001:db8::1", with brackets around the latter when asked; "" for other families. */
void address_text(const struct sockaddr *address, bool brackets, char out[ADDRESS_TEXT]);
/* A numeric host, without brackets, into an address with port 0; false when it is a name. */
bool address_parse(const char *host, struct sockaddr_storage *ret_address);

#endif
