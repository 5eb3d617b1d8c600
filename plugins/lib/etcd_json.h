/*
 * What is said to an etcd of version 3 by its JSON gateway, and what it answers: text only, no network.
 *
 * Keys and values travel in base64, 64-bit numbers as strings, and a field that is 0 or false is left
 * out. One request writes: a transaction that puts the value if the key's mod_revision and value are
 * still those given (0: the key does not exist), and reads the key otherwise.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define ETCD_ERROR_BYTES 200

enum etcd_call {
	ETCD_READ = 1,
	ETCD_SWAP,
	ETCD_AUTHENTICATE,
};

/* "/v3/kv/range" ... */
const char *etcd_path(enum etcd_call call);

/* Bodies of requests; the caller's to free, NULL if out of memory. expected: NULL for revision 0. */
char *etcd_read_body(const char *key);
char *etcd_swap_body(const char *key, int64_t revision, const char *expected, const char *value);
char *etcd_authenticate_body(const char *user, const char *password);

enum etcd_result {
	ETCD_SHOWN = 1,		/* revision, and value if revision is not 0 */
	ETCD_SWAPPED,		/* revision */
	ETCD_TOKEN,		/* value is the token */
	ETCD_TOKEN_REFUSED,	/* the token is not known any more */
	ETCD_FAILED,		/* error says why; nobody knows what became of a swap */
};

struct etcd_answer {
	enum etcd_result result;
	int64_t revision;
	char *value;		/* to be freed by etcd_answer_clear(); NULL = none */
	char error[ETCD_ERROR_BYTES];
};

/*
 * Reads the answer of status (HTTP) to call. written: the value of a swap; a refusal that shows this
 * very value says that it was written, by an earlier copy of the request.
 */
void etcd_parse(enum etcd_call call, long status, const char *body, size_t length,
		const char *written, struct etcd_answer *ret_answer);
void etcd_answer_clear(struct etcd_answer *answer);
