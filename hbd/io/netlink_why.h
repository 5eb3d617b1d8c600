/* What the kernel says in words about a netlink request that it refuses. */
#pragma once

#include <linux/netlink.h>
#include <stddef.h>

/* header: an NLMSG_ERROR, checked to hold a struct nlmsgerr. Writes the words to text if there are
 * any and text is still empty. */
void netlink_why(struct nlmsghdr *header, char *text, size_t text_bytes);
