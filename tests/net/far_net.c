#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "far_net.h"

static int present_net(void)
{
	int net = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	assert_true(net >= 0);
	return net;
}

int far_net_new(void)
{
	int before = present_net(), net;

	assert_int_equal(unshare(CLONE_NEWNET), 0);
	net = present_net();
	run("ip link set lo up");
	far_net_leave(before);
	return net;
}

int far_net_enter(int net)
{
	int before = present_net();

	assert_int_equal(setns(net, CLONE_NEWNET), 0);
	return before;
}

void far_net_leave(int before)
{
	assert_int_equal(setns(before, CLONE_NEWNET), 0);
	close(before);
}

static void bring_up(const char *name)
{
	run("sysctl -qw net.ipv6.conf.%s.accept_dad=0 net.ipv6.conf.%s.accept_ra=0", name, name);
	run("ip link set %s addrgenmode none && ip link set %s up", name, name);
}

void far_net_cable(int net, const char *name)
{
	int before;

	run("ip link add %s type veth peer name far%d && "
	    "ip link set far%d netns /proc/%d/fd/%d name %s",
	    name, net, net, getpid(), net, name);
	bring_up(name);
	before = far_net_enter(net);
	bring_up(name);
	far_net_leave(before);
	run("for i in $(seq 100); do ip -o link show %s | grep -q 'state UP' && exit 0; sleep 0.02; "
	    "done; exit 1",
	    name);
}

void run_far(int net, const char *command)
{
	int before = far_net_enter(net);

	run("%s", command);
	far_net_leave(before);
}
