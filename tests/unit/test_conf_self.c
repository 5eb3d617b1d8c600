#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <errno.h>
#include <cmocka.h>

#include "conf_fixture.h"

struct self_case {
	const char *says;
	const char *nodes[HBD_NODES];	/* names; NULL = lb1 and lb2 */
	const char *name, *host_name;
	const char *addresses[4];	/* of this machine */
	int self;
};

static const struct self_case cases[] = {
	{ "the name decides", { NULL, NULL }, "lb2", "lb1", { "10.78.0.1", "10.77.0.1" }, 1 },
	{ "a name that is no node's is a mistake", { NULL, NULL }, "lb3", "lb1", { NULL }, -ENOENT },
	{ "a name is not shortened", { NULL, NULL }, "lb1.example.org", "lb1", { NULL }, -ENOENT },
	{ "then the host name", { NULL, NULL }, NULL, "lb1", { "10.78.0.2", "10.77.0.2" }, 0 },
	{ "without its domain", { NULL, NULL }, NULL, "lb2.example.org", { NULL }, 1 },
	{ "or with one", { "lb1.example.org", "lb2.example.org" }, NULL, "lb2", { NULL }, 1 },
	{ "the whole host name first", { "lb.east", "lb.west" }, NULL, "lb.west", { NULL }, 1 },
	{ "a part that fits both fits none", { "lb.east", "lb.west" }, NULL, "lb", { NULL }, -ENOENT },
	{ "a host name that begins alike is another", { NULL, NULL }, NULL, "lb10", { NULL }, -ENOENT },
	{ "then the addresses", { NULL, NULL }, NULL, "box",
	  { "127.0.0.1", "10.77.0.2", "fd77::2", "10.78.0.2" }, 1 },
	{ "without a host name, too", { NULL, NULL }, NULL, NULL, { "10.77.0.1", "10.78.0.1" }, 0 },
	{ "all of them", { NULL, NULL }, NULL, "box", { "10.78.0.1" }, -ENOENT },
	{ "of one node only", { NULL, NULL }, NULL, "box",
	  { "10.78.0.1", "10.77.0.1", "10.78.0.2", "10.77.0.2" }, -ENOENT },
	{ "or it is none", { NULL, NULL }, NULL, "box", { NULL }, -ENOENT },
};

static size_t parse(const char *const *texts, struct hbd_address *ret_addresses)
{
	size_t count = 0;

	for (; count < 4 && texts[count]; count++) {
		struct hbd_address *address = &ret_addresses[count];

		address->family = strchr(texts[count], ':') ? AF_INET6 : AF_INET;
		assert_int_equal(inet_pton(address->family, texts[count], &address->v6), 1);
	}
	return count;
}

static void a_node_finds_itself(void **state)
{
	struct hbd_conf *conf = loaded(full_text);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct self_case *row = &cases[i];
		struct hbd_address addresses[4];
		size_t count = parse(row->addresses, addresses);
		int self;

		strcpy(conf->nodes[0].name, row->nodes[0] ? row->nodes[0] : "lb1");
		strcpy(conf->nodes[1].name, row->nodes[1] ? row->nodes[1] : "lb2");
		self = conf_self(conf, row->name, row->host_name, addresses, count);
		if (self != row->self)
			fail_msg("%s: %d, expected %d", row->says, self, row->self);
	}
	conf_free(conf);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_node_finds_itself) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
