/*
 * Maintenance: the operator works on this machine, so it is to serve nothing (PROTOCOL.md 6.5).
 *
 * A node in maintenance
 *	- hands every group that it serves to its peer, by a planned move (make before break);
 *	- claims nothing, whatever becomes of its peer;
 *	- goes on granting, so that the peer's leases are what they were;
 *	- says so: in its heartbeats, in status, in an alert when it begins, once a day, and at the end.
 *
 * It never stops a service. While the peer cannot take a group this node goes on serving it, and
 * hands it over as soon as the peer can; what it handed over and nobody took it takes back. But what
 * the peer has served since, or what this node lost, it does not claim.
 *
 * The word is the operator's; who keeps it over a restart is io/maintenance.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct hbd_maintenance {
	bool on;
	int64_t since_ns;		/* it began, or this process began in it */
	int64_t remind_ns;		/* humans are told again then */
	int64_t unserved_since_ns;	/* nobody is known to serve what this node does not claim; 0 */
	bool unserved_told;		/* an alert for that was raised */
};
