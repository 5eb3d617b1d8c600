/*
 * Requests to an etcd through several endpoints, in the background: the caller polls.
 *
 * A request goes to the endpoint that answered last. If that refuses it, or has not answered after
 * 30 ms, the same request goes to the next one, too, and so on; the first good answer counts. To send a
 * swap twice is harmless: the second copy finds another revision, and the very value that it was to
 * write, which says that the first was done. So a dead or slow server costs 30 ms, once.
 */
#pragma once

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

#include "etcd_json.h"
#include "etcd_settings.h"

#define ETCD_REQUESTS_MAX 64

/* Called once for every request that was begun; answer->result is SHOWN, SWAPPED or FAILED. */
typedef void (*etcd_handler)(int64_t id, enum etcd_call call, const struct etcd_answer *answer);

struct etcd_client;

/* NULL if libcurl cannot be used. settings outlive it. */
struct etcd_client *etcd_client_new(const struct etcd_settings *settings, etcd_handler handler);

/* Requests under way are given up; their handler is not called. */
void etcd_client_free(struct etcd_client *client);

/* Begins request id, which is > 0 and new: call is READ, or SWAP of what is expected, NULL if there is
 * nothing. False if too many are under way. */
bool etcd_client_begin(struct etcd_client *client, int64_t id, enum etcd_call call, const char *key,
		       int64_t revision, const char *expected, const char *value);

/* Does what can be done now, waits until there is more or until fd can be read, and returns whether it
 * can; negative if libcurl fails. */
int etcd_client_poll(struct etcd_client *client, int fd);
