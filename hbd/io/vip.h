/*
 * The virtual addresses of all groups in the kernel: add, remove, watch, keep.
 *
 * The caller says which groups are to be held; this module makes the kernel agree and keeps it so.
 * Every operation is idempotent, batched, and every result of the kernel is checked. Addresses
 * carry a mark of their own (IFA_PROTO where the kernel has it, else a label or the lifetime) by
 * which leftovers of a dead process are recognised, IFA_F_NODAD on IPv6, and a finite lifetime
 * (IFA_CACHEINFO) that the caller renews: if the process hangs they vanish by themselves.
 * No netlink type escapes this header. Announcing is announce.h's.
 *
 * What stays behind: an IPv4 address that is the first of its subnet on its interface would take all
 * others of that subnet along when it goes, so that then the interface's promote_secondaries is set
 * and left so. The route to an IPv6 subnet in which the node has no address of its own stays until
 * the lifetime would have ended.
 *
 * Cost of each of 1000 addresses: IPv4 some 10 us to add or remove and 5 us to renew;
 * IPv6 some 300 us to add or renew, because the kernel goes through all of them each time.
 *
 * Failures are logged here, once, with the kernel's own words.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "../conf/conf.h"

struct vip;

/* What vip_dispatch() noticed. */
enum vip_news_type {
	VIP_NEWS_UNSET = 0,
	VIP_NEWS_MISSING,   /* an address of a held group was deleted by someone else */
	VIP_NEWS_INTERFACE, /* a VIP interface of the group became usable or unusable */
	VIP_NEWS_LINK,	    /* a heartbeat link's interface or address came, changed or went */
	VIP_NEWS_STRAY,	    /* an address of a group that is not held was there, and was removed */
	VIP_NEWS_ELSEWHERE, /* an address of a group is on an interface that is not its own */
};

struct vip_news {
	enum vip_news_type type;
	uint8_t group;	/* MISSING, INTERFACE, STRAY, ELSEWHERE */
	uint8_t link;	/* LINK */
	bool usable;	/* INTERFACE, LINK */
	const char *lacks; /* LINK: as vip_link_lacks() */
	size_t vip_index; /* STRAY, ELSEWHERE: which of the group's; of several strays the first */
	char interface[IF_NAMESIZE]; /* STRAY, ELSEWHERE: where */
	int error; /* STRAY: 0, or why it could not be removed, a negative errno; tried again */
	size_t untold; /* STRAY: so many were removed from the group since the last such news */
	bool recreated; /* LINK: another ifindex than before: its socket must be reopened */
};

typedef void (*vip_news_handler)(void *context, const struct vip_news *news);

/*
 * Opens the netlink sockets and reads interfaces and addresses. conf outlives it. self: whose links
 * to watch. 0, or a negative errno of the failed socket or dump.
 */
int vip_open(const struct hbd_conf *conf, uint8_t self, struct vip **ret_vip);
void vip_close(struct vip *vip);

/* Poll this for reading and call vip_dispatch() then: it reads all that waits, never blocks. */
int vip_fd(const struct vip *vip);
void vip_dispatch(struct vip *vip, vip_news_handler handler, void *context);

/*
 * Removes addresses of groups that are not held: somebody added them, and would be answered for by two
 * nodes. At once, then ten times a second however often they come back. Tells of each group once a
 * minute, and so of addresses that are on other interfaces, which are let be. When it is due next.
 */
void vip_expel(struct vip *vip, int64_t now_ns, vip_news_handler handler, void *context);
int64_t vip_expel_ns(const struct vip *vip);

/* True when all interfaces of the group exist, are up and have carrier. */
bool vip_interfaces_usable(const struct vip *vip, uint8_t group);
bool vip_link_usable(const struct vip *vip, uint8_t link);

/* What keeps it from being usable, in words, for ever the same pointer for the same; NULL = nothing. */
const char *vip_link_lacks(const struct vip *vip, uint8_t link);

/*
 * Keeps the kernel's neighbor entries of the peer's ends of the links good for sending. Where nobody
 * answers the kernel gives an entry up, and asks by broadcast once a second from then on: when a cut
 * heals a node would be heard up to a second later than it hears. So such an entry gets back the
 * Ethernet address that it had. The kernel doubts that at once, and within 10 s asks everybody again;
 * and a peer that has another address by now tells that by its own questions. When it is due next.
 */
void vip_keep_peers(struct vip *vip, int64_t now_ns);
int64_t vip_keep_peers_ns(const struct vip *vip);

/*
 * Adds all addresses of the group, each for lifetime_ns (rounded up to the kernel's seconds).
 * Addresses already there are adopted; of a staged group only what is missing is added. What the kernel
 * refuses of several is told by vip_refusal(), the others are held. When it refuses all, or an
 * interface is missing, none is: a negative errno, the first. ret_failed (may be NULL): index of the
 * first VIP that failed.
 */
int vip_acquire(struct vip *vip, uint8_t group, int64_t lifetime_ns, size_t *ret_failed);

/*
 * Makes the group a staged one: its addresses are there, for services to listen on, but this node does
 * not serve. Nothing here mutes them: that is the fence's. IPv4 ones are marked deprecated, soon after,
 * so that "ip address" tells who serves; IPv6 ones always are. What is there already stays there, what
 * is missing is added. Held as an acquired one: renewed, watched, put back by vip_restore(); what the
 * kernel refuses is told by vip_refusal().
 */
void vip_stage(struct vip *vip, uint8_t group, int64_t lifetime_ns);

/* Adds what is missing of a held group; 0, or the first negative errno. vip_try_ns(): when again. */
int vip_restore(struct vip *vip, uint8_t group, int64_t lifetime_ns, size_t *ret_failed);

/*
 * Which addresses of a group the kernel refuses. Of a held group that is what it said when they were
 * to be added; of another whether it has IPv6 on their interfaces, which it is asked now and then and
 * whenever something changes there. What it refused for no such reason counts as refused for a
 * minute more, twice as long each time, up to an hour.
 */
struct vip_refusal {
	size_t count; /* so many; 0 = none, and nothing below */
	size_t vip_index; /* of the first */
	int error; /* why, a negative errno */
	char why[160]; /* in words */
	char remedy[96]; /* the command that ends it; "" = not known */
};
void vip_refusal(const struct vip *vip, uint8_t group, struct vip_refusal *ret_refusal);

/* Asks the kernel what is due of that; when it is due next. */
void vip_look(struct vip *vip, int64_t now_ns);
int64_t vip_look_ns(const struct vip *vip);

/* When vip_restore() is worth another try; HBD_NEVER_NS if nothing of the group is refused. */
int64_t vip_try_ns(const struct vip *vip, uint8_t group);

/*
 * The group is held from now on, by addresses that a former process left: none is added yet, and none
 * removed as a stray. vip_acquire() follows.
 */
void vip_adopt(struct vip *vip, uint8_t group, int64_t lifetime_ns);

/* Removes all addresses of the group; one that is not there is fine. */
int vip_release(struct vip *vip, uint8_t group, size_t *ret_failed);

/*
 * Renews the lifetime of a held group's addresses: some of those that are due, the oldest first, so
 * that all are renewed within a quarter of it if this is called whenever vip_renewal_ns() says.
 * Cheap when nothing is due.
 */
int vip_renew(struct vip *vip, uint8_t group, int64_t lifetime_ns, int64_t now_ns);

/* Renews those of a held group's addresses that would vanish before until_ns. 0 or the first error. */
int vip_extend(struct vip *vip, uint8_t group, int64_t until_ns);

/* When vip_renew() is next due; HBD_NEVER_NS for a group that is not held. */
int64_t vip_renewal_ns(const struct vip *vip, uint8_t group);

/*
 * A shorter lifetime is not worth its renewals: two seconds, so that a kernel that is busy for one
 * lets none run out; longer for a group of many IPv6 addresses, whose renewals would cost more than
 * about a hundredth of a CPU: some 60 s for a thousand of them.
 */
int64_t vip_lifetime_min_ns(const struct vip *vip, uint8_t group);

/* ifindex and MAC of a VIP's interface, for announcing. 0, or -ENODEV also for an interface without
 * Ethernet addresses, where there is nothing to announce. */
int vip_interface(const struct vip *vip, uint8_t group, size_t vip_index, int *ret_ifindex,
		  uint8_t ret_mac[6]);

/* Which group's address that is on that interface, and its index there. 0 or -ENOENT. */
int vip_find(const struct vip *vip, int ifindex, const struct hbd_address *address,
	     uint8_t *ret_group, size_t *ret_index);

/* True when the VIP's interface forwards IPv6. */
bool vip_forwards(const struct vip *vip, uint8_t group, size_t vip_index);

/*
 * Removes from the kernel every address of conf's groups, and, if marked, every other one with our
 * mark: these are of an earlier configuration, unless another hbd lives in this network namespace.
 * For the guardian: at start, after the engine died, and after the end. Opens and closes its own
 * socket. Returns how many were removed, or the first negative errno after trying all. The second form
 * leaves those of the groups in kept, a bit for each, to who goes on holding them.
 */
int vip_sweep(const struct hbd_conf *conf, bool marked);
int vip_sweep_others(const struct hbd_conf *conf, bool marked, uint32_t kept);
