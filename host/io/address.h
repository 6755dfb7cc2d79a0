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
#include <sys/socket.h>

/* Bytes of the longest address text with brackets, NUL included. */
#define ADDRESS_TEXT 64

/*
 * Why this address may not be connected to ("a cloud metadata address" ...), or NULL when it may.
 * Metadata, unspecified, multicast and reserved addresses are refused to everybody; loopback,
 * private, shared (RFC 6598) and link-local ones to all but the operator's connections. Addresses
 * embedded in IPv6 (v4-mapped, NAT64 64:ff9b::/96) are judged as what they embed.
 */
const char *address_refusal(const struct sockaddr *address, bool from_operator);
/* "192.0.2.1" or "2001:db8::1", with brackets around the latter when asked; "" for other families. */
void address_text(const struct sockaddr *address, bool brackets, char out[ADDRESS_TEXT]);
/* A numeric host, without brackets, into an address with port 0; false when it is a name. */
bool address_parse(const char *host, struct sockaddr_storage *ret_address);

#endif
