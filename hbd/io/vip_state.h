/* What vip*.c share: the addresses of all groups, as configured and as the kernel has them. */
#pragma once

#include "rtnl.h"
#include "vip.h"

/* An interface that the configuration names. */
struct vip_device {
	char name[IF_NAMESIZE];
	int ifindex; /* 0 = there is none of that name */
	bool usable;
	bool ethernet;
	bool forwards; /* IPv6 */
	uint8_t mac[6];
	int promotes_ifindex; /* which we made keep secondaries when their primary goes */
	uint32_t mtu;	      /* 0 = not known */
	bool carries_v6;      /* VIPs of IPv6 are configured on it */
	int v6_error;	      /* why the kernel takes no IPv6 address on it; 0 = it does */
	int64_t looked_ns;    /* when it was asked last */
	uint32_t stirs;	      /* how often something happened to it that may change the answer */
	uint32_t looked_stirs;
};

/* A virtual address. */
struct vip_address {
	const struct hbd_conf_vip *conf;
	struct vip_device *device;
	bool present;	      /* the kernel has it */
	bool told;	      /* that it is missing */
	bool primary;	      /* IPv4: addresses of others in its subnet would go with it */
	bool there;	      /* the kernel has it, with whatever prefix */
	bool foreign;	      /* and it was not hbd that added it */
	uint8_t prefix;	      /* in the kernel; IPv6 keeps that of an adopted address */
	bool no_prefix_route; /* as it was added; once it needs no route it stays so */
	bool mute;	      /* as it was added: the group was staged */
	int64_t until_ns;     /* then the kernel removes it; 0 = not added by us */
	int refused;	      /* the kernel's last word on adding it; 0 = it may be */
	bool explained;	      /* its interface has no IPv6: it may be when that is over */
};

struct vip_group {
	size_t count;
	struct vip_address *addresses;
	bool held;
	bool mute; /* held only to be there: staged */
	bool usable_told;
	bool renewal_failed;	 /* and was logged */
	bool restore_failed;	 /* and was logged */
	int64_t span_ns;	 /* lifetime asked for last, in the kernel's whole seconds */
	size_t v6_count;
	int64_t renew_ns;	 /* the next renewal is due then */
	int64_t renew_called_ns; /* when vip_renew() was called last */
	size_t renew_next;	 /* where to look for the oldest */
	size_t refused_count;
	int64_t try_ns, try_pause_ns; /* what is refused is tried again then; and after that later */
	int64_t tried_ns;
	uint32_t tried_stirs;	 /* of all its devices */
	int64_t doubt_until_ns, doubt_pause_ns; /* what was not explained counts as refused */
	int64_t expelled_ns;	 /* strays were removed last; 0 = never */
	int64_t stray_told_ns;	 /* likewise */
	size_t stray_untold;
};

struct vip_link {
	const struct hbd_conf_link *conf;
	struct vip_device *device;
	bool present; /* its address is on its interface */
	const char *lacks_told;
	int ifindex_told; /* 0 = it was never there */
	const struct hbd_conf_link *peer; /* its other end */
	bool peer_known;     /* what the kernel had last as its Ethernet address: */
	uint8_t peer_mac[6];
	int64_t look_ns;     /* the kernel's entry of it is looked at then */
};

/* An IPv6 address on a VIP's interface that is not ours: it says which subnets are routed. */
struct vip_neighbor {
	const struct vip_device *device;
	struct in6_addr address;
	uint8_t prefix;
};

/* One of our addresses on an interface that is not its own. */
#define VIP_ELSEWHERE_MAX 16
struct vip_elsewhere {
	const struct vip_address *address; /* NULL = free */
	int ifindex;
	bool present;
	bool noted;	 /* while all addresses are read */
	bool told;	 /* since it came */
	int64_t told_ns; /* last; 0 = never */
};

struct vip {
	const struct hbd_conf *conf;
	struct rtnl *rtnl;
	bool changed;	   /* something was noted that was not judged yet */
	bool incomplete;   /* what is known of the kernel's tables is out of date */
	bool failure_told; /* of reading them, and it was logged */
	bool primary_seen; /* an address of ours became the first of its subnet */
	bool stray_seen;   /* an address of a group that is not held was seen */
	struct vip_elsewhere elsewhere[VIP_ELSEWHERE_MAX];
	size_t device_count;
	struct vip_device *devices;
	size_t address_count;
	struct vip_address *addresses; /* of all groups, one after another */
	struct vip_address **sorted;   /* by address and device */
	struct vip_group groups[HBD_GROUPS_MAX];
	uint8_t link_count;
	struct vip_link links[HBD_LINKS_MAX];
	size_t neighbor_count, neighbor_room;
	struct vip_neighbor *neighbors;
	struct rtnl_request *requests; /* room for the largest group, */
	struct vip_address **chosen;   /* and whom each request is for */
};

bool vip_same_address(const struct hbd_address *a, const struct hbd_address *b);

/* "10.77.0.100/24 on eth0" into text of VIP_TEXT_BYTES; returns text. */
#define VIP_TEXT_BYTES 80
const char *vip_text(const struct hbd_conf_vip *conf, char *text);

/* vip_table.c: memory for what the configuration names. 0 or -ENOMEM. */
int vip_table_build(struct vip *vip, uint8_t self);
void vip_table_free(struct vip *vip);
struct vip_device *vip_table_device(const struct vip *vip, int ifindex);
struct vip_device *vip_table_device_by_name(const struct vip *vip, const char *name);
/* NULL if it is no VIP of the configuration. */
struct vip_address *vip_table_address(const struct vip *vip, const struct vip_device *device,
				      const struct hbd_address *address);

/* The first one that is such an address, on whatever interface; NULL if none. */
struct vip_address *vip_table_find(const struct vip *vip, const struct hbd_address *address);

/* vip_refusal.c: the kernel's answer to a request to add it, 0 or a negative errno. */
void vip_note_answer(struct vip *vip, struct vip_address *address, int error);
/* All that was to be added of the group has its answer. */
void vip_note_try(struct vip_group *group, int64_t now_ns);
/* The interface works otherwise than before: what was refused for no known reason may be taken. */
void vip_end_doubt(struct vip *vip, const struct vip_device *device);

/* vip_stray.c: an address came or went where it may be ours; or, elsewhere, where it is not. */
void vip_note_stray(struct vip *vip, struct vip_address *address, const struct rtnl_address *told,
		    bool gone);
void vip_note_elsewhere(struct vip *vip, const struct rtnl_address *told, bool gone);
/* All addresses are about to be read; and have been, so that what was not noted is gone. */
void vip_recount_elsewhere(struct vip *vip);
void vip_end_recount(struct vip *vip);

/* The group that an address belongs to. */
struct vip_group *vip_table_group(struct vip *vip, const struct vip_address *address);

/* vip_watch.c: reads interfaces and addresses anew. 0 or a negative errno. */
int vip_read_all(struct vip *vip);
/*
 * True if an IPv6 address needs no route to its subnet: there is no subnet, or the interface has an
 * address of another in it. The kernel would give the subnet's one route our address' lifetime, and
 * would leave it behind when our address goes, so that the other's subnet became unreachable then.
 */
bool vip_is_routed(const struct vip *vip, const struct vip_address *address);
/* Before address goes: what hangs on it must stay. */
void vip_keep_secondaries(struct vip *vip, struct vip_address *address);
