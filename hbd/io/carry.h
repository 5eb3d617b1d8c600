/*
 * The state of a node on its way from one hbd to the next one: in memory that no file system knows, kept
 * by systemd's store of descriptors while the service restarts, and dropped there when it stops.
 *
 * What is taken from there is emptied before it is looked at, so that no state is used twice.
 */
#pragma once

#include <stdint.h>

#include "../conf/conf.h"
#include "../flight/state.h"
#include "notify.h"

#define CARRY_ORIGIN_BYTES 512

/* Who may take the state: this boot, cluster, node and run directory. 0 or a negative errno. */
int carry_origin(const struct hbd_conf *conf, uint8_t self, const char *run_dir,
		 char ret_origin[CARRY_ORIGIN_BYTES]);

/* Memory for it, close-on-exec. 0 or a negative errno. */
int carry_open(int *ret_fd);

/* Writes the state of a node into it. 0 or a negative errno. */
int carry_write(int fd, const char *origin, const struct hbd_node *node);

/* Hands it to the service manager. 0; -ENOTCONN: there is none; or a negative errno. */
int carry_store(const struct notify *notify, int fd);

/*
 * Reads, and empties, what is in fd, which stays the caller's. 0 with *ret_state, which the caller
 * wipes and frees; -EBADMSG, with a sentence in why; or another negative errno.
 */
int carry_read(int fd, const char *origin, struct flight_state **ret_state,
	       char why[FLIGHT_WHY_BYTES]);

/*
 * Takes what the service manager kept for this start, and reads it. As carry_read(); -ENOENT: nothing.
 */
int carry_take(const struct notify *notify, const char *origin, struct flight_state **ret_state,
	       char why[FLIGHT_WHY_BYTES]);
