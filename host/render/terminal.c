/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/str.h"
#include "render/render.h"

#define COLUMNS_DEFAULT 80
#define COLUMNS_LEAST 40
#define COLUMNS_MOST 400

static bool locale_is_utf8(void)
{
    /* The first one that is set decides, as in setlocale(3). */
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const char *value = getenv(names[i]);
        if (!value || !*value)
            continue;
        const char *charset = strchr(value, '.');
        return charset && (str_eq_nocase(charset, ".UTF-8") || str_eq_nocase(charset, ".UTF8"));
    }
    return false;
}

void render_terminal_detect(int fd, struct render_terminal *ret_terminal)
{
    struct render_terminal terminal = {.columns = COLUMNS_DEFAULT};
    struct winsize size;
    int64_t columns;
    bool tty = isatty(fd);
    const char *given = getenv("COLUMNS");
    if (tty && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col)
        terminal.columns = size.ws_col;
    else if (given && str_to_int(given, 1, 10000, &columns) == 0)
        terminal.columns = (int)columns;
    if (terminal.columns < COLUMNS_LEAST)
        terminal.columns = COLUMNS_LEAST;
    if (terminal.columns > COLUMNS_MOST)
        terminal.columns = COLUMNS_MOST;
    /* https://no-color.org: set and not empty. */
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    terminal.color = tty && !(no_color && *no_color) && term && !str_eq(term, "dumb");
    terminal.unicode = locale_is_utf8();
    *ret_terminal = terminal;
}
