#include "netlink_why.h"

#include <netlink/attr.h>
#include <netlink/msg.h>

void netlink_why(struct nlmsghdr *header, char *text, size_t text_bytes)
{
	const struct nlmsgerr *error = nlmsg_data(header);
	size_t skip = sizeof(*error);
	struct nlattr *words;

	if (text[0] != '\0' || !(header->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(header->nlmsg_flags & NLM_F_CAPPED))
		skip += error->msg.nlmsg_len - sizeof(error->msg);
	if (skip >= (size_t)nlmsg_datalen(header))
		return;
	words = nlmsg_find_attr(header, (int)skip, NLMSGERR_ATTR_MSG);
	if (words)
		nla_strlcpy(text, words, text_bytes);
}
