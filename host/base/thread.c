/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/thread.h"

#include <errno.h>
#include <signal.h>
#include <time.h>
#ifdef __linux__
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "base/clock.h"
#include "base/err.h"

int thread_start(pthread_t *ret_thread, const char *name, size_t stack, void *(*function)(void *),
                 void *argument)
{
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes))
        return ERR_SYSTEM;
#ifdef SONDE_SANITIZED
    stack *= 4; /* instrumented frames are larger */
#endif
    pthread_attr_setstacksize(&attributes, stack);
    /* Signals are the main thread's; the new one inherits the mask. */
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int r = pthread_create(ret_thread, &attributes, function, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (r)
        return ERR_SYSTEM;
#if defined(HAVE_PTHREAD_SETNAME_NP) && defined(__linux__)
    pthread_setname_np(*ret_thread, name);
#else
    (void)name;
#endif
    return 0;
}

bool thread_stand_back(void)
{
#ifdef __linux__
    /* setpriority(2): on Linux the nice value is a thread's own. */
    return !setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 10);
#else
    return false;
#endif
}

int cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes))
        return ERR_SYSTEM;
#ifndef __APPLE__
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
#endif
    int r = pthread_cond_init(cond, &attributes);
    pthread_condattr_destroy(&attributes);
    return r ? ERR_SYSTEM : 0;
}

int cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t deadline_ns)
{
    if (deadline_ns == INT64_MAX) {
        pthread_cond_wait(cond, mutex);
        return 0;
    }
    if (deadline_ns < 0)
        deadline_ns = 0;
#ifdef __APPLE__
    int64_t left = deadline_ns - clock_mono_ns();
    if (left <= 0)
        return 1;
    struct timespec wait = {.tv_sec = left / NS_PER_S, .tv_nsec = left % NS_PER_S};
    return pthread_cond_timedwait_relative_np(cond, mutex, &wait) == ETIMEDOUT;
#else
    struct timespec until = {.tv_sec = deadline_ns / NS_PER_S, .tv_nsec = deadline_ns % NS_PER_S};
    return pthread_cond_timedwait(cond, mutex, &until) == ETIMEDOUT;
#endif
}
