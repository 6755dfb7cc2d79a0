/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "io/policy.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define OWN_MAX 256u
#define OWN_AGE_NS (10 * NS_PER_S)

int policy_create(const char *const *allow, size_t count, struct address_policy **ret_policy,
                  struct err *err)
{
    struct address_policy *policy = mem_alloc(sizeof *policy + count * sizeof policy->ranges[0]);
    if (!policy)
        return err_set(err, ERR_MEMORY, "no memory for network.allow");
    atomic_init(&policy->references, 1);
    for (size_t i = 0; i < count; i++) {
        if (address_range_parse(allow[i], &policy->ranges[i]))
            continue;
        mem_free(policy);
        return err_set(err, ERR_INVALID,
                       "network.allow: \"%.64s\" is no range of addresses such as 10.0.0.0/8 or "
                       "fd00::/8",
                       allow[i]);
    }
    policy->range_count = count;
    *ret_policy = policy;
    return 0;
}

struct address_policy *policy_ref(struct address_policy *policy)
{
    atomic_fetch_add_explicit(&policy->references, 1, memory_order_relaxed);
    return policy;
}

void policy_unref(struct address_policy *policy)
{
    if (policy && atomic_fetch_sub_explicit(&policy->references, 1, memory_order_acq_rel) == 1)
        mem_free(policy);
}

bool policy_holds(const struct address_policy *policy, const uint8_t *bytes, bool four)
{
    for (size_t i = 0; policy && i < policy->range_count; i++) {
        const struct address_range *range = &policy->ranges[i];
        unsigned whole = range->bits / 8;
        unsigned rest = range->bits % 8;
        if (range->four == four && memcmp(bytes, range->prefix, whole) == 0 &&
            (!rest || bytes[whole] >> (8 - rest) == range->prefix[whole] >> (8 - rest)))
            return true;
    }
    return false;
}

/* ---- This machine's own ---- */

struct own {
    uint8_t bytes[16];
    bool four;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct own own[OWN_MAX];
static size_t own_count;
static int64_t own_read_ns;

static bool take(const struct sockaddr *address, struct own *ret)
{
    *ret = (struct own){0};
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        memcpy(ret->bytes, &in.sin_addr, 4);
        ret->four = true;
        return true;
    }
    if (address->sa_family != AF_INET6)
        return false;
    struct sockaddr_in6 in6;
    memcpy(&in6, address, sizeof in6);
    memcpy(ret->bytes, &in6.sin6_addr, 16);
    return true;
}

/* Under the lock. What cannot be read leaves what was known. */
static void read_own(void)
{
    struct ifaddrs *list = NULL;
    own_read_ns = clock_mono_ns();
    if (getifaddrs(&list))
        return;
    own_count = 0;
    for (const struct ifaddrs *a = list; a && own_count < OWN_MAX; a = a->ifa_next)
        own_count += a->ifa_addr && take(a->ifa_addr, &own[own_count]);
    freeifaddrs(list);
}

bool own_address(const struct sockaddr *address)
{
    struct own wanted;
    bool found = false;
    if (!take(address, &wanted))
        return false;
    pthread_mutex_lock(&lock);
    if (!own_read_ns || clock_mono_ns() - own_read_ns > OWN_AGE_NS)
        read_own();
    for (size_t i = 0; i < own_count && !found; i++)
        found = memcmp(&own[i], &wanted, sizeof wanted) == 0;
    pthread_mutex_unlock(&lock);
    return found;
}
