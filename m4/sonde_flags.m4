dnl SPDX-License-Identifier: Apache-2.0
dnl Compiler and linker flags, each probed alone so that one unknown flag does not cost the others.

AC_DEFUN([SONDE_TRY_CFLAG], [
  AS_VAR_PUSHDEF([cachevar], [sonde_cv_cflag_$1])
  AC_CACHE_CHECK([whether $CC takes $1], [cachevar], [
    sonde_save_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS -Werror $1"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [AS_VAR_SET([cachevar], [yes])], [AS_VAR_SET([cachevar], [no])])
    CFLAGS=$sonde_save_CFLAGS])
  AS_VAR_IF([cachevar], [yes], [SONDE_CFLAGS="$SONDE_CFLAGS $1"])
  AS_VAR_POPDEF([cachevar])
])

AC_DEFUN([SONDE_TRY_LDFLAG], [
  AS_VAR_PUSHDEF([cachevar], [sonde_cv_ldflag_$2])
  AC_CACHE_CHECK([whether the linker takes $2], [cachevar], [
    sonde_save_LDFLAGS=$LDFLAGS
    LDFLAGS="$LDFLAGS $2"
    AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [AS_VAR_SET([cachevar], [yes])], [AS_VAR_SET([cachevar], [no])])
    LDFLAGS=$sonde_save_LDFLAGS])
  AS_VAR_IF([cachevar], [yes], [$1="$$1 $2"])
  AS_VAR_POPDEF([cachevar])
])

AC_DEFUN([SONDE_WARNINGS], [
  SONDE_CFLAGS=
  SONDE_LDFLAGS=
  PLUGIN_LDFLAGS=
  m4_foreach_w([flag], [-std=gnu17 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wformat=2 -Wvla
    -Wimplicit-fallthrough -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings],
    [SONDE_TRY_CFLAG(flag)])
  SONDE_CFLAGS="$SONDE_CFLAGS -fvisibility=hidden"
  AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [warnings are errors])],
    [AS_IF([test "$enableval" = yes], [SONDE_CFLAGS="$SONDE_CFLAGS -Werror"])])
  AC_SUBST([SONDE_CFLAGS])
  AC_SUBST([SONDE_LDFLAGS])
  AC_SUBST([PLUGIN_LDFLAGS])
])

AC_DEFUN([SONDE_SANITIZERS], [
  AC_ARG_ENABLE([sanitizers],
    [AS_HELP_STRING([--enable-sanitizers=LIST], [build with -fsanitize=LIST, such as address,undefined or thread])],
    [], [enable_sanitizers=no])
  AS_IF([test "$enable_sanitizers" = yes], [enable_sanitizers=address,undefined])
  AS_IF([test "$enable_sanitizers" != no], [
    SONDE_CFLAGS="$SONDE_CFLAGS -fsanitize=$enable_sanitizers -fno-omit-frame-pointer -fno-sanitize-recover=all -g"
    SONDE_LDFLAGS="$SONDE_LDFLAGS -fsanitize=$enable_sanitizers"
    AC_DEFINE([SONDE_SANITIZED], [1], [Built with sanitizers])])
  AC_SUBST([SONDE_SANITIZERS_ENABLED], [$enable_sanitizers])
  AM_CONDITIONAL([SANITIZED], [test "$enable_sanitizers" != no])
])

AC_DEFUN([SONDE_FUZZERS], [
  AC_ARG_ENABLE([fuzzers],
    [AS_HELP_STRING([--enable-fuzzers], [build the fuzz targets with libFuzzer (clang); without it they only replay their corpus])],
    [], [enable_fuzzers=no])
  AS_IF([test "$enable_fuzzers" = yes], [SONDE_CFLAGS="$SONDE_CFLAGS -fsanitize=fuzzer-no-link"])
  AM_CONDITIONAL([FUZZERS], [test "$enable_fuzzers" = yes])
])

AC_DEFUN([SONDE_HARDENING], [
  AS_IF([test "$enable_sanitizers" = no && test "$enable_fuzzers" = no], [
    m4_foreach_w([flag], [-fstack-protector-strong -fstack-clash-protection -fcf-protection
      -ftrivial-auto-var-init=zero], [SONDE_TRY_CFLAG(flag)])
    AS_CASE(["$CFLAGS"], [*-O@<:@123s@:>@*], [SONDE_TRY_CFLAG([-D_FORTIFY_SOURCE=2])])
    SONDE_TRY_LDFLAG([SONDE_LDFLAGS], [-Wl,-z,relro])
    SONDE_TRY_LDFLAG([SONDE_LDFLAGS], [-Wl,-z,now])
    SONDE_TRY_LDFLAG([SONDE_LDFLAGS], [-Wl,--as-needed])
    dnl Finds a missing symbol when a plugin is linked, not when it is loaded. Sanitizer runtimes leave symbols open.
    SONDE_TRY_LDFLAG([PLUGIN_LDFLAGS], [-Wl,--no-undefined])
  ])
])
