#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The unit for systemd: made with this build's folders, free of mistakes, and as closed as it was meant to be.
set -u
unit=$top_builddir/etc/sonde.service
MOST=1.5 # exposure, of 10; a setting that is lost shows here
bad=0
complain() {
    echo "$*"
    bad=1
}
[ -f "$unit" ] || { echo "no $unit: configured without a folder for it"; exit 77; }
grep -q '@[a-z]*@' "$unit" && complain "a folder was not put in: $(grep '@[a-z]*@' "$unit")"
for line in Type=notify 'ExecReload=/bin/kill -HUP $MAINPID' DynamicUser=yes StateDirectory=sonde NoNewPrivileges=yes \
    ProtectSystem=strict UMask=0077 LimitCORE=0 LimitNOFILE=65536 RestartPreventExitStatus=2; do
    grep -qxF "$line" "$unit" || complain "the unit lacks $line"
done
"$top_builddir/sonde" help serve | grep -q -- --listen || complain "there is no command serve to start"
if command -v systemd-analyze > /dev/null; then
    dir=$(mktemp -d) || exit 99
    trap 'rm -rf "$dir"' EXIT
    # The program need not be installed yet.
    printf '#!/bin/sh\n' > "$dir/sonde"
    chmod +x "$dir/sonde"
    sed "s|^ExecStart=[^ ]*|ExecStart=$dir/sonde|" "$unit" > "$dir/sonde.service"
    found=$(systemd-analyze verify --man=no "$dir/sonde.service" 2>&1 | grep sonde.service)
    [ -z "$found" ] || complain "systemd-analyze verify: $found"
    score=$(systemd-analyze security --offline=true --no-pager "$dir/sonde.service" 2> /dev/null |
        sed -n 's/.*exposure level for sonde.service: \([0-9.]*\).*/\1/p')
    if [ -z "$score" ]; then
        echo "skipped: the exposure of the unit (this systemd-analyze cannot tell offline)"
    else
        echo "exposure $score"
        awk "BEGIN { exit !($score <= $MOST) }" || complain "exposure $score, at most $MOST was meant"
    fi
else
    echo "skipped: the unit's syntax and exposure (systemd-analyze is missing)"
fi
exit $bad
