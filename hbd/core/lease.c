#include "lease.h"

#include <assert.h>
#include <stddef.h>

#include "time.h"

void hbd_sent_record(struct hbd_sent *sent, uint64_t hb_seq, int64_t sent_ns, int64_t term_ns)
{
	assert(hb_seq == sent->newest + 1);
	assert(term_ns > 0);
	sent->newest = hb_seq;
	sent->sent_ns[hb_seq % HBD_SENT_MAX] = sent_ns;
	sent->term_ns[hb_seq % HBD_SENT_MAX] = term_ns;
}

static int64_t slot_end(const struct hbd_sent *sent, uint64_t hb_seq)
{
	return hbd_time_add(sent->sent_ns[hb_seq % HBD_SENT_MAX],
			    sent->term_ns[hb_seq % HBD_SENT_MAX]);
}

static bool is_known(const struct hbd_sent *sent, uint64_t hb_seq)
{
	return hb_seq != 0 && hb_seq <= sent->newest && sent->newest - hb_seq < HBD_SENT_MAX;
}

bool hbd_sent_after(const struct hbd_sent *sent, uint64_t hb_seq, int64_t since_ns)
{
	return is_known(sent, hb_seq) && sent->sent_ns[hb_seq % HBD_SENT_MAX] > since_ns;
}

int64_t hbd_sent_lease_end(const struct hbd_sent *sent, uint64_t hb_seq)
{
	int64_t end_ns = HBD_NEVER_NS;

	if (!is_known(sent, hb_seq))
		return 0;
	for (uint64_t told = hb_seq; told <= sent->newest; told++)
		end_ns = hbd_time_min(end_ns, slot_end(sent, told));
	return end_ns;
}

void hbd_sent_shift(struct hbd_sent *sent, int64_t stood_ns)
{
	for (size_t i = 0; i < HBD_SENT_MAX; i++)
		sent->sent_ns[i] -= stood_ns;
}

void hbd_lease_shift(struct hbd_lease *lease, int64_t stood_ns)
{
	if (!lease->held)
		return;
	lease->held_until_ns -= stood_ns;
	lease->granted_until_ns -= stood_ns;
	if (lease->voted_until_ns != 0)
		lease->voted_until_ns -= stood_ns;
}

void hbd_lease_take(struct hbd_lease *lease, int64_t until_ns)
{
	lease->held = true;
	lease->held_until_ns = until_ns;
	lease->granted_until_ns = until_ns;
	lease->voted_until_ns = 0;
	lease->promised_until_ns = 0;
}

void hbd_lease_drop(struct hbd_lease *lease)
{
	lease->held = false;
	lease->held_until_ns = 0;
	lease->granted_until_ns = 0;
	lease->voted_until_ns = 0;
}

void hbd_lease_renew(struct hbd_lease *lease, int64_t until_ns)
{
	assert(lease->held);
	lease->granted_until_ns = until_ns;
	lease->held_until_ns = hbd_time_max(until_ns, lease->voted_until_ns);
}

void hbd_lease_vote(struct hbd_lease *lease, int64_t until_ns)
{
	assert(lease->held);
	lease->voted_until_ns = until_ns;
	lease->held_until_ns = hbd_time_max(lease->granted_until_ns, until_ns);
}

bool hbd_lease_is_over(const struct hbd_lease *lease, int64_t now_ns)
{
	return lease->held && now_ns >= lease->held_until_ns;
}

void hbd_lease_promise(struct hbd_lease *lease, const struct hbd_profile *profile,
		       int64_t received_ns, int64_t term_ns)
{
	int64_t promise_ns = hbd_time_max(profile->grant_ns, hbd_profile_promise_ns(term_ns));

	lease->promised_until_ns = hbd_time_add(received_ns, promise_ns);
}

void hbd_lease_forget_promise(struct hbd_lease *lease)
{
	lease->promised_until_ns = 0;
}

bool hbd_lease_is_promised(const struct hbd_lease *lease, int64_t now_ns)
{
	return now_ns < lease->promised_until_ns;
}
