#include "replay.h"

bool hbd_replay_accept(struct hbd_replay *replay, uint64_t seq)
{
	if (seq == 0)
		return false;
	if (seq > replay->newest) {
		uint64_t ahead = seq - replay->newest;

		replay->seen = ahead < HBD_REPLAY_BITS ? replay->seen << ahead : 0;
		replay->seen |= 1;
		replay->newest = seq;
		return true;
	}

	uint64_t behind = replay->newest - seq;

	/* The last number ends the session: even unseen numbers below it came too late. */
	if (behind >= HBD_REPLAY_BITS || replay->newest == UINT64_MAX)
		return false;

	uint64_t bit = (uint64_t)1 << behind;

	if (replay->seen & bit)
		return false;
	replay->seen |= bit;
	return true;
}
