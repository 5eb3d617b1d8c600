#include "fence_program.h"

#include <assert.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fence.skel.h>
#include <linux/pkt_cls.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../base/log.h"
#include "../core/time.h"
#include "clock.h"
#include "fence_refusal.h"

static_assert(FENCE_GROUPS == HBD_GROUPS_MAX, "every group has a deadline");
static_assert(sizeof(_Atomic int64_t) == 8, "a deadline is stored as the kernel reads it");

/* linux/bpf.h has these since 6.6. */
#define TCX_INGRESS 46
#define TCX_EGRESS 47

#define VERIFIER_BYTES 4096

/* ---- loading ----------------------------------------------------------------------------------- */

static int size_maps(struct fence_program *program, size_t addresses)
{
	struct fence_bpf *skeleton = program->skeleton;
	uint32_t room = addresses < UINT32_MAX ? (uint32_t)addresses : UINT32_MAX;
	int error;

	/* One more for the test. */
	error = bpf_map__set_max_entries(skeleton->maps.fence_addresses4, room + 1);
	if (error == 0)
		error = bpf_map__set_max_entries(skeleton->maps.fence_addresses6, room + 1);
	if (error == 0)
		error = bpf_map__set_max_entries(skeleton->maps.fence_counters,
						 program->processors * FENCE_SLOTS);
	return error;
}

/* The last line of what the kernel says of a program that it does not take, without the count of
 * steps that ends it. */
static char *last_words(char *text)
{
	char *end = strstr(text, "processed "), *line;

	if (end)
		*end = '\0';
	while ((line = strrchr(text, '\n')) && line[1] == '\0')
		*line = '\0';
	return line ? line + 1 : text;
}

static int load(struct fence_program *program, size_t addresses, struct fence_refusal *ret_refusal)
{
	char verifier[VERIFIER_BYTES] = "";
	LIBBPF_OPTS(bpf_object_open_opts, options, .kernel_log_buf = verifier,
		    .kernel_log_size = sizeof(verifier));
	struct fence_facts facts = fence_facts_gather();
	/* Who may load need not be allowed to attach, and would be told so too late. */
	int error = facts.may_attach ? 0 : -EPERM;

	/* It is told here what went wrong, once and in words. */
	libbpf_set_print(NULL);
	if (error == 0) {
		program->skeleton = fence_bpf__open_opts(&options);
		error = program->skeleton ? 0 : -errno;
	}
	if (error == 0)
		error = size_maps(program, addresses);
	if (error == 0)
		error = fence_bpf__load(program->skeleton);
	if (error == 0)
		return 0;
	facts.error = error;
	facts.verifier = last_words(verifier);
	fence_facts_judge(&facts, ret_refusal);
	return error;
}

/* ---- sharing ----------------------------------------------------------------------------------- */

static size_t whole_pages(size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (bytes + page - 1) / page * page;
}

static size_t deadlines_bytes(void)
{
	return whole_pages(FENCE_DEADLINES * sizeof(int64_t));
}

static size_t counts_bytes(const struct fence_program *program)
{
	return whole_pages(program->processors * FENCE_SLOTS * sizeof(struct fence_counts));
}

static int map_memory(const struct bpf_map *map, size_t bytes, int protection, void **ret_memory)
{
	void *memory = mmap(NULL, bytes, protection, MAP_SHARED, bpf_map__fd(map), 0);

	if (memory == MAP_FAILED)
		return -errno;
	*ret_memory = memory;
	return 0;
}

static int share(struct fence_program *program)
{
	struct fence_bpf *skeleton = program->skeleton;
	void *deadlines, *counts;
	int error = map_memory(skeleton->maps.fence_deadlines, deadlines_bytes(),
			       PROT_READ | PROT_WRITE, &deadlines);

	if (error != 0)
		return error;
	program->deadlines_ns = deadlines;
	error = map_memory(skeleton->maps.fence_counters, counts_bytes(program), PROT_READ, &counts);
	if (error == 0)
		program->counts = counts;
	return error;
}

static int note_program(const struct bpf_program *from, struct fence_tc_program *ret_program)
{
	struct bpf_prog_info info = { 0 };
	uint32_t bytes = sizeof(info);
	int fd = bpf_program__fd(from);
	int error = bpf_obj_get_info_by_fd(fd, &info, &bytes);

	if (error == 0)
		*ret_program = (struct fence_tc_program){ .fd = fd, .id = info.id };
	return error;
}

static int note_programs(struct fence_program *program)
{
	const struct fence_bpf *skeleton = program->skeleton;
	struct fence_tc_programs *attach = &program->attach;
	int error = note_program(skeleton->progs.hbd_fence_in, &attach->ethernet[FENCE_IN]);

	if (error == 0)
		error = note_program(skeleton->progs.hbd_fence_out, &attach->ethernet[FENCE_OUT]);
	if (error == 0)
		error = note_program(skeleton->progs.hbd_fence_in_l3, &attach->payload[FENCE_IN]);
	if (error == 0)
		error = note_program(skeleton->progs.hbd_fence_out_l3, &attach->payload[FENCE_OUT]);
	return error;
}

/* ---- trying ------------------------------------------------------------------------------------ */

/* One that nobody has (RFC 5737), in a frame to it. */
static const uint8_t test_address[4] = { 192, 0, 2, 1 };
static const uint8_t test_frame[60] = {
	2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0,
	0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 2, 192, 0, 2, 1,
};

/* 1 = the frame passes with that deadline, 0 = it does not, or a negative errno. */
static int try_deadline(struct fence_program *program, int64_t deadline_ns)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = test_frame,
		    .data_size_in = sizeof(test_frame));
	int error;

	atomic_store(&program->deadlines_ns[FENCE_PACKETS + FENCE_TEST_GROUP], deadline_ns);
	error = bpf_prog_test_run_opts(program->attach.ethernet[FENCE_IN].fd, &options);
	if (error != 0)
		return error;
	if ((int)options.retval == TC_ACT_UNSPEC)
		return 1;
	return options.retval == TC_ACT_SHOT ? 0 : -EBADMSG;
}

/* -EBADMSG: the program does not do what it should; -ETIME: but it would if its clock were ours. */
static int try_program(struct fence_program *program)
{
	const int64_t margin_ns = 10 * HBD_S_NS;
	const int64_t now_ns = clock_now_ns();
	const struct {
		int64_t deadline_ns;
		int passes, error;
	} rows[] = {
		{ HBD_NEVER_NS, 1, -EBADMSG },
		{ 0, 0, -EBADMSG },
		{ now_ns + margin_ns, 1, -ETIME },
		{ now_ns, 0, -ETIME },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int result = try_deadline(program, rows[i].deadline_ns);

		if (result != rows[i].passes)
			return result < 0 ? result : rows[i].error;
	}
	return 0;
}

static int test(struct fence_program *program, struct fence_refusal *ret_refusal)
{
	int fd = bpf_map__fd(program->skeleton->maps.fence_addresses4);
	const uint32_t group = FENCE_TEST_GROUP;
	int error = bpf_map_update_elem(fd, test_address, &group, BPF_ANY);

	if (error == 0)
		error = try_program(program);
	bpf_map_delete_elem(fd, test_address);
	atomic_store(&program->deadlines_ns[FENCE_PACKETS + FENCE_TEST_GROUP], 0);
	if (error == 0)
		return 0;
	ret_refusal->obstacle = error == -ETIME ? FENCE_OTHER_CLOCK : FENCE_FAILED;
	snprintf(ret_refusal->why, sizeof(ret_refusal->why), "%s%s",
		 error == -ETIME ? "hbd's CLOCK_BOOTTIME is not the kernel's: it runs in a time "
				   "namespace of its own"
				 : "the program does not judge a frame as it should: ",
		 error == -ETIME ? "" : log_strerror(error));
	return error;
}

/* ---- all of it --------------------------------------------------------------------------------- */

int fence_program_open(size_t addresses, struct fence_program *ret_program,
		       struct fence_refusal *ret_refusal)
{
	struct fence_program program = { 0 };
	int processors = libbpf_num_possible_cpus(), error;

	program.processors = processors > 0 ? (unsigned)processors : 1;
	error = load(&program, addresses, ret_refusal);
	if (error != 0)
		goto out;
	error = share(&program);
	if (error == 0)
		error = note_programs(&program);
	if (error != 0) {
		ret_refusal->obstacle = FENCE_FAILED;
		snprintf(ret_refusal->why, sizeof(ret_refusal->why),
			 "cannot share memory with the kernel: %s", log_strerror(error));
		goto out;
	}
	error = test(&program, ret_refusal);
out:
	if (error != 0)
		fence_program_close(&program);
	else
		*ret_program = program;
	return error;
}

void fence_program_close(struct fence_program *program)
{
	if (program->deadlines_ns)
		munmap(program->deadlines_ns, deadlines_bytes());
	if (program->counts)
		munmap((void *)(uintptr_t)program->counts, counts_bytes(program));
	fence_bpf__destroy(program->skeleton);
	*program = (struct fence_program){ 0 };
}

static int map_of(const struct fence_program *program, const struct hbd_address *address,
		  const void **ret_key)
{
	const struct fence_bpf *skeleton = program->skeleton;
	bool v4 = address->family == AF_INET;

	*ret_key = v4 ? (const void *)&address->v4 : (const void *)&address->v6;
	return bpf_map__fd(v4 ? skeleton->maps.fence_addresses4 : skeleton->maps.fence_addresses6);
}

int fence_program_set(struct fence_program *program, const struct hbd_address *address,
		      uint8_t group)
{
	const uint32_t value = group;
	const void *key;
	int fd = map_of(program, address, &key);
	int error = bpf_map_update_elem(fd, key, &value, BPF_ANY);

	return error == -E2BIG ? -ENOSPC : error;
}

void fence_program_unset(struct fence_program *program, const struct hbd_address *address)
{
	const void *key;
	int fd = map_of(program, address, &key);

	bpf_map_delete_elem(fd, key);
}

/* A kernel without tcx refuses to say. */
unsigned fence_program_count_before(int ifindex, enum fence_side side)
{
	uint32_t count = 0;
	int error = bpf_prog_query(ifindex, side == FENCE_IN ? TCX_INGRESS : TCX_EGRESS, 0, NULL,
				   NULL, &count);

	return error == 0 ? count : 0;
}
