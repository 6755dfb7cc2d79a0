/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ranges the operator opened to connections of users (network.allow), and the addresses of this machine.
 *
 * Ownership: reference-counted. Threads: immutable once made; own_address from any.
 */
#ifndef IO_POLICY_H
#define IO_POLICY_H

#include <stdatomic.h>
#include <stddef.h>
#include "base/err.h"
#include "io/address.h"

struct address_policy {
    atomic_uint references;
    size_t range_count;
    struct address_range ranges[];
};

/* 0, ERR_INVALID naming network.allow, ERR_MEMORY. */
int policy_create(const char *const *allow, size_t count, struct address_policy **ret_policy,
                  struct err *err);
struct address_policy *policy_ref(struct address_policy *policy);
void policy_unref(struct address_policy *policy);
/* Whether a range holds these bytes, of 4 or of 16. */
bool policy_holds(const struct address_policy *policy, const uint8_t *bytes, bool four);
/* Whether an interface of this machine has that address. Looked up again after a few seconds. */
bool own_address(const struct sockaddr *address);

#endif
