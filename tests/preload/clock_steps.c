/*
 * LD_PRELOAD of a daemon whose CLOCK_REALTIME shall be set while it runs: Linux has one such clock for
 * all namespaces, and it is not a test's to set.
 *
 * CLOCK_STEPS names a file of up to 8 struct steps, in the host's byte order, all zeros at first. From
 * at_ns on (of the true clock) the process sees the clock offset_ns ahead; with a period the clock is
 * set forth and back each period. It sees so what it asks for, and the kernel's receive times of
 * datagrams: one that was stamped before a step keeps the time from before it, as on a machine.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define S_NS INT64_C(1000000000)
#define STEPS 8

struct step {
	int64_t at_ns;		/* 0 = none */
	int64_t offset_ns;
	int64_t period_ns;	/* 0 = once */
};

typedef int (*clock_function)(clockid_t id, struct timespec *ret_now);
typedef int (*batch_function)(int fd, struct mmsghdr *batch, unsigned int count, int flags,
			      struct timespec *timeout);

/* An interposed function has no context but the process. */
static const volatile struct step *steps;
static clock_function true_clock;
static batch_function true_batch;

/* The C library's, which ours stand before. */
static void find(const char *name, void *ret_function)
{
	void *found = dlsym(RTLD_NEXT, name);

	if (!found)
		abort();
	memcpy(ret_function, &found, sizeof(found));
}

__attribute__((constructor)) static void start(void)
{
	const char *path = getenv("CLOCK_STEPS");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *map;

	find("clock_gettime", &true_clock);
	find("recvmmsg", &true_batch);
	if (fd < 0)
		return;
	map = mmap(NULL, STEPS * sizeof(struct step), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (map != MAP_FAILED)
		steps = map;
}

static int64_t offset_ns(int64_t true_ns)
{
	int64_t sum_ns = 0;

	for (size_t i = 0; steps && i < STEPS; i++) {
		int64_t at_ns = steps[i].at_ns, period_ns = steps[i].period_ns;

		if (at_ns == 0 || true_ns < at_ns)
			continue;
		if (period_ns == 0 || (true_ns - at_ns) / period_ns % 2 == 0)
			sum_ns += steps[i].offset_ns;
	}
	return sum_ns;
}

static void shift(struct timespec *instant)
{
	int64_t true_ns = instant->tv_sec * S_NS + instant->tv_nsec;
	int64_t seen_ns = true_ns + offset_ns(true_ns);

	instant->tv_sec = seen_ns / S_NS;
	instant->tv_nsec = seen_ns % S_NS;
}

int clock_gettime(clockid_t id, struct timespec *ret_now)
{
	int result;

	if (!true_clock)	/* before our constructor ran */
		find("clock_gettime", &true_clock);
	result = true_clock(id, ret_now);
	if (result == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		shift(ret_now);
	return result;
}

time_t time(time_t *ret_now)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (ret_now)
		*ret_now = now.tv_sec;
	return now.tv_sec;
}

int gettimeofday(struct timeval *restrict ret_now, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	ret_now->tv_sec = now.tv_sec;
	ret_now->tv_usec = now.tv_nsec / 1000;
	return 0;
}

static void shift_stamps(struct msghdr *header)
{
	for (struct cmsghdr *item = CMSG_FIRSTHDR(header); item; item = CMSG_NXTHDR(header, item)) {
		struct timespec stamp;

		if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&stamp, CMSG_DATA(item), sizeof(stamp));
		shift(&stamp);
		memcpy(CMSG_DATA(item), &stamp, sizeof(stamp));
	}
}

int recvmmsg(int fd, struct mmsghdr *batch, unsigned int count, int flags, struct timespec *timeout)
{
	int received = true_batch(fd, batch, count, flags, timeout);

	for (int i = 0; i < received; i++)
		shift_stamps(&batch[i].msg_hdr);
	return received;
}
