/*
 * The guardian: the root process that starts and watches the others.
 *
 * It knows nothing of the protocol and is never in the timing path. It forks the scribe and the
 * engine, opens what needs privilege (link sockets, control socket), runs takeover plugins and
 * checks, and feeds systemd's watchdog as long as the engine makes progress. When the engine dies
 * or hangs it removes the addresses from the kernel, sends the engine's last will on every link,
 * alerts, and starts it again. After start-up it touches no disk and waits for nobody.
 */
#pragma once

#include <stdint.h>

#include "../conf/conf.h"
#include "net_claim.h"
#include "process.h"
#include "run_lock.h"

struct guardian_config {
	struct hbd_conf *conf;		/* checked, with keys; the guardian's to free from now on */
	uint8_t self;			/* node index */
	const char *run_dir;
	const char *state_dir;
	const char *plugin_dir;		/* --plugin-dir; NULL = the usual places */
	struct run_lock *lock;		/* held */
	struct net_claim *claim;	/* held; NULL = others will not notice this daemon */
};

/*
 * Runs until SIGTERM or SIGINT and everything is released: 0; or a negative errno if it could not
 * start, which it said. SIGHUP reloads: see guardian_reload.h.
 */
int guardian_run(const struct guardian_config *config);
