#include "conf.h"

#include <assert.h>
#include <string.h>

static void group_config(const struct hbd_conf_group *group, struct hbd_group_config *ret)
{
	ret->id = hbd_group_id(group->name);
	ret->prefer = group->prefer;
	ret->retry_ns = group->retry_ns;
	ret->drain_ns = group->drain_ns;
	ret->failback_ns = group->failback ? group->failback_after_ns : 0;
	ret->gateway = group->gateway.family != 0;
	ret->step_count = group->takeover_count;
	for (unsigned i = 0; i < group->takeover_count; i++)
		ret->steps[i] = group->takeover[i].step;
}

void conf_node_config(const struct hbd_conf *conf, uint8_t self, struct hbd_node_config *ret_config)
{
	assert(self < HBD_NODES);
	memset(ret_config, 0, sizeof(*ret_config));
	ret_config->self = self;
	ret_config->version_max = HBD_VERSION_MAX;
	ret_config->cluster_id = hbd_cluster_id(conf->cluster);
	ret_config->config_digest = conf->digest;
	ret_config->profile = conf->profile;
	ret_config->link_count = conf->nodes[self].link_count;
	ret_config->group_count = conf->group_count;
	ret_config->key_count = conf->key_count;
	ret_config->witness = conf->witness.present;
	ret_config->serve_without = conf->witness.serve_without;
	memcpy(ret_config->keys, conf->keys, sizeof(ret_config->keys));
	for (unsigned i = 0; i < conf->group_count; i++)
		group_config(&conf->groups[i], &ret_config->groups[i]);
}
