#!/bin/bash
# The RPM package builds; its dependencies are looked up only on a system that has them by RPM.
set -u
command -v rpmbuild >/dev/null || { echo "skipped: there is no rpmbuild"; exit 77; }
if make --no-print-directory rpm >build/rpm.log 2>&1; then
	echo "ok the package builds"
else
	echo "not ok the package builds: $(tail -n 20 build/rpm.log)"
	exit 1
fi
if rpm -qlp build/rpm/RPMS/*/hbd-[0-9]*.rpm | grep -q '/hbd.service$'; then
	echo "ok the package holds the unit"
else
	echo "not ok the package holds the unit"
	exit 1
fi
