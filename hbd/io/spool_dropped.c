#include "spool_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <jansson.h>

#define DROPPED_NAME "dropped.json"

void spool_save_dropped(struct spool *spool)
{
	json_t *object = json_object();
	char *text;
	int result;

	for (size_t i = 0; i < spool->config.key_count; i++)
		if (spool->dropped[i])
			json_object_set_new(object, spool->config.keys[i],
					    json_integer((json_int_t)spool->dropped[i]));
	text = object ? json_dumps(object, 0) : NULL;
	result = text ? spool_use_directory(spool) : -ENOMEM;
	if (result == 0)
		result = json_object_size(object) ?
			 spool_file_save(spool->directory_fd, DROPPED_NAME, text) :
			 spool_file_remove(spool->directory_fd, DROPPED_NAME);
	if (result < 0)
		spool_complain(spool, result, "write how many alerts were dropped");
	free(text);
	json_decref(object);
}

void spool_load_dropped(struct spool *spool)
{
	char *text = NULL;
	json_t *object;

	if (spool_file_load(spool->directory_fd, DROPPED_NAME, &text) < 0)
		return;
	object = json_loads(text, 0, NULL);
	for (size_t i = 0; i < spool->config.key_count; i++) {
		json_int_t count = json_integer_value(json_object_get(object,
								      spool->config.keys[i]));

		spool->dropped[i] = count > 0 ? (uint64_t)count : 0;
	}
	json_decref(object);
	free(text);
}

uint64_t spool_dropped(const struct spool *spool, size_t target)
{
	return spool->dropped[target];
}

void spool_dropped_told(struct spool *spool, size_t target, uint64_t count)
{
	spool->dropped[target] -= count;
	spool_save_dropped(spool);
}
