/* What the files of the world share; not for others. */
#pragma once

#include "world.h"

/* flight.c: packets under way. */
void flight_pop(struct world *world, struct world_flight *ret_flight);
void flight_transmit(struct world *world, uint8_t from, uint8_t link,
		     const struct hbd_packet *packet);

/* machine.c: what a machine does. */
void machine_step(struct world *world, uint8_t machine, const struct hbd_event *event);
void machine_tick(struct world *world, uint8_t machine);
void machine_receive(struct world *world, const struct world_flight *flight);
void machine_wake(struct world *world, uint8_t machine);
void machine_end_job(struct world *world, size_t index);

/* When something happens next to the machine by itself, world time. */
int64_t machine_next_ns(const struct world *world, uint8_t machine);
