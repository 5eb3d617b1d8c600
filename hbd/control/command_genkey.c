#include <errno.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "../base/log.h"
#include "../conf/conf.h"
#include "commands.h"

static int write_key(const char *file, const struct hbd_key *key)
{
	char absolute[PATH_MAX];
	int r = conf_key_write(file, key);

	if (r == -EEXIST) {
		fprintf(stderr, "hbctl: %s exists and is not overwritten: it may be in use. Choose "
				"another name, or remove it first.\n", file);
		return EXIT_REFUSED;
	}
	if (r < 0) {
		fprintf(stderr, "hbctl: cannot write %s: %s\n", file, log_strerror(r));
		return EXIT_REFUSED;
	}
	/* what is said is to be done elsewhere, too */
	if (realpath(file, absolute))
		file = absolute;
	printf("Wrote key %u to %s, readable for its owner only.\n"
	       "To do: copy it to the other node by a safe way, for example\n"
	       "  scp -p %s OTHER:%s\n"
	       "and name it under \"keys\" in hbd.conf on both.\n", key->id, file, file, file);
	return EXIT_DONE;
}

int command_genkey(const struct command_options *options, const char *file)
{
	char text[CONF_KEY_TEXT_BYTES];
	struct hbd_key key;
	int exit_status = EXIT_DONE;

	if (sodium_init() < 0) {
		fprintf(stderr, "hbctl: no source of random numbers\n");
		return EXIT_REFUSED;
	}
	conf_key_generate(options->key_id, &key);
	if (file)
		exit_status = write_key(file, &key);
	else
		fputs(conf_key_format(&key, text), stdout);
	sodium_memzero(&key, sizeof(key));
	sodium_memzero(text, sizeof(text));
	return exit_status;
}
