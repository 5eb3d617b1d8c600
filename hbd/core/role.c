#include "role.h"

#include <assert.h>
#include <stddef.h>

#include "action.h"

static const char *const role_texts[HBD_ROLE_COUNT] = {
	[HBD_ROLE_UNSET] = "unknown",
	[HBD_ROLE_QUIET] = "quiet",
	[HBD_ROLE_SECONDARY] = "secondary",
	[HBD_ROLE_CLAIMING] = "claiming",
	[HBD_ROLE_PRIMARY] = "primary",
	[HBD_ROLE_RELEASING] = "releasing",
	[HBD_ROLE_FAULT] = "fault",
	[HBD_ROLE_STOPPED] = "stopped",
	[HBD_ROLE_DRAINING] = "draining",
};

static const struct {
	const char *token;
	const char *sentence;
} reason_texts[HBD_REASON_COUNT] = {
	[HBD_REASON_UNSET] = { "none", "for no recorded reason" },
	[HBD_REASON_START] = { "start", "the daemon started" },
	[HBD_REASON_QUIET_OVER] = { "quiet-over", "the silence after the start is over" },
	[HBD_REASON_ALONE] = { "alone", "no peer was heard since the start" },
	[HBD_REASON_ELECTED] = { "elected", "nobody served and this node ranks first" },
	[HBD_REASON_UNCLAIMED] = { "unclaimed", "nobody served and the peer did not claim" },
	[HBD_REASON_PEER_SILENT] = { "peer-silent", "the peer fell silent" },
	[HBD_REASON_PEER_STOPPED] = { "peer-stopped", "the peer was stopped" },
	[HBD_REASON_PEER_DIED] = { "peer-died", "the peer's daemon died" },
	[HBD_REASON_PEER_RESTARTED] = { "peer-restarted", "the peer's daemon started anew" },
	[HBD_REASON_PEER_RESIGNED] = { "peer-resigned", "the peer handed over" },
	[HBD_REASON_PEER_FAULT] = { "peer-fault", "the peer can no longer serve" },
	[HBD_REASON_PEER_MAINTAINED] = { "peer-maintained",
					 "nobody served and the peer is in maintenance" },
	[HBD_REASON_ANSWERED] = { "answered", "somebody on the LAN answers for it" },
	[HBD_REASON_ISOLATED] = { "isolated", "the gateway does not answer this node" },
	[HBD_REASON_PEER_OUTRANKS] = { "peer-outranks",
				       "both nodes served and the peer's claim ranks higher" },
	[HBD_REASON_LEASE_LOST] = { "lease-lost", "this node's lease ran out" },
	[HBD_REASON_NO_VOTE] = { "no-vote", "the peer did not agree to the claim" },
	[HBD_REASON_SWITCHOVER] = { "switchover", "an operator asked for it" },
	[HBD_REASON_MAINTENANCE] = { "maintenance", "this node is in maintenance" },
	[HBD_REASON_FAILBACK] = { "failback", "the preferred node is well again" },
	[HBD_REASON_NOT_READY] = { "not-ready", "the peer did not get ready for the move" },
	[HBD_REASON_DRAINED] = { "drained", "the old connections are over, or their time is" },
	[HBD_REASON_NOT_TAKEN] = { "not-taken", "the peer did not take over what was handed to it" },
	[HBD_REASON_FAULT] = { "fault", "this node has a fault" },
	[HBD_REASON_HEALED] = { "healed", "the fault is gone" },
	[HBD_REASON_TAKEOVER_FAILED] = { "takeover-failed", "the takeover failed" },
	[HBD_REASON_ADDRESSES_ON] = { "addresses-on", "all addresses are on" },
	[HBD_REASON_ADDRESSES_OFF] = { "addresses-off", "all addresses are off" },
	[HBD_REASON_STOP] = { "stop", "the daemon is stopping" },
	[HBD_REASON_ORPHANED] = { "guardian-died", "the guardian died" },
	[HBD_REASON_PEER_ORPHANED] = { "peer-guardian-died", "the peer's guardian died" },
};

static const char *const peer_texts[HBD_PEER_COUNT] = {
	[HBD_PEER_UNSET] = "unknown",
	[HBD_PEER_UNKNOWN] = "never-heard",
	[HBD_PEER_ALIVE] = "alive",
	[HBD_PEER_SUSPICIOUS] = "suspicious",
	[HBD_PEER_SILENT] = "silent",
	[HBD_PEER_STOPPED] = "stopped",
	[HBD_PEER_DIED] = "died",
};

static const char *const call_texts[] = {
	[HBD_CALL_UNSET] = "none",
	[HBD_CALL_PREPARE] = "prepare",
	[HBD_CALL_TAKEOVER] = "takeover",
	[HBD_CALL_RELEASE] = "release",
};

static const char *const severity_texts[] = {
	[HBD_SEVERITY_UNSET] = "none",
	[HBD_SEVERITY_INFO] = "info",
	[HBD_SEVERITY_WARNING] = "warning",
	[HBD_SEVERITY_CRITICAL] = "critical",
};

static const char *const alert_texts[HBD_ALERT_COUNT] = {
	[HBD_ALERT_UNSET] = "none",
	[HBD_ALERT_TAKEOVER] = "takeover",
	[HBD_ALERT_RELEASED] = "released",
	[HBD_ALERT_PEER_LOST] = "peer-lost",
	[HBD_ALERT_PEER_BACK] = "peer-back",
	[HBD_ALERT_FAULT] = "fault",
	[HBD_ALERT_HEALED] = "healed",
	[HBD_ALERT_TWO_OWNERS] = "two-owners",
	[HBD_ALERT_CONFIG_DIFFERS] = "config-differs",
	[HBD_ALERT_CONFIG_AGREES] = "config-agrees",
	[HBD_ALERT_KEY_MISMATCH] = "key-mismatch",
	[HBD_ALERT_VERSION_MISMATCH] = "version-mismatch",
	[HBD_ALERT_LINK_LOST] = "link-lost",
	[HBD_ALERT_LINK_BACK] = "link-back",
	[HBD_ALERT_PLUGIN_FAILED] = "plugin-failed",
	[HBD_ALERT_ADDRESS_RESTORED] = "address-restored",
	[HBD_ALERT_UNHEARD] = "peer-unheard",
	[HBD_ALERT_CONFLICT] = "address-conflict",
	[HBD_ALERT_CONTESTED] = "address-contested",
	[HBD_ALERT_UNCONTESTED] = "address-uncontested",
	[HBD_ALERT_ISOLATED] = "isolated",
	[HBD_ALERT_REFUSED] = "refused-by-witness",
	[HBD_ALERT_NO_VOTE] = "no-vote",
	[HBD_ALERT_WITNESS_LOST] = "witness-lost",
	[HBD_ALERT_WITNESS_BACK] = "witness-back",
	[HBD_ALERT_STOOD_STILL] = "stood-still",
	[HBD_ALERT_NOT_TAKEN] = "not-taken",
	[HBD_ALERT_MAINTENANCE] = "maintenance",
	[HBD_ALERT_MAINTAINED] = "maintained",
	[HBD_ALERT_MAINTENANCE_OVER] = "maintenance-over",
	[HBD_ALERT_UNSERVED] = "unserved",
	[HBD_ALERT_DAMPED] = "damped",
	[HBD_ALERT_ENGINE_DIED] = "engine-died",
	[HBD_ALERT_UNFENCED] = "unfenced",
	[HBD_ALERT_FENCED] = "fenced",
	[HBD_ALERT_STRAY] = "address-added",
	[HBD_ALERT_ELSEWHERE] = "address-elsewhere",
};

const char *hbd_role_text(enum hbd_role role)
{
	assert(role < HBD_ROLE_COUNT);
	return role_texts[role];
}

const char *hbd_reason_text(enum hbd_reason reason)
{
	assert(reason < HBD_REASON_COUNT);
	return reason_texts[reason].token;
}

const char *hbd_reason_sentence(enum hbd_reason reason)
{
	assert(reason < HBD_REASON_COUNT);
	return reason_texts[reason].sentence;
}

const char *hbd_peer_state_text(enum hbd_peer_state state)
{
	assert(state < HBD_PEER_COUNT);
	return peer_texts[state];
}

const char *hbd_fault_text(enum hbd_fault fault)
{
	switch (fault) {
	case HBD_FAULT_NONE:
		return "none";
	case HBD_FAULT_INTERFACE:
		return "interface";
	case HBD_FAULT_ADDRESS:
		return "address";
	case HBD_FAULT_TAKEOVER:
		return "takeover";
	case HBD_FAULT_CHECK:
		return "check";
	case HBD_FAULT_REFUSED:
		return "refused";
	case HBD_FAULT_PARTLY:
		return "partly";
	}
	return "several";
}

const char *hbd_call_text(enum hbd_plugin_call call)
{
	assert(call <= HBD_CALL_RELEASE);
	return call_texts[call];
}

const char *hbd_severity_text(enum hbd_severity severity)
{
	assert(severity <= HBD_SEVERITY_CRITICAL);
	return severity_texts[severity];
}

const char *hbd_alert_text(enum hbd_alert kind)
{
	assert(kind < HBD_ALERT_COUNT);
	return alert_texts[kind];
}
