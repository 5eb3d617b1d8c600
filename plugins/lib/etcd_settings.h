/* The settings of the etcd witness, read from the first line that hbd sends. */
#pragma once

#include <jansson.h>

#define ETCD_ENDPOINTS_MAX 9

struct etcd_settings {
	json_t *document;		/* owns the strings */
	size_t endpoint_count;
	const char *endpoints[ETCD_ENDPOINTS_MAX];	/* without a final slash */
	const char *prefix;		/* of keys, "/hbd/" */
	const char *ca, *cert, *key;	/* paths; NULL = none */
	const char *user;		/* NULL = no authentication */
	char *password;
	long timeout_ms;		/* of one request, all endpoints together */
};

/* Ends the program, with the reason on standard error, if line is not good. */
void etcd_settings_read(const char *line, size_t length, struct etcd_settings *ret_settings);
void etcd_settings_clear(struct etcd_settings *settings);
