#!/bin/bash
# A build without the fence needs neither clang nor bpftool nor libbpf, and says that it has none.
set -u
failed=0
check() {
	local name=$1 output
	shift
	if output=$("$@" 2>&1); then echo "ok $name"; else echo "not ok $name: $output"; failed=1; fi
}
place=build/without-fence
without() {
	make --no-print-directory VARIANT=debug FENCE=0 B=$place CLANG=false BPFTOOL=false "$@"
}
refusal() {
	local status
	"$place/tests/net/test_fence_refusal"
	status=$?
	# skipped: no network namespaces here
	[ $status -eq 77 ] || return $status
}

check "it builds without clang and bpftool" without $place/hbd $place/tests/net/test_fence_refusal
check "it is not linked with libbpf" \
	sh -c "! ldd $place/hbd $place/tests/net/test_fence_refusal | grep libbpf"
check "its fence does not open and says why" refusal
exit $failed
