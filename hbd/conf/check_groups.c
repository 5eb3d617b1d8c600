#include "loader.h"

#include <string.h>

/* Two groups may share neither name nor wire identity. */
static void check_pair(struct conf_loader *loader, unsigned first, unsigned second)
{
	const struct hbd_conf_group *groups = loader->conf->groups;
	const char *a = groups[first].name, *b = groups[second].name;

	if (!a[0] || !b[0])
		return;
	if (!strcmp(a, b))
		conf_mistake(loader, loader->group_lines[second],
			     "name: the group of line %u is called \"%s\", too",
			     loader->group_lines[first], b);
	else if (hbd_group_id(a) == hbd_group_id(b))
		conf_mistake(loader, loader->group_lines[second],
			     "name: \"%s\" and \"%s\" (line %u) have the same number on the wire "
			     "by chance; rename one of them", b, a, loader->group_lines[first]);
}

void conf_check_groups(struct conf_loader *loader)
{
	for (unsigned second = 1; second < loader->conf->group_count; second++) {
		for (unsigned first = 0; first < second; first++)
			check_pair(loader, first, second);
	}
}
