# SPDX-License-Identifier: Apache-2.0
#
# SONDE_PLUGIN_SDK([MINIMUM-VERSION])
# -----------------------------------
# For adapters built with autotools. Needs LT_INIT([dlopen disable-static]) and pkg-config's pkg.m4. Sets
#   SONDE_CFLAGS, SONDE_LIBS   to compile and link an adapter
#   SONDE_TESTKIT              the fixture runner's library: add it before SONDE_LIBS
#   sonde_plugindir            where adapters are installed
#   SONDE_PLUGIN_LDFLAGS       for a module with exactly one exported symbol
# and in Makefile.am:
#   sonde_plugin_LTLIBRARIES = tally.la
#   tally_la_SOURCES = tally.c
#   tally_la_CFLAGS = $(SONDE_CFLAGS)
#   tally_la_LDFLAGS = $(SONDE_PLUGIN_LDFLAGS)
#   tally_la_LIBADD = $(SONDE_LIBS)
AC_DEFUN([SONDE_PLUGIN_SDK], [
  AC_REQUIRE([PKG_PROG_PKG_CONFIG])
  PKG_CHECK_MODULES([SONDE], [sonde m4_ifval([$1], [>= $1])])
  AC_MSG_CHECKING([for the ABI of sonde's SDK])
  sonde_abi_major=`$PKG_CONFIG --variable=abi_major sonde`
  sonde_abi_minor=`$PKG_CONFIG --variable=abi_minor sonde`
  AC_MSG_RESULT([$sonde_abi_major.$sonde_abi_minor])
  AS_IF([test "$sonde_abi_major" != 1],
    [AC_MSG_ERROR([the SDK speaks plugin ABI $sonde_abi_major, this macro is for ABI 1])])
  PKG_CHECK_VAR([sonde_plugindir], [sonde], [plugindir])
  PKG_CHECK_VAR([SONDE_TESTKIT], [sonde], [testkit])
  SONDE_PLUGIN_LDFLAGS="-module -avoid-version -shared -export-symbols-regex '^sonde_plugin_entry_v$sonde_abi_major\$\$'"
  AC_SUBST([SONDE_PLUGIN_LDFLAGS])
])
