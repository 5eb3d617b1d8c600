#include "privilege.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <malloc.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "../base/log.h"

#define REALTIME_PRIORITY 50
#define STACK_BYTES (256 * 1024) /* more than any call chain of the engine uses */
#define PAGE_BYTES 4096

bool privilege_realtime(void)
{
	const struct sched_param parameter = { .sched_priority = REALTIME_PRIORITY };

	if (sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &parameter) == 0)
		return true;
	log_warning(
		"engine: real-time scheduling (SCHED_RR) is refused: %s; a busy machine can delay "
		"heartbeats and make the peer take over. In the unit file CapabilityBoundingSet= "
		"must have CAP_SYS_NICE and RestrictRealtime= must be no; in a container, "
		"the host must allow it",
		log_strerror(errno));
	return false;
}

void privilege_realtime_below(void)
{
	const struct sched_param parameter = { .sched_priority = REALTIME_PRIORITY - 1 };

	/* a thread begins as an ordinary one, because of SCHED_RESET_ON_FORK */
	if (sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &parameter) != 0)
		log_warning("engine: real-time scheduling of the thread for addresses is refused: "
			    "%s; a busy machine can delay a takeover", log_strerror(errno));
}

/* Pages of the stack that were never touched could not be had without a fault later. */
static __attribute__((noinline)) void touch_stack(void)
{
	volatile unsigned char stack[STACK_BYTES];

	for (size_t i = 0; i < sizeof(stack); i += PAGE_BYTES)
		stack[i] = 0;
}

bool privilege_lock_memory(void)
{
	/* memory that free() gave back would be fetched anew, in the middle of a takeover */
	mallopt(M_TRIM_THRESHOLD, -1);
	mallopt(M_MMAP_MAX, 0);
	/* another thread's arena would reserve, and lock, far more than is used */
	mallopt(M_ARENA_MAX, 1);
	if (mlockall(MCL_CURRENT | MCL_FUTURE) == 0) {
		touch_stack();
		return true;
	}
	log_warning(
		"engine: locking memory is refused: %s; when the machine swaps, heartbeats can be "
		"late and make the peer take over. In the unit file CapabilityBoundingSet= must "
		"have CAP_IPC_LOCK, or LimitMEMLOCK= must be infinity",
		log_strerror(errno));
	return false;
}

/* 0, or -EPERM if a capability is missing that nothing works without. */
static int choose_capabilities(void)
{
	static const struct {
		unsigned capability;
		bool needed;
		const char *name, *purpose;
	} wanted[] = {
		{ CAP_NET_ADMIN, true, "CAP_NET_ADMIN", "to add and remove addresses" },
		{ CAP_NET_RAW, true, "CAP_NET_RAW", "to announce addresses" },
		{ CAP_SYS_NICE, false, "CAP_SYS_NICE", "" },
		{ CAP_IPC_LOCK, false, "CAP_IPC_LOCK", "" },
	};
	bool had[sizeof(wanted) / sizeof(wanted[0])];
	int r = 0;

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		had[i] = capng_have_capability(CAPNG_PERMITTED, wanted[i].capability);
	capng_clear(CAPNG_SELECT_BOTH);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (had[i]) {
			capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED,
				     wanted[i].capability);
		} else if (wanted[i].needed) {
			log_error("engine: %s is missing, which is needed %s; in the unit file "
				  "CapabilityBoundingSet= must have it",
				  wanted[i].name, wanted[i].purpose);
			r = -EPERM;
		}
	}
	return r;
}

static int change_user(const struct process_user *user)
{
	int r;

	if (getuid() == user->uid && geteuid() == user->uid) {
		r = capng_apply(CAPNG_SELECT_BOTH);
		return r < 0 ? -EPERM : 0;
	}
	r = capng_change_id((int)user->uid, (int)user->gid,
			    CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING);
	return r < 0 ? -EPERM : 0;
}

int privilege_drop(const struct process_user *user)
{
	int r;

	if (capng_get_caps_process() < 0) {
		log_error("engine: cannot read the capabilities of this process; giving up");
		return -EIO;
	}
	r = choose_capabilities();
	if (r < 0)
		return r;
	r = change_user(user);
	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = -errno;
	if (r < 0)
		log_error("engine: cannot give up root for user %u, group %u: %s; giving up",
			  user->uid, user->gid, log_strerror(r));
	return r;
}
