/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cleanup attributes: a local owns a resource until it is stolen or the block ends.
 *
 * Ownership: that is what it is for. Threads: nothing shared.
 */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#define CLEANUP(function) __attribute__((cleanup(function)))

/* Takes the pointer out of a variable that would free it: `return STEAL(p);` */
#define STEAL(pointer)                                   \
    __extension__({                                      \
        __typeof__(pointer) *steal_from_ = &(pointer);   \
        __typeof__(pointer) steal_value_ = *steal_from_; \
        *steal_from_ = 0;                                \
        steal_value_;                                    \
    })

/* DEFINE_CLEANUP(struct foo *, foo_free) makes foo_freep for CLEANUP(foo_freep). */
#define DEFINE_CLEANUP(type, function)            \
    static inline void function##p(type *pointer) \
    {                                             \
        if (*pointer)                             \
            function(*pointer);                   \
    }                                             \
    struct base_cleanup_semicolon_

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#endif
