#include "witness.h"

#include <assert.h>
#include <string.h>

#include "profile.h"

void hbd_witness_init(struct hbd_witness *witness)
{
	memset(witness, 0, sizeof(*witness));
	witness->record.holder = HBD_NO_HOLDER;
}

/* A swap nobody answered: only a look at the register tells. */
static void lose_track(struct hbd_witness *witness)
{
	if (witness->pending == HBD_WITNESS_SWAP) {
		witness->tried = witness->wanted;
		witness->tried_ns = witness->sent_ns;
		witness->known = false;
	}
	witness->pending_id = 0;
	witness->pending = HBD_WITNESS_UNSET;
}

void hbd_witness_asked(struct hbd_witness *witness, uint64_t id, const struct hbd_record *wanted,
		       int64_t now_ns)
{
	assert(id != 0);
	lose_track(witness);
	witness->pending_id = id;
	witness->pending = wanted ? HBD_WITNESS_SWAP : HBD_WITNESS_READ;
	witness->sent_ns = now_ns;
	if (!wanted)
		return;
	assert(witness->known);
	witness->wanted = *wanted;
	witness->wanted.count = ++witness->count;
}

static bool is_same(const struct hbd_record *a, const struct hbd_record *b)
{
	return a->life == b->life && a->count == b->count && a->holder == b->holder;
}

/* The vote counts from when its swap was sent, never from the answer. */
static void credit(struct hbd_witness *witness, const struct hbd_record *record, int64_t sent_ns,
		   uint8_t self, int64_t term_ns)
{
	if (record->holder == self)
		witness->held_until_ns = hbd_time_max(witness->held_until_ns,
						      hbd_time_add(sent_ns, term_ns));
}

static void show(struct hbd_witness *witness, uint64_t revision, const struct hbd_record *record,
		 int64_t term_ns, int64_t now_ns)
{
	static const struct hbd_record none = { .holder = HBD_NO_HOLDER };
	const struct hbd_record *shown = revision != 0 ? record : &none;
	bool first = witness->seen_ns == 0;

	/* what was written there and is lost was written before now */
	if (first ? revision == 0 : revision < witness->revision)
		witness->doubt_until_ns = hbd_time_add(now_ns, hbd_profile_promise_ns(term_ns));
	/* a register that lost its memory may use a revision again */
	if (first || revision != witness->revision || !is_same(shown, &witness->record))
		witness->seen_ns = now_ns;
	witness->shown_ns = now_ns;
	witness->known = true;
	witness->revision = revision;
	witness->record = *shown;
}

static void take_swapped(struct hbd_witness *witness, uint64_t revision, uint8_t self,
			 int64_t term_ns, int64_t now_ns)
{
	show(witness, revision, &witness->wanted, term_ns, now_ns);
	witness->tried.life = 0;
	credit(witness, &witness->wanted, witness->sent_ns, self, term_ns);
}

static void take_shown(struct hbd_witness *witness, uint64_t revision,
		       const struct hbd_record *record, uint8_t self, int64_t term_ns,
		       int64_t now_ns)
{
	show(witness, revision, record, term_ns, now_ns);
	if (revision == 0 || witness->tried.life == 0 || !is_same(record, &witness->tried))
		return;
	credit(witness, record, witness->tried_ns, self, term_ns);
	witness->tried.life = 0;
}

bool hbd_witness_answered(struct hbd_witness *witness, uint64_t id, enum hbd_witness_result result,
			  uint64_t revision, const struct hbd_record *record, uint8_t self,
			  int64_t term_ns, int64_t now_ns)
{
	if (id == 0 || id != witness->pending_id)
		return false;

	bool swap = witness->pending == HBD_WITNESS_SWAP;

	if (result == HBD_WITNESS_UNKNOWN || (result == HBD_WITNESS_SWAPPED && !swap)) {
		lose_track(witness);
		return true;
	}
	witness->pending_id = 0;
	witness->pending = HBD_WITNESS_UNSET;
	if (result == HBD_WITNESS_SWAPPED)
		take_swapped(witness, revision, self, term_ns, now_ns);
	else
		take_shown(witness, revision, record, self, term_ns, now_ns);
	return true;
}

void hbd_witness_shift(struct hbd_witness *witness, int64_t stood_ns)
{
	if (witness->held_until_ns != 0)
		witness->held_until_ns -= stood_ns;
	witness->sent_ns -= stood_ns;
	witness->tried_ns -= stood_ns;
}

void hbd_witness_stalled(struct hbd_witness *witness, int64_t late_ns, int64_t now_ns)
{
	witness->seen_ns = hbd_time_min(hbd_time_add(witness->seen_ns, late_ns), now_ns);
}

void hbd_witness_give_up(struct hbd_witness *witness)
{
	witness->held_until_ns = 0;
	/* nor on what was asked for and may still come */
	witness->tried.life = 0;
	if (witness->pending == HBD_WITNESS_SWAP) {
		lose_track(witness);
		witness->tried.life = 0;
	}
}

int64_t hbd_witness_free_at_ns(const struct hbd_witness *witness, uint8_t self, uint64_t gone_life,
			       int64_t term_ns)
{
	const struct hbd_record *record = &witness->record;

	if (!witness->known)
		return HBD_NEVER_NS;
	if (record->holder == self || record->holder == HBD_NO_HOLDER ||
	    (gone_life != 0 && record->life == gone_life))
		return witness->doubt_until_ns;
	return hbd_time_max(witness->doubt_until_ns,
			    hbd_time_add(witness->seen_ns, hbd_profile_promise_ns(term_ns)));
}

bool hbd_witness_names(const struct hbd_witness *witness, unsigned holder)
{
	return witness->known && witness->revision != 0 && witness->record.holder == holder;
}
