#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "judge_parts.h"
#include "status.h"

/* A group that is being handed over or elected is not yet an outage. */
static bool is_moving(const json_t *group, const json_t *peer_view)
{
	return status_flag(group, "resigned") || status_flag(peer_view, "resigned") ||
	       status_is(group, "role", "releasing") || status_is(peer_view, "role", "releasing");
}

/* Whose address it is, and which: "192.0.2.100 on eth0 (02:00:00:00:00:09)"; else the group. */
static const char *conflict_text(const json_t *group, char *text, size_t bytes)
{
	const json_t *conflict = json_object_get(group, "conflict");

	if (!json_is_object(conflict))
		return status_string(group, "name");
	snprintf(text, bytes, "%s on %s (%s)", status_string(conflict, "address"),
		 status_string(conflict, "interface"), status_string(conflict, "station"));
	return text;
}

static void own_conflict(const struct judge_scene *scene, const json_t *group)
{
	char what[160];
	struct judge_finding *finding =
		judge_tell(scene, JUDGE_CRITICAL, "A stranger uses %s, which %s serves for %s: some "
			   "clients may reach the stranger instead.",
			   conflict_text(group, what, sizeof(what)), scene->self_name,
			   status_string(group, "name"));

	judge_advise(finding, "Find that machine by its Ethernet address, on the switch, and give it "
			      "another address.");
}

/* True if it was told that the peer is about to go on. */
static bool peer_restarts(const struct judge_scene *scene, const json_t *group)
{
	struct judge_finding *finding;

	if (!status_has(scene->peer, "restarting_ms") || scene->peer_heard)
		return false;
	finding = judge_tell(scene, JUDGE_WARNING, "%s served %s, and its addresses stay there while "
			     "hbd restarts.", scene->peer_name, status_string(group, "name"));
	judge_advise(finding, "Nothing yet: if hbd is not back in time, %s takes over.",
		     scene->self_name);
	return true;
}

static void nobody_owns(const struct judge_scene *scene, const json_t *group,
			const json_t *peer_view)
{
	const char *name = status_string(group, "name");
	const json_t *witness = json_object_get(group, "witness");
	const json_t *gateway = json_object_get(group, "gateway");
	struct judge_finding *finding;
	char what[160];

	if (status_flag(json_object_get(scene->status, "maintenance"), "on") &&
	    !is_moving(group, peer_view)) {
		finding = judge_tell(scene, JUDGE_CRITICAL, "Nobody serves %s%s: %s is in "
				     "maintenance and takes nothing over.", name,
				     scene->peer_heard ? "" : " as far as this node knows",
				     scene->self_name);
		judge_advise(finding, "To have %s serve it now, on %s: 'hbctl maintenance off'. Else "
				      "repair %s.", scene->self_name, scene->self_name,
			     scene->peer_name);
	} else if (status_is(group, "answered_by", "peer")) {
		finding = judge_tell(scene, JUDGE_WARNING, "%s is not heard, but it answers for %s "
				     "on the LAN: its heartbeats are lost.", scene->peer_name,
				     name);
		judge_advise(finding, "Check the heartbeat links: cables, switches, and firewalls "
				      "(UDP port %" PRId64 ") on both nodes.",
			     status_number(json_object_get(scene->status, "configuration"),
					   "port"));
	} else if (status_flag(witness, "refused")) {
		finding = judge_tell(scene, JUDGE_WARNING, "%s is not heard, but it has the "
				     "witness's vote for %s: its heartbeats are lost, or it died a "
				     "moment ago.", scene->peer_name, name);
		judge_advise(finding, "Check the heartbeat links and %s itself. %s takes over when %s "
				      "no longer renews its vote.", scene->peer_name,
			     scene->self_name, scene->peer_name);
	} else if (status_flag(gateway, "isolated")) {
		finding = judge_tell(scene, JUDGE_CRITICAL, "%s hears neither %s nor the gateway %s: it "
				     "seems to be cut off, and does not take %s over.",
				     scene->self_name, scene->peer_name,
				     status_string(gateway, "address"), name);
		judge_advise(finding, "Begin here, on %s: cables, 'ip link', the switch; then look at "
				      "the gateway. One that answers, or %s, is enough.",
			     scene->self_name, scene->peer_name);
	} else if (status_flag(witness, "wanted") && !scene->peer_heard) {
		finding = judge_tell(scene, JUDGE_CRITICAL, "%s hears neither %s nor the witness, so it "
				     "may not take %s over; whether anybody serves it is not known.",
				     scene->self_name, scene->peer_name, name);
		judge_advise(finding, "Bring the witness or %s back; either is enough.",
			     scene->peer_name);
	} else if (status_is(group, "answered_by", "stranger")) {
		finding = judge_tell(scene, JUDGE_CRITICAL, "A machine that is not known to be %s "
				     "answers for %s on the LAN; %s does not take %s over.",
				     scene->peer_name, conflict_text(group, what, sizeof(what)),
				     scene->self_name, name);
		judge_advise(finding, "Find it by its Ethernet address, on the switch: it may be %s, "
				      "unheard, or use the address by mistake.", scene->peer_name);
	} else if (is_moving(group, peer_view)) {
		finding = judge_tell(scene, JUDGE_WARNING, "%s is between two owners right now.",
				     name);
		judge_advise(finding, "Nothing yet: look again in a moment.");
	} else if (status_is(group, "role", "quiet")) {
		finding = judge_tell(scene, JUDGE_WARNING,
				     "%s has just started and listens before it claims; nobody is "
				     "known to serve %s yet.",
				     scene->self_name, name);
		judge_advise(finding, "Nothing yet: look again in a few seconds.");
	} else {
		finding = judge_tell(scene, JUDGE_CRITICAL, "Nobody serves %s%s.", name,
				     scene->peer_heard ? "" : " as far as this node knows");
		judge_advise(finding, "Repair what is reported below on %s or on %s; whichever is "
				      "healthy first takes it by itself.",
			     scene->self_name, scene->peer_name);
	}
}

static void two_own(const struct judge_scene *scene, const json_t *group)
{
	struct judge_finding *finding =
		judge_tell(scene, JUDGE_CRITICAL, "%s and %s both own %s.", scene->self_name,
			   scene->peer_name, status_string(group, "name"));

	judge_advise(finding, "They hear each other, so one lets go at once. If this stays, stop "
			      "hbd on one of them: 'systemctl stop hbd'.");
}

/* Which plugin, and why, if that is known: " (postgresql: Connection timed out)". */
static const char *failure_text(const json_t *group, char *text, size_t bytes)
{
	const json_t *failure = json_object_get(group, "last_failure");

	text[0] = '\0';
	if (json_is_object(failure))
		snprintf(text, bytes, " (%s: %s)",
			 status_has(failure, "plugin") ? status_string(failure, "plugin")
						       : "addresses",
			 status_string(failure, "error"));
	return text;
}

/* "fd77::100/64 dev eth0 and 2 more (why)". */
static const char *refusal_text(const json_t *refusal, char *text, size_t bytes)
{
	int64_t more = status_number(refusal, "count") - 1;
	char count[32] = "";

	if (more > 0)
		snprintf(count, sizeof(count), " and %" PRId64 " more", more);
	snprintf(text, bytes, "%s%s (%s)", status_string(refusal, "first"), count,
		 status_string(refusal, "why"));
	return text;
}

/* The kernel refuses all addresses of the group, or some. */
static void own_refusal(const struct judge_scene *scene, const json_t *group)
{
	const json_t *refusal = json_object_get(group, "refusal");
	const char *name = status_string(group, "name");
	char what[JUDGE_SENTENCE_BYTES];
	struct judge_finding *finding;

	refusal_text(refusal, what, sizeof(what));
	if (status_lists(group, "faults", "refused"))
		finding = judge_tell(scene, JUDGE_CRITICAL, "%s cannot serve %s: its kernel refuses "
				     "%s.", scene->self_name, name, what);
	else if (status_owns(group))
		finding = judge_tell(scene, JUDGE_CRITICAL, "%s serves %s without %s, which its "
				     "kernel refuses, and %s is no better.", scene->self_name, name,
				     what, scene->peer_name);
	else
		finding = judge_tell(scene, JUDGE_WARNING, "%s is no good standby for %s: its kernel "
				     "would refuse %s.", scene->self_name, name, what);
	if (status_has(refusal, "remedy"))
		judge_advise(finding, "'%s' on %s; hbd goes on by itself.",
			     status_string(refusal, "remedy"), scene->self_name);
	else
		judge_advise(finding, "See 'journalctl -u hbd' on %s; hbd tries again by itself.",
			     scene->self_name);
}

static void own_hard_faults(const struct judge_scene *scene, const json_t *group)
{
	const char *name = status_string(group, "name");
	struct judge_finding *finding;
	char why[JUDGE_SENTENCE_BYTES];

	if (status_lists(group, "faults", "interface")) {
		finding = judge_tell(scene, JUDGE_CRITICAL,
				     "%s cannot serve %s: an interface of its addresses is "
				     "missing, down or without carrier.",
				     scene->self_name, name);
		judge_advise(finding, "Check the cable and 'ip link' on %s; hbd goes on by itself.",
			     scene->self_name);
	}
	if (status_lists(group, "faults", "address")) {
		finding = judge_tell(scene, JUDGE_CRITICAL,
				     "%s cannot serve %s: the kernel refused an address.",
				     scene->self_name, name);
		judge_advise(finding, "See which and why: 'journalctl -u hbd' on %s.",
			     scene->self_name);
	}
	if (status_lists(group, "faults", "takeover")) {
		finding = judge_tell(scene, JUDGE_CRITICAL, "%s cannot serve %s: its takeover "
				     "failed%s.", scene->self_name, name,
				     failure_text(group, why, sizeof(why)));
		judge_advise(finding, "See 'journalctl -u hbd' on %s; hbd tries again by itself.",
			     scene->self_name);
	}
}

/* The name of the first check that is bad, and what it said. */
static const char *bad_check_text(const json_t *group, char *text, size_t bytes)
{
	size_t i;
	json_t *check;

	snprintf(text, bytes, "a check fails");
	json_array_foreach(json_object_get(group, "checks"), i, check) {
		const char *detail = status_string(check, "detail");

		if (!status_is(check, "state", "bad"))
			continue;
		snprintf(text, bytes, "the check '%s' fails%s%s%s", status_string(check, "name"),
			 detail[0] ? " (" : "", detail, detail[0] ? ")" : "");
		break;
	}
	return text;
}

static void own_check_fault(const struct judge_scene *scene, const json_t *group)
{
	struct judge_finding *finding;
	char what[160], left[STATUS_DURATION_BYTES];

	bad_check_text(group, what, sizeof(what));
	if (status_owns(group) && status_has(group, "damping_left_ms"))
		finding = judge_tell(scene, JUDGE_CRITICAL, "%s serves %s although %s: it moved too "
				     "often, so a move is held back by damping for %s.",
				     scene->self_name, status_string(group, "name"), what,
				     status_duration(status_number(group, "damping_left_ms"), left));
	else if (status_owns(group))
		finding = judge_tell(scene, JUDGE_CRITICAL, "%s serves %s although %s: %s is no "
				     "better.", scene->self_name, status_string(group, "name"),
				     what, scene->peer_name);
	else
		finding = judge_tell(scene, JUDGE_WARNING, "%s is no good standby for %s: %s.",
				     scene->self_name, status_string(group, "name"), what);
	judge_advise(finding, "Repair what the check watches on %s; hbd notices by itself.",
		     scene->self_name);
}

static void peer_faults(const struct judge_scene *scene, const json_t *group,
			const json_t *peer_view)
{
	const char *name = status_string(group, "name");
	struct judge_finding *finding = NULL;

	if (status_lists(peer_view, "faults", "hard"))
		finding = judge_tell(scene, JUDGE_WARNING, "%s reports a fault and cannot serve "
				     "%s: there is no standby for it.", scene->peer_name, name);
	else if (status_lists(peer_view, "faults", "soft") && status_owns(peer_view))
		finding = judge_tell(scene, JUDGE_CRITICAL,
				     "%s serves %s although a check fails there, or an address is "
				     "refused.",
				     scene->peer_name, name);
	else if (status_lists(peer_view, "faults", "soft"))
		finding = judge_tell(scene, JUDGE_WARNING, "%s is no good standby for %s: a check "
				     "fails there, or an address is refused.", scene->peer_name,
				     name);
	judge_advise(finding, "Run 'hbctl status' on %s: it says what and why.",
		     scene->peer_name);
}

static void own_plan(const struct judge_scene *scene, const json_t *group)
{
	const json_t *plan = json_object_get(group, "plan");
	const char *plugin = status_string(plan, "plugin");
	const char *name = status_string(group, "name");
	struct judge_finding *finding = NULL;
	char why[JUDGE_SENTENCE_BYTES];

	if (status_is(group, "role", "claiming"))
		finding = judge_tell(scene, JUDGE_WARNING, "%s is taking %s over%s%s.",
				     scene->self_name, name, plugin[0] ? ", now running " : "",
				     plugin);
	else if (status_has(group, "last_failure") && !status_lists(group, "faults", "takeover"))
		finding = judge_tell(scene, JUDGE_WARNING,
				     "The last takeover of %s on %s went on after a failure%s.",
				     name, scene->self_name,
				     failure_text(group, why, sizeof(why)));
	judge_advise(finding, "%s",
		     status_is(group, "role", "claiming")
			     ? "Nothing yet: look again when its time is up."
			     : "See 'journalctl -u hbd' and do what the plugin could not.");
}

void judge_group(const struct judge_scene *scene, const json_t *group)
{
	const json_t *peer_view =
		scene->peer_heard ? json_object_get(group, "peer") : NULL;

	if (status_owns(group) && status_owns(peer_view))
		two_own(scene, group);
	else if (!status_owns(group) && !status_owns(peer_view) && !peer_restarts(scene, group))
		nobody_owns(scene, group, peer_view);
	if (status_owns(group) && status_has(group, "conflict"))
		own_conflict(scene, group);
	own_hard_faults(scene, group);
	if (status_has(group, "refusal"))
		own_refusal(scene, group);
	if (status_lists(group, "faults", "check"))
		own_check_fault(scene, group);
	peer_faults(scene, group, peer_view);
	own_plan(scene, group);
}
