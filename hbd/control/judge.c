#include "judge.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "judge_parts.h"
#include "status.h"

struct judge_finding *judge_tell(const struct judge_scene *scene, enum judge_level level,
				 const char *format, ...)
{
	struct judgement *judgement = scene->judgement;
	char text[JUDGE_SENTENCE_BYTES];
	va_list arguments;

	if (level > judgement->level)
		judgement->level = level;
	if (judgement->count == JUDGE_FINDINGS_MAX) {
		judgement->left_off++;
		return NULL;
	}
	struct judge_finding *finding = &judgement->findings[judgement->count++];
	finding->level = level;
	finding->advice[0] = '\0';
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	status_clean(text, finding->sentence, sizeof(finding->sentence));
	return finding;
}

void judge_advise(struct judge_finding *finding, const char *format, ...)
{
	char text[JUDGE_SENTENCE_BYTES];
	va_list arguments;

	if (!finding)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	status_clean(text, finding->advice, sizeof(finding->advice));
}

static bool all_links_unusable(const json_t *status)
{
	size_t i;
	json_t *link;

	json_array_foreach(json_object_get(status, "links"), i, link) {
		if (!status_is(link, "verdict", "unusable"))
			return false;
	}
	return true;
}

/* A peer whose packets are refused is there: that it is not heard is no news then. */
static bool is_refused(const struct judge_scene *scene)
{
	return status_lists(scene->peer, "mismatches", "key") ||
	       status_lists(scene->peer, "mismatches", "version");
}

/* The peer serves unheard: told with the group. */
static bool is_answered(const json_t *status)
{
	const json_t *group;
	size_t i;

	json_array_foreach(json_object_get(status, "groups"), i, group)
		if (status_is(group, "answered_by", "peer") ||
		    status_flag(json_object_get(group, "witness"), "refused"))
			return true;
	return false;
}

static void judge_witness(const struct judge_scene *scene)
{
	const json_t *witness = json_object_get(scene->status, "witness");
	char age[STATUS_DURATION_BYTES];
	struct judge_finding *finding;

	if (!status_is(witness, "state", "lost"))
		return;
	status_duration(status_number(witness, "answered_age_ms"), age);
	finding = judge_tell(scene, JUDGE_WARNING, "The witness (%s) has not answered for %s.",
			     status_string(witness, "name"), age);
	judge_advise(finding, "'journalctl -u hbd' has what its program says. Until it answers, %s",
		     status_is(witness, "without", "serve") ?
		     "a cut of all heartbeats makes two owners." :
		     "the failure of one more makes an outage.");
}

static void judge_peer_absence(const struct judge_scene *scene)
{
	const char *peer = scene->peer_name;
	char age[STATUS_DURATION_BYTES];
	struct judge_finding *finding;

	if (scene->peer_heard || is_refused(scene) || is_answered(scene->status))
		return;
	if (status_has(scene->peer, "restarting_ms")) {
		status_duration(status_number(scene->peer, "restarting_ms"), age);
		finding = judge_tell(scene, JUDGE_WARNING, "hbd restarts on %s, and has %s left for "
				     "it.", peer, age);
		judge_advise(finding, "Nothing yet: look again in a moment.");
	} else if (status_flag(scene->status, "deaf")) {
		finding = judge_tell(scene, JUDGE_CRITICAL, "%s can listen on none of its links: it "
				     "takes nothing over, whatever becomes of %s.",
				     scene->self_name, peer);
		judge_advise(finding, "Begin here, on %s: what each link lacks is said below.",
			     scene->self_name);
	} else if (all_links_unusable(scene->status)) {
		finding = judge_tell(scene, JUDGE_WARNING,
				     "%s is cut off from %s: every link is down on this side.",
				     scene->self_name, peer);
		judge_advise(finding, "Begin here, on %s: cables, 'ip link', 'ip address'.",
			     scene->self_name);
	} else if (status_is(scene->peer, "state", "stopped")) {
		finding = judge_tell(scene, JUDGE_WARNING,
				     "There is no standby: hbd was stopped on %s.", peer);
		judge_advise(finding, "On %s: 'systemctl start hbd'.", peer);
	} else if (status_is(scene->peer, "state", "orphaned")) {
		finding = judge_tell(scene, JUDGE_WARNING, "There is no standby: hbd's guardian died "
				     "on %s, and hbd ended there.", peer);
		judge_advise(finding, "On %s: 'journalctl -u hbd' and 'journalctl -k' say why, "
				      "'systemctl start hbd' starts it again.", peer);
	} else if (status_is(scene->peer, "state", "died")) {
		finding = judge_tell(scene, JUDGE_WARNING, "There is no standby: hbd died on %s, "
				     "the machine itself lives.", peer);
		judge_advise(finding, "On %s: 'journalctl -u hbd' says why, 'systemctl start hbd' "
				      "starts it again.", peer);
	} else if (!status_has(scene->peer, "heard_age_ms")) {
		status_duration(status_number(scene->status, "uptime_ms"), age);
		finding = judge_tell(scene, JUDGE_WARNING, "There is no standby: nothing was heard "
				     "from %s since hbd started here %s ago.", peer, age);
		judge_advise(finding, "On %s: 'systemctl status hbd'. If it runs: compare the key "
				      "files, and let UDP port %" PRId64 " pass on every link.",
			     peer,
			     status_number(json_object_get(scene->status, "configuration"),
					   "port"));
	} else {
		status_duration(status_number(scene->peer, "heard_age_ms"), age);
		finding = judge_tell(scene, JUDGE_WARNING, "There is no standby: %s has been "
				     "silent for %s.", peer, age);
		judge_advise(finding, "Bring %s back: its power, its network, then 'systemctl "
				      "status hbd' there.", peer);
	}
}

static bool owns_any(const json_t *status)
{
	const json_t *group;
	size_t i;

	json_array_foreach(json_object_get(status, "groups"), i, group)
		if (status_owns(group))
			return true;
	return false;
}

/* On both nodes, before anything else of its level: whoever looks is to know. */
static void judge_maintenance(const struct judge_scene *scene)
{
	const json_t *maintenance = json_object_get(scene->status, "maintenance");
	char age[STATUS_DURATION_BYTES];
	struct judge_finding *finding;

	if (status_flag(maintenance, "on")) {
		status_duration(status_number(maintenance, "age_ms"), age);
		finding = judge_tell(scene, JUDGE_WARNING, "%s is IN MAINTENANCE, for %s: it %stakes "
				     "nothing over.", scene->self_name, age,
				     owns_any(scene->status) ?
				     "serves what nobody else can take, and " : "");
		judge_advise(finding, "When the work is done, on %s: 'hbctl maintenance off'.",
			     scene->self_name);
	}
	if (scene->peer_heard && status_flag(scene->peer, "maintenance")) {
		finding = judge_tell(scene, JUDGE_WARNING, "%s is IN MAINTENANCE: there is no "
				     "standby.", scene->peer_name);
		judge_advise(finding, "When the work is done, on %s: 'hbctl maintenance off'.",
			     scene->peer_name);
	}
	if (status_has(maintenance, "error")) {
		finding = judge_tell(scene, JUDGE_WARNING, "Maintenance of %s could not be begun or "
				     "ended: %s.", scene->self_name,
				     status_string(maintenance, "error"));
		judge_advise(finding, "Mend the disk of hbd's state folder, then say it again: 'hbctl "
				      "maintenance'.");
	}
}

static void judge_mismatches(const struct judge_scene *scene)
{
	struct judge_finding *finding;

	if (status_lists(scene->peer, "mismatches", "key")) {
		finding = judge_tell(scene, JUDGE_CRITICAL,
				     "%s and %s have different keys, so they refuse each other's "
				     "packets.", scene->self_name,
				     scene->peer_name);
		judge_advise(finding, "Copy the key file from one to the other, then restart hbd "
				      "on the one that was wrong.");
	}
	if (status_lists(scene->peer, "mismatches", "version")) {
		finding = judge_tell(scene, JUDGE_CRITICAL,
				     "%s speaks no protocol version that hbd %s here understands.",
				     scene->peer_name, status_string(scene->status, "version"));
		judge_advise(finding, "Bring both nodes to the same version of hbd.");
	}
	if (status_lists(scene->peer, "mismatches", "configuration")) {
		finding = judge_tell(scene, JUDGE_WARNING, "%s and %s run with different "
				     "configurations.", scene->self_name, scene->peer_name);
		judge_advise(finding, "Make %s the same on both, then restart hbd on the one that "
				      "is not primary.",
			     status_string(json_object_get(scene->status, "configuration"),
					   "path"));
	}
}

/* Dead paths to a peer that is away are its absence, told once already. */
static void judge_link(const struct judge_scene *scene, const json_t *link)
{
	const char *local = status_string(link, "local");
	struct judge_finding *finding = NULL;

	if (status_is(link, "verdict", "unusable")) {
		const char *trouble = status_string(link, "trouble");

		finding = judge_tell(scene, JUDGE_WARNING, "The link %s is down on this side%s%s.",
				     local, *trouble ? ": " : "", trouble);
		judge_advise(finding, "Check its cable, 'ip link' and 'ip address' on %s.",
			     scene->self_name);
	} else if (!scene->peer_heard) {
		return;
	} else if (status_is(link, "verdict", "receive-dead")) {
		finding = judge_tell(scene, JUDGE_WARNING, "Nothing arrives from %s on the link "
				     "%s; another link works.", scene->peer_name, local);
	} else if (status_is(link, "verdict", "transmit-dead")) {
		finding = judge_tell(scene, JUDGE_WARNING, "%s receives nothing on the link %s; "
				     "another link works.", scene->peer_name, local);
	} else if (status_is(link, "verdict", "lossy")) {
		finding = judge_tell(scene, JUDGE_WARNING, "The link %s loses packets: %" PRId64
				     " %% of those received, %" PRId64 " %% of those sent.", local,
				     status_number(link, "receive_loss_permille") / 10,
				     status_number(link, "transmit_loss_permille") / 10);
	}
	if (finding && !finding->advice[0])
		judge_advise(finding, "Check cable, switch and firewall between %s and %s.", local,
			     status_string(link, "remote"));
}

static void judge_alerts(const struct judge_scene *scene)
{
	const json_t *alerts = json_object_get(scene->status, "alerts");
	const char *detail = status_string(alerts, "detail");
	int64_t pending = status_number(alerts, "pending");
	char age[STATUS_DURATION_BYTES];

	if (pending == 0 ||
	    (!detail[0] && status_number(alerts, "oldest_age_ms") < JUDGE_ALERT_AGE_MS))
		return;
	status_duration(status_number(alerts, "oldest_age_ms"), age);
	struct judge_finding *finding =
		judge_tell(scene, JUDGE_WARNING,
			   "%" PRId64 " alert%s not delivered yet, the oldest for %s%s%.320s.",
			   pending, pending == 1 ? " is" : "s are", age, detail[0] ? ": " : "",
			   detail);
	judge_advise(finding, "Check the mail server or gateway that it names; hbd keeps trying "
			      "and loses none.");
}

/* " It hands web over to lb2." */
static const char *handed_text(const struct judge_scene *scene, char *text, size_t bytes)
{
	size_t i, length = 0;
	json_t *group;

	text[0] = '\0';
	json_array_foreach(json_object_get(scene->status, "groups"), i, group) {
		const json_t *handover = json_object_get(group, "handover");

		if (!status_is(handover, "state", "offered") &&
		    !status_is(handover, "state", "draining"))
			continue;
		snprintf(text + length, bytes - length, "%s%s", length > 0 ? ", " : " It hands ",
			 status_string(group, "name"));
		length = strlen(text);
	}
	if (length > 0)
		snprintf(text + length, bytes - length, " over to %s.", scene->peer_name);
	return text;
}

static void judge_process(const struct judge_scene *scene)
{
	struct judge_finding *finding;
	char handed[JUDGE_SENTENCE_BYTES / 2];

	if (status_flag(scene->status, "stopping")) {
		finding = judge_tell(scene, JUDGE_WARNING, "hbd is stopping on %s.%s",
				     scene->self_name, handed_text(scene, handed, sizeof(handed)));
		judge_advise(finding, "To have it back: 'systemctl start hbd'.");
	}
	if (!status_flag(scene->status, "realtime")) {
		finding = judge_tell(scene, JUDGE_WARNING, "hbd has no real-time scheduling on %s: "
				     "a busy machine can make it late.", scene->self_name);
		judge_advise(finding, "Let the service have CAP_SYS_NICE, as the shipped unit "
				      "does; hbd(8) has more.");
	}
	if (!status_flag(scene->status, "memory_locked")) {
		finding = judge_tell(scene, JUDGE_WARNING, "hbd's memory is not locked on %s: "
				     "swapping can make it late.", scene->self_name);
		judge_advise(finding, "Let the service have CAP_IPC_LOCK, as the shipped unit "
				      "does; hbd(8) has more.");
	}
}

/* Worst first, otherwise in the order found. */
static void sort_findings(struct judgement *judgement)
{
	for (size_t i = 1; i < judgement->count; i++) {
		struct judge_finding finding = judgement->findings[i];
		size_t j = i;

		while (j > 0 && judgement->findings[j - 1].level < finding.level) {
			judgement->findings[j] = judgement->findings[j - 1];
			j--;
		}
		judgement->findings[j] = finding;
	}
}

void judge(const json_t *status, struct judgement *ret_judgement)
{
	size_t i;
	json_t *item;

	if (!status_is_known(status)) {
		judge_unknown("The daemon's answer is not one that this hbctl understands.",
			      "Use the hbctl of the same version as the daemon.", ret_judgement);
		return;
	}
	struct judge_scene scene = {
		.status = status,
		.peer = json_object_get(status, "peer"),
		.self_name = status_string(status, "node"),
		.peer_heard = status_peer_is_heard(status),
		.judgement = ret_judgement,
	};
	scene.peer_name = status_string(scene.peer, "name");
	ret_judgement->level = JUDGE_GOOD;
	ret_judgement->count = 0;
	ret_judgement->left_off = 0;
	judge_maintenance(&scene);
	json_array_foreach(json_object_get(status, "groups"), i, item)
		judge_group(&scene, item);
	judge_mismatches(&scene);
	judge_peer_absence(&scene);
	judge_witness(&scene);
	json_array_foreach(json_object_get(status, "links"), i, item)
		judge_link(&scene, item);
	judge_alerts(&scene);
	judge_process(&scene);
	sort_findings(ret_judgement);
}

void judge_unknown(const char *sentence, const char *advice, struct judgement *ret_judgement)
{
	const struct judge_scene scene = {.judgement = ret_judgement};

	ret_judgement->level = JUDGE_UNKNOWN;
	ret_judgement->count = 0;
	ret_judgement->left_off = 0;
	judge_advise(judge_tell(&scene, JUDGE_UNKNOWN, "%s", sentence), "%s", advice);
}

int judge_exit_code(enum judge_level level)
{
	switch (level) {
	case JUDGE_GOOD:
		return 0;
	case JUDGE_WARNING:
		return 1;
	case JUDGE_CRITICAL:
		return 2;
	case JUDGE_UNSET:
	case JUDGE_UNKNOWN:
		break;
	}
	return 3;
}

const char *judge_level_text(enum judge_level level)
{
	switch (level) {
	case JUDGE_GOOD:
		return "good";
	case JUDGE_WARNING:
		return "warning";
	case JUDGE_CRITICAL:
		return "critical";
	case JUDGE_UNSET:
	case JUDGE_UNKNOWN:
		break;
	}
	return "unknown";
}

json_t *judge_json(const struct judgement *judgement)
{
	json_t *findings = json_array();

	for (size_t i = 0; i < judgement->count; i++) {
		const struct judge_finding *finding = &judgement->findings[i];

		json_array_append_new(findings,
				      json_pack("{s:s, s:s, s:s}", "level",
						judge_level_text(finding->level), "sentence",
						finding->sentence, "advice", finding->advice));
	}
	return json_pack("{s:s, s:o}", "level", judge_level_text(judgement->level), "findings",
			 findings);
}
