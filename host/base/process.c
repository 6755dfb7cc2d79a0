/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>
#ifdef HAVE_MALLINFO2
#include <malloc.h>
#endif
#ifdef HAVE_PRCTL
#include <sys/prctl.h>
#endif

#include "base/clock.h"

static int64_t timeval_ns(const struct timeval *time)
{
    return (int64_t)time->tv_sec * NS_PER_S + (int64_t)time->tv_usec * NS_PER_US;
}

/* The second number of /proc/self/statm is the resident set in pages. */
static int64_t resident_bytes(void)
{
    char text[128];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t size = read(fd, text, sizeof text);
    close(fd);
    ssize_t i = 0;
    while (i < size && text[i] != ' ')
        i++;
    int64_t pages = 0;
    bool any = false;
    for (i++; i < size && text[i] >= '0' && text[i] <= '9'; i++) {
        pages = pages * 10 + (text[i] - '0');
        any = true;
    }
    return any ? pages * sysconf(_SC_PAGESIZE) : -1;
}

static int64_t open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    if (!folder)
        folder = opendir("/dev/fd");
    if (!folder)
        return -1;
    int64_t count = -1; /* without the folder's own */
    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

void process_usage(struct process_usage *ret_usage)
{
    *ret_usage = (struct process_usage){.cpu_ns = -1, .malloc_bytes = -1, .max_descriptors = -1};
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        ret_usage->cpu_ns = timeval_ns(&usage.ru_utime) + timeval_ns(&usage.ru_stime);
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        ret_usage->max_descriptors = (int64_t)limit.rlim_cur;
#ifdef HAVE_MALLINFO2
    struct mallinfo2 info = mallinfo2();
    ret_usage->malloc_bytes = (int64_t)(info.uordblks + info.hblkhd);
#endif
    ret_usage->resident_bytes = resident_bytes();
    ret_usage->open_descriptors = open_descriptors();
}

void process_forbid_dumps(void)
{
#ifndef SONDE_SANITIZED
    /* What the system refuses here is a weaker wall, not a reason to stop. */
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0});
#ifdef HAVE_PRCTL
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
#endif
}
