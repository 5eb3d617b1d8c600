#!/bin/bash
# The manual pages against mandoc, and hbd.conf(5) and the shipped hbd.conf against the table of
# settings: each names every setting, in the table's order, with its type, range and default.
set -u
tools=${BUILD:-build/release}/tests/tools
status=0

# compare NAME EXPECTED ACTUAL: two texts
compare()
{
	if diff -u --label "the table" --label "$1" <(printf '%s\n' "$2") <(printf '%s\n' "$3"); then
		echo "ok $1"
	else
		echo "not ok $1"
		status=1
	fi
}

# "section<TAB>name<TAB>first line" of every setting that the page explains
settings_of_page()
{
	awk '/^\.S[hs] / { section = "" }
	     /^\.Ss Settings of / { section = substr($0, 17) }
	     section && /^\.It Ic / { name = $3; getline; print section "\t" name "\t" $0 }' "$1"
}
compare "hbd.conf(5) explains every setting" "$("$tools/conf_schema")" \
	"$(settings_of_page hbd/conf/hbd.conf.5)"

# Settings that are commented out are "#name", explanations are "# text".
uncommented=$(sed -E 's/^(\s*)#([^ ])/\1\2/' etc/hbd.conf)
missing=$("$tools/conf_schema" -d | while read -r setting; do
	grep -qE "(^|[[:space:]{])${setting//\"/\\\"}" <<<"$uncommented" || echo "$setting"
done)
compare "etc/hbd.conf shows every setting with its default" "" "$missing"

if ! command -v mandoc >/dev/null; then
	echo "ok manual pages are clean # skip there is no mandoc"
	exit $status
fi
for page in $(find hbd plugins -name "*.[1578]" 2>/dev/null); do
	# Whether pages that are mentioned are installed is not a property of the page.
	compare "mandoc finds nothing wrong with $page" "" \
		"$(mandoc -T lint "$page" 2>&1 | grep -v -e 'Xr' -e makewhatis)"
done
exit $status
