#!/bin/bash
# lab: tier=mid suite=bookworm,trixie in=soak timeout=600
# Each golden guest as a domain: libvirt's own schema accepts it.
cd "$(dirname "$0")" || exit 99
# shellcheck source=test/lab/scenarios/lib.sh
. ./lib.sh
mkdir /tmp/domains
for profile in /lab/golden/*/profile.ini; do
  guest=$(basename "$(dirname "$profile")")
  passqemu export "$profile" --to libvirt >"/tmp/domains/$guest.xml" 2>/tmp/lost || {
    sed "s/^/# $guest: /" /tmp/lost
    rm "/tmp/domains/$guest.xml"
  }
done
check 'each is exported' is "$(find /tmp/domains -name '*.xml' | wc -l)" "$(find /lab/golden -name profile.ini | wc -l)"
xmllint --noout --relaxng /usr/share/libvirt/schemas/domain.rng /tmp/domains/*.xml >/tmp/judged 2>&1
refused=$(sed -n 's,^/tmp/domains/\(.*\)\.xml fails to validate$,\1,p' /tmp/judged | tr '\n' ' ')
# What only later releases have (docs/import-export.md)
[ "$LAB_SUITE" = trixie ] && newer='' || newer='audio-pipewire phys-bits '
check 'the schema accepts all that this libvirt has' is "$refused" "$newer"
check 'and has looked at each' is "$(grep -cE '(validates|fails to validate)$' /tmp/judged)" "$(find /tmp/domains -name '*.xml' | wc -l)"
finish
