#include "fence_refusal.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include "../base/log.h"

/* Linux 5.11 counts what programs use as any other memory; before, as locked memory. */
#define LOCKED_BYTES_ENOUGH ((uint64_t)64 << 20)

/* ---- what is known ----------------------------------------------------------------------------- */

/* The rest of the line of a file that begins with word; "" if there is none. */
static void read_line(const char *path, const char *word, char *ret_rest, size_t bytes)
{
	FILE *file = fopen(path, "re");
	char line[256];

	ret_rest[0] = '\0';
	while (file && ret_rest[0] == '\0' && fgets(line, sizeof(line), file)) {
		if (strncmp(line, word, strlen(word)) == 0)
			snprintf(ret_rest, bytes, "%s", line + strlen(word));
	}
	if (file)
		fclose(file);
}

static bool has(unsigned long long capabilities, unsigned capability)
{
	return (capabilities >> capability & 1) != 0;
}

static void read_status(struct fence_facts *facts)
{
	unsigned long long capabilities = 0;
	char text[64];
	unsigned mode = 0;

	read_line("/proc/self/status", "CapEff:", text, sizeof(text));
	if (sscanf(text, "%llx", &capabilities) == 1) {
		facts->may_load = has(capabilities, CAP_SYS_ADMIN) || has(capabilities, CAP_BPF);
		facts->may_attach = has(capabilities, CAP_NET_ADMIN);
	}
	read_line("/proc/self/status", "Seccomp:", text, sizeof(text));
	facts->filters_calls = sscanf(text, "%u", &mode) == 1 && mode != 0;
}

/* In the first user namespace every number stands for itself. */
static bool in_user_namespace(void)
{
	unsigned inside, outside, count;
	char text[64];

	read_line("/proc/self/uid_map", "", text, sizeof(text));
	return sscanf(text, "%u %u %u", &inside, &outside, &count) == 3 &&
	       (inside != 0 || outside != 0 || count != UINT32_MAX);
}

struct fence_facts fence_facts_gather(void)
{
	struct fence_facts facts = { .verifier = "" };
	struct utsname names;
	struct rlimit limit;
	char text[64];

	if (uname(&names) == 0)
		sscanf(names.release, "%u.%u", &facts.major, &facts.minor);
	if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0)
		facts.lockable_bytes = limit.rlim_cur;
	read_status(&facts);
	facts.in_user_namespace = in_user_namespace();
	read_line("/sys/kernel/security/lockdown", "", text, sizeof(text));
	facts.locked_down = strstr(text, "[confidentiality]") != NULL;
	return facts;
}

/* ---- what follows ------------------------------------------------------------------------------ */

static bool is_before(const struct fence_facts *facts, unsigned major, unsigned minor)
{
	return facts->major != 0 && (facts->major < major ||
				     (facts->major == major && facts->minor < minor));
}

__attribute__((format(printf, 3, 4)))
static void say(struct fence_refusal *refusal, enum fence_obstacle obstacle, const char *format, ...)
{
	va_list arguments;

	refusal->obstacle = obstacle;
	va_start(arguments, format);
	vsnprintf(refusal->why, sizeof(refusal->why), format, arguments);
	va_end(arguments);
}

static void judge_permission(const struct fence_facts *facts, struct fence_refusal *refusal)
{
	if (!facts->may_load || !facts->may_attach)
		say(refusal, FENCE_NO_PERMISSION, "hbd lacks %s, which root has unless the unit's "
		    "CapabilityBoundingSet= takes it away",
		    facts->may_load ? "CAP_NET_ADMIN" : "CAP_BPF");
	else if (facts->in_user_namespace)
		say(refusal, FENCE_NO_PERMISSION, "hbd runs in a user namespace, from which the kernel "
		    "takes no programs; run it as root of the machine");
	else if (facts->locked_down)
		say(refusal, FENCE_LOCKDOWN, "the kernel is locked down for confidentiality; "
		    "\"integrity\" would do (lockdown= on its command line)");
	else if (is_before(facts, 5, 11) && facts->lockable_bytes < LOCKED_BYTES_ENOUGH)
		say(refusal, FENCE_NO_LOCKED_MEMORY, "hbd may lock only %llu bytes of memory; set "
		    "LimitMEMLOCK=infinity in the unit", (unsigned long long)facts->lockable_bytes);
	else if (facts->filters_calls)
		say(refusal, FENCE_NO_PERMISSION, "a filter of system calls forbids bpf(2); "
		    "SystemCallFilter= of the unit must allow it");
	else
		say(refusal, FENCE_NO_PERMISSION, "the kernel forbids bpf(2), perhaps by a security "
		    "module; its log may say more");
}

void fence_facts_judge(const struct fence_facts *facts, struct fence_refusal *ret_refusal)
{
	if (is_before(facts, 5, 8))
		say(ret_refusal, FENCE_KERNEL_TOO_OLD, "Linux %u.%u is too old, 5.8 is needed",
		    facts->major, facts->minor);
	else if (facts->error == -ENOSYS)
		say(ret_refusal, FENCE_KERNEL_TOO_OLD, "%s",
		    facts->filters_calls ? "there is no bpf(2): the kernel was built without it, or a "
					   "filter of system calls hides it"
					 : "the kernel was built without CONFIG_BPF_SYSCALL");
	else if (facts->error == -EPERM)
		judge_permission(facts, ret_refusal);
	else
		say(ret_refusal, FENCE_FAILED, "the kernel does not take the program: %s%s%.120s",
		    log_strerror(facts->error), facts->verifier[0] != '\0' ? ": " : "",
		    facts->verifier);
}
