#include "ring.h"

#include <string.h>
#include <sys/mman.h>

struct flight_ring *flight_ring_new(void)
{
	void *memory = mmap(NULL, sizeof(struct flight_ring), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

void flight_ring_free(struct flight_ring *ring)
{
	if (ring)
		munmap(ring, sizeof(*ring));
}

static uint64_t newest(const struct flight_ring *ring)
{
	uint64_t number = 0;

	for (size_t i = 0; i < FLIGHT_SEGMENTS; i++) {
		uint64_t other = atomic_load(&ring->segments[i].number);

		if (other > number)
			number = other;
	}
	return number;
}

struct flight_segment *flight_ring_next(struct flight_ring *ring, uint64_t *ret_number)
{
	uint64_t number = newest(ring) + 1;
	struct flight_segment *segment = &ring->segments[number % FLIGHT_SEGMENTS];

	atomic_store(&segment->number, 0);
	atomic_store(&segment->length, 0);
	/* whoever copies and sees a byte that is written from here on sees the 0 too */
	atomic_thread_fence(memory_order_seq_cst);
	*ret_number = number;
	return segment;
}

void flight_ring_show(struct flight_segment *segment, uint64_t number, size_t length)
{
	flight_ring_commit(segment, length);
	atomic_store_explicit(&segment->number, number, memory_order_release);
}

void flight_ring_commit(struct flight_segment *segment, size_t length)
{
	atomic_store_explicit(&segment->length, (uint32_t)length, memory_order_release);
}

static const struct flight_segment *find_oldest(const struct flight_ring *ring, uint64_t after,
						uint64_t *ret_number)
{
	const struct flight_segment *oldest = NULL;

	for (size_t i = 0; i < FLIGHT_SEGMENTS; i++) {
		const struct flight_segment *segment = &ring->segments[i];
		uint64_t number = atomic_load_explicit(&segment->number, memory_order_acquire);

		if (number <= after || (oldest && number >= *ret_number))
			continue;
		oldest = segment;
		*ret_number = number;
	}
	return oldest;
}

uint64_t flight_ring_copy(const struct flight_ring *ring, uint64_t after, uint8_t *bytes,
			  size_t *ret_length)
{
	const struct flight_segment *segment;
	uint64_t number = 0;

	while ((segment = find_oldest(ring, after, &number))) {
		size_t length = atomic_load_explicit(&segment->length, memory_order_acquire);

		/* its writer may be out of its mind */
		if (length > FLIGHT_SEGMENT_BYTES)
			length = FLIGHT_SEGMENT_BYTES;
		memcpy(bytes, segment->bytes, length);
		atomic_thread_fence(memory_order_seq_cst);
		if (atomic_load(&segment->number) == number) {
			*ret_length = length;
			return number;
		}
		/* used again meanwhile: the next one is the oldest now */
		after = number;
	}
	return 0;
}

void flight_ring_bury(struct flight_ring *ring)
{
	uint64_t number = newest(ring);
	struct flight_segment *segment = &ring->segments[number % FLIGHT_SEGMENTS];
	size_t length = atomic_load(&segment->length);
	size_t pending = atomic_exchange(&ring->pending.length, 0);

	/* a segment that is begun has that much room; but this is what the dead one left */
	if (number == 0 || pending > FLIGHT_PENDING_BYTES ||
	    length > FLIGHT_SEGMENT_BYTES - FLIGHT_PENDING_BYTES)
		return;
	memcpy(segment->bytes + length, ring->pending.bytes, pending);
	flight_ring_commit(segment, length + pending);
}
