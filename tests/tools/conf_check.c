/*
 * conf_check FILE: the mistakes of a configuration, or nothing and exit 0.
 * conf_check -p FILE: prints what was loaded.  -d FILE: its digest.  -k FILE: loads the keys, too.
 */
#include <stdio.h>
#include <string.h>

#include "../../hbd/conf/conf.h"

static int tell(struct conf_errors *errors, struct hbd_conf *conf, const char *path)
{
	conf_errors_print(errors, path, stdout);
	conf_errors_free(errors);
	conf_free(conf);
	return 1;
}

int main(int argc, char **argv)
{
	const char *option = argc == 3 ? argv[1] : "", *path = argv[argc - 1];
	struct conf_errors errors = { 0 };
	struct hbd_conf *conf = NULL;

	if (argc < 2 || argc > 3)
		return 2;
	if ((strcmp(option, "-k") ? conf_load : conf_load_with_keys)(path, &conf, &errors) < 0)
		return tell(&errors, conf, path);
	if (!strcmp(option, "-p"))
		conf_print(conf, stdout);
	if (!strcmp(option, "-d"))
		printf("%016llx\n", (unsigned long long)conf->digest);
	conf_free(conf);
	return 0;
}
