#include "tool.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

/* Signal handlers have no other way to say something. */
static volatile bool stop_flag, mark_flag;

int64_t tool_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * TOOL_S_NS + now.tv_nsec;
}

bool tool_realtime(int priority)
{
	struct sched_param param = {.sched_priority = priority};
	bool locked = mlockall(MCL_CURRENT | MCL_FUTURE) == 0;

	return sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &param) == 0 && locked;
}

int64_t tool_number(const char *what, const char *text, int64_t min, int64_t max)
{
	char *end;
	long long number;

	errno = 0;
	number = strtoll(text, &end, 10);
	if (errno || end == text || *end || number < min || number > max) {
		fprintf(stderr, "%s: %s: '%s' is not a number from %lld to %lld\n",
			program_invocation_short_name, what, text, (long long)min, (long long)max);
		exit(2);
	}
	return number;
}

void tool_fail(const char *format, ...)
{
	int error = errno;
	va_list arguments;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	if (error)
		fprintf(stderr, ": %s", strerror(error));
	fputc('\n', stderr);
	exit(1);
}

static void on_signal(int number)
{
	if (number == SIGUSR1)
		mark_flag = true;
	else
		stop_flag = true;
}

const volatile bool *tool_stop_flag(const volatile bool **ret_mark)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (ret_mark)
		*ret_mark = &mark_flag;
	return &stop_flag;
}
