#!/bin/bash
# plugins/README.md explains every setting of the supplied programs as they describe it themselves.
set -u
build=${BUILD:-build/release}
status=0

for program in "$build"/plugins/{alert,takeover,witness}/*; do
	name=${program#"$build/plugins/"}
	if table=$(tests/tools/plugin_table "$program") &&
	   ! missing=$(grep -vxF -f plugins/README.md <<<"$table"); then
		echo "ok plugins/README.md has the settings of $name"
	else
		echo "not ok plugins/README.md has the settings of $name: these lines are not in it"
		printf '%s\n' "$missing"
		status=1
	fi
done
exit $status
