#include "keeper.h"

void keeper_ask(struct keeper *keeper, const struct hbd_action *request, int64_t now_ns)
{
	keeper->requests[request->group] = *request;
	keeper->request_ns[request->group] = now_ns;
}

bool keeper_write(struct keeper *keeper, uint8_t group)
{
	const struct hbd_action *request = &keeper->requests[group];

	if (request->id == 0 || request->witness.call != HBD_WITNESS_SWAP ||
	    request->witness.revision != keeper->revisions[group])
		return false;
	keeper->records[group] = request->witness.record;
	keeper->revisions[group]++;
	return true;
}

bool keeper_answer(struct keeper *keeper, uint8_t group, bool written, bool told,
		   struct hbd_event *ret_event)
{
	if (keeper->requests[group].id == 0)
		return false;
	*ret_event = (struct hbd_event){
		.type = HBD_EVENT_WITNESS,
		.group = group,
		.witness = {
			.id = keeper->requests[group].id,
			.result = !told ? HBD_WITNESS_UNKNOWN :
				  written ? HBD_WITNESS_SWAPPED : HBD_WITNESS_SHOWN,
			.revision = keeper->revisions[group],
			.record = keeper->records[group],
		},
	};
	keeper->requests[group].id = 0;
	return true;
}

void keeper_seize(struct keeper *keeper, uint8_t group, uint8_t holder, uint64_t epoch)
{
	keeper->records[group] = (struct hbd_record){
		.holder = holder,
		.epoch = epoch,
		.count = keeper->revisions[group],
		.life = 7,
	};
	keeper->revisions[group]++;
}
