/*
 * Why the kernel refused the fence, for fence*.c alone. The same EPERM has many reasons, each with
 * another remedy, so they are told apart by what else is known of process and kernel.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fence.h"

struct fence_facts {
	int error;		 /* negative errno */
	unsigned major, minor;	 /* of the kernel; 0.0 = not known */
	bool may_load;		 /* CAP_BPF or CAP_SYS_ADMIN */
	bool may_attach;	 /* CAP_NET_ADMIN */
	bool in_user_namespace;	 /* so that these capabilities do not count */
	bool filters_calls;	 /* seccomp */
	bool locked_down;	 /* for confidentiality, where programs may not look into the kernel */
	uint64_t lockable_bytes; /* RLIMIT_MEMLOCK */
	const char *verifier;	 /* what the kernel said of a program, its last words; "" = nothing */
};

/* Reads what can be read; error and verifier are the caller's to fill. */
struct fence_facts fence_facts_gather(void);

void fence_facts_judge(const struct fence_facts *facts, struct fence_refusal *ret_refusal);
