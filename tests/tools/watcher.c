/*
 * watcher [--late-ms N] [--output FILE]: sees the machine stall, independently of what is tested.
 *
 * One thread per processor, at the highest real-time priority, sleeps a millisecond at a time and
 * notes every wake-up that is later than N ms (default 5): a line "BEGIN_NS END_NS CPU" on
 * CLOCK_BOOTTIME, and with "machine" in place of CPU when all stood still at once. At the end
 * (SIGTERM, SIGINT) one JSON object on standard output:
 *
 *	processors realtime	how many threads watched, and whether with real-time priority
 *	stalls longest_ms	of single processors
 *	machine_stalls machine_longest_ms	times when all of them stood still at once
 */
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../lib/stalls.h"
#include "../lib/tool.h"

#define SLEEP_NS TOOL_MS_NS
#define PRIORITY 98

struct watcher {
	struct stalls stalls;
	pthread_mutex_t lock;
	const volatile bool *stop;
	FILE *output;
	int64_t late_ns;
	bool realtime;
};

struct thread {
	struct watcher *watcher;
	pthread_t id;
	size_t index;
	int cpu;
};

static void say(struct watcher *watcher, struct stalls_span span, const char *who)
{
	if (!watcher->output)
		return;
	fprintf(watcher->output, "%lld %lld %s\n", (long long)span.begin_ns,
		(long long)span.end_ns, who);
	fflush(watcher->output);
}

static void note(struct thread *thread, struct stalls_span stall)
{
	struct watcher *watcher = thread->watcher;
	struct stalls_span machine;
	char cpu[16];

	snprintf(cpu, sizeof(cpu), "%d", thread->cpu);
	pthread_mutex_lock(&watcher->lock);
	say(watcher, stall, cpu);
	if (stalls_add(&watcher->stalls, thread->index, stall, &machine))
		say(watcher, machine, "machine");
	pthread_mutex_unlock(&watcher->lock);
}

static void *watch(void *context)
{
	struct thread *thread = context;
	struct watcher *watcher = thread->watcher;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET((size_t)thread->cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) < 0)
		tool_fail("watch processor %d", thread->cpu);
	if (!tool_realtime(PRIORITY))
		watcher->realtime = false;
	while (!*watcher->stop) {
		int64_t due_ns = tool_now_ns() + SLEEP_NS, now_ns;
		struct timespec until = {due_ns / TOOL_S_NS, due_ns % TOOL_S_NS};

		while (clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &until, NULL) == EINTR &&
		       !*watcher->stop)
			continue;
		now_ns = tool_now_ns();
		if (now_ns - due_ns >= watcher->late_ns)
			note(thread, (struct stalls_span){due_ns, now_ns});
	}
	return NULL;
}

static size_t start(struct watcher *watcher, struct thread *threads)
{
	size_t count = 0;
	cpu_set_t cpus;

	if (sched_getaffinity(0, sizeof(cpus), &cpus) < 0)
		tool_fail("find the processors");
	watcher->stalls.processors = (size_t)CPU_COUNT(&cpus);
	if (watcher->stalls.processors > STALLS_PROCESSORS_MAX)
		watcher->stalls.processors = STALLS_PROCESSORS_MAX;
	for (int cpu = 0; cpu < CPU_SETSIZE && count < watcher->stalls.processors; cpu++) {
		if (!CPU_ISSET((size_t)cpu, &cpus))
			continue;
		threads[count] = (struct thread){.watcher = watcher, .index = count, .cpu = cpu};
		errno = pthread_create(&threads[count].id, NULL, watch, &threads[count]);
		if (errno)
			tool_fail("thread");
		count++;
	}
	return count;
}

static void usage(void)
{
	fputs("usage: watcher [--late-ms N] [--output FILE]\n", stderr);
	exit(2);
}

static void parse(int argc, char **argv, struct watcher *watcher)
{
	static const struct option names[] = {{"late-ms", required_argument, NULL, 'l'},
					      {"output", required_argument, NULL, 'o'},
					      {NULL, 0, NULL, 0}};
	int letter;

	while ((letter = getopt_long(argc, argv, "", names, NULL)) >= 0) {
		if (letter == 'l')
			watcher->late_ns = TOOL_MS_NS * tool_number("--late-ms", optarg, 1, 60000);
		else if (letter != 'o')
			usage();
		else if (!(watcher->output = fopen(optarg, "we")))
			tool_fail("%s", optarg);
	}
	if (optind != argc)
		usage();
}

int main(int argc, char **argv)
{
	struct watcher watcher = {.late_ns = 5 * TOOL_MS_NS, .realtime = true};
	struct thread threads[STALLS_PROCESSORS_MAX];
	size_t count;

	parse(argc, argv, &watcher);
	watcher.stop = tool_stop_flag(NULL);
	pthread_mutex_init(&watcher.lock, NULL);
	count = start(&watcher, threads);
	fputs("ready\n", stderr);
	for (size_t i = 0; i < count; i++)
		pthread_join(threads[i].id, NULL);
	printf("{\"processors\":%zu,\"realtime\":%s,\"stalls\":%zu,\"longest_ms\":%.3f,"
	       "\"machine_stalls\":%zu,\"machine_longest_ms\":%.3f}\n",
	       count, watcher.realtime ? "true" : "false", watcher.stalls.count,
	       (double)watcher.stalls.longest_ns / TOOL_MS_NS, watcher.stalls.machine_count,
	       (double)watcher.stalls.machine_longest_ns / TOOL_MS_NS);
	return 0;
}
