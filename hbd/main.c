/* hbd: arguments, configuration, and then the guardian. hbd(8) describes it. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "conf/conf.h"
#include "io/guardian.h"
#include "io/machine.h"
#include "io/net_claim.h"
#include "io/plugin_lint.h"
#include "io/run_lock.h"

#define EXIT_MISTAKE 2	/* of the operator: starting again would not help */

enum mode {
	MODE_RUN = 0,
	MODE_CHECK,
	MODE_PRINT,
	MODE_DONE,	/* --help and --version: it was said */
	MODE_WRONG,
};

struct options {
	enum mode mode;
	const char *conf_path;
	const char *node;
	const char *run_dir;
	const char *state_dir;
	const char *plugin_dir;
};

static void print_usage(FILE *stream)
{
	fputs("Usage: hbd [-c FILE] [-n NODE] [--run-dir DIR] [--state-dir DIR] [--plugin-dir DIR]\n"
	      "       hbd --check [FILE]\n"
	      "       hbd --print [FILE]\n"
	      "\n"
	      "Failover daemon for a pair of machines; stays in the foreground. See hbd(8).\n"
	      "\n"
	      "  -c, --config FILE  configuration (default " HBD_CONF_DIR "/hbd.conf)\n"
	      "  -n, --node NODE    which of the two nodes this is (default: by host name)\n"
	      "  --run-dir DIR      control socket and lock (default /run/hbd)\n"
	      "  --state-dir DIR    alert spool and epochs (default /var/lib/hbd)\n"
	      "  --plugin-dir DIR   search plugins in DIR/KIND/ first\n"
	      "  --check [FILE]     report every mistake in the configuration and its keys\n"
	      "  --print [FILE]     print the configuration with all defaults\n"
	      "  -V, --version      print the version\n"
	      "  -h, --help         print this\n",
	      stream);
}

enum {
	OPTION_RUN_DIR = 256,
	OPTION_STATE_DIR,
	OPTION_PLUGIN_DIR,
	OPTION_CHECK,
	OPTION_PRINT,
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "node", required_argument, NULL, 'n' },
	{ "run-dir", required_argument, NULL, OPTION_RUN_DIR },
	{ "state-dir", required_argument, NULL, OPTION_STATE_DIR },
	{ "plugin-dir", required_argument, NULL, OPTION_PLUGIN_DIR },
	{ "check", no_argument, NULL, OPTION_CHECK },
	{ "print", no_argument, NULL, OPTION_PRINT },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void take_option(struct options *options, int option)
{
	switch (option) {
	case 'c':
		options->conf_path = optarg;
		break;
	case 'n':
		options->node = optarg;
		break;
	case OPTION_RUN_DIR:
		options->run_dir = optarg;
		break;
	case OPTION_STATE_DIR:
		options->state_dir = optarg;
		break;
	case OPTION_PLUGIN_DIR:
		options->plugin_dir = optarg;
		break;
	case OPTION_CHECK:
		options->mode = MODE_CHECK;
		break;
	case OPTION_PRINT:
		options->mode = MODE_PRINT;
		break;
	case 'V':
		puts("hbd " HBD_VERSION);
		options->mode = MODE_DONE;
		break;
	case 'h':
		print_usage(stdout);
		options->mode = MODE_DONE;
		break;
	default:
		options->mode = MODE_WRONG;
		break;
	}
}

static struct options parse(int argc, char **argv)
{
	struct options options = {
		.conf_path = HBD_CONF_DIR "/hbd.conf",
		.run_dir = "/run/hbd",
		.state_dir = "/var/lib/hbd",
	};
	int option;

	while (options.mode < MODE_DONE &&
	       (option = getopt_long(argc, argv, "c:n:Vh", long_options, NULL)) != -1)
		take_option(&options, option);
	if (options.mode >= MODE_DONE)
		return options;
	if (optind < argc && options.mode != MODE_RUN)
		options.conf_path = argv[optind++];
	if (optind < argc) {
		fprintf(stderr, "hbd: what is '%s'?\n", argv[optind]);
		options.mode = MODE_WRONG;
	}
	return options;
}

/* A daemon that is started with one of the first three closed would use it for something else. */
static void open_standard_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* The checked configuration with its keys, or NULL; the mistakes were told. */
static struct hbd_conf *load(const char *path)
{
	struct conf_errors errors = { 0 };
	struct hbd_conf *conf = NULL;
	int result = conf_load_with_keys(path, &conf, &errors);

	conf_errors_print(&errors, path, stderr);
	conf_errors_free(&errors);
	if (result == 0)
		return conf;
	conf_free(conf);
	return NULL;
}

struct findings {
	const char *path;
	unsigned mistakes, warnings;
};

static void print_finding(void *context, const struct plugin_finding *finding)
{
	struct findings *findings = context;
	char line[16] = "";

	if (finding->line != 0)
		snprintf(line, sizeof(line), ":%u", finding->line);
	fprintf(stderr, "%s%s: %s%s\n", findings->path, line, finding->mistake ? "" : "warning: ",
		finding->text);
	*(finding->mistake ? &findings->mistakes : &findings->warnings) += 1;
}

static int check(const char *path, const char *plugin_dir)
{
	struct findings findings = { .path = path };
	struct hbd_conf *conf = load(path);

	if (!conf)
		return EXIT_FAILURE;
	plugin_lint(conf, plugin_dir, print_finding, &findings);
	conf_free(conf);
	if (findings.mistakes > 0)
		return EXIT_FAILURE;
	printf("%s: good%s\n", path, findings.warnings > 0 ? ", if what is said above is not so on the "
							     "node that it is for" : "");
	return EXIT_SUCCESS;
}

static int print(const char *path)
{
	struct hbd_conf *conf = load(path);

	if (!conf)
		return EXIT_FAILURE;
	conf_print(conf, stdout);
	conf_free(conf);
	return EXIT_SUCCESS;
}

/* ---- running ------------------------------------------------------------------------------------- */

static int say_no_run_dir(const char *run_dir, int error)
{
	char path[PATH_MAX];
	const char *parent;

	snprintf(path, sizeof(path), "%s", run_dir);
	parent = dirname(path);
	if (error == ENOENT && access(parent, F_OK) < 0)
		fprintf(stderr, "hbd: cannot make the folder %s (--run-dir): there is no folder %s to "
			"make it in\n", run_dir, parent);
	else
		fprintf(stderr, "hbd: cannot make the folder %s (--run-dir): %s\n", run_dir,
			log_strerror(error));
	return -error;
}

static int take_lock(const char *run_dir, struct run_lock **ret_lock)
{
	pid_t holder = 0;
	int result;

	if (mkdir(run_dir, 0755) < 0 && errno != EEXIST)
		return say_no_run_dir(run_dir, errno);
	result = run_lock_take(run_dir, ret_lock, &holder);
	if (result == -EBUSY && holder > 0)
		fprintf(stderr, "hbd: process %d runs with %s already; another node on this machine "
			"needs a --run-dir of its own\n", (int)holder, run_dir);
	else if (result == -EBUSY)
		fprintf(stderr, "hbd: another process runs with %s already\n", run_dir);
	else if (result < 0)
		fprintf(stderr, "hbd: cannot lock %s: %s\n", run_dir, log_strerror(result));
	return result;
}

/* Before anything is cleaned up: what looks like a leftover may be in use by another daemon. */
static int take_claim(const struct hbd_conf *conf, uint8_t self, struct net_claim **ret_claim)
{
	struct net_claim_holder holder;
	int result = net_claim_take(conf, self, ret_claim, &holder);

	if (result == -EEXIST)
		fprintf(stderr, "hbd: process %d, an hbd that runs as %s in this network namespace, "
			"has %s, which this one is configured for too; nothing was changed. Stop it "
			"first, or give each a network namespace of its own\n", (int)holder.pid,
			holder.who, holder.what);
	if (result == 0 || result == -EEXIST)
		return result;
	fprintf(stderr, "hbd: cannot look for another hbd in this network namespace: %s; going on, and "
		"another one will not notice this one\n", log_strerror(result));
	return 0;
}

/* The folder by its full name, because plugins are started in another one. */
static bool find_plugin_dir(const char *given, char path[PATH_MAX])
{
	if (realpath(given, path))
		return true;
	fprintf(stderr, "hbd: --plugin-dir %s: %s\n", given, log_strerror(errno));
	return false;
}

/* The mistakes of the operator that only this machine can show; they were told. */
static bool fits_machine(const struct options *options, struct guardian_config *config)
{
	const struct hbd_conf *conf = config->conf;
	int self = machine_find_self(conf, options->node);

	if (self < 0 || !machine_has_users(conf))
		return false;
	config->self = (uint8_t)self;
	return true;
}

/* What this daemon alone may use; the mistakes were told. The claim first, which changes nothing. */
static int take_place(struct guardian_config *config, struct net_claim **ret_claim)
{
	int result = take_claim(config->conf, config->self, ret_claim);

	if (result == 0)
		result = take_lock(config->run_dir, &config->lock);
	config->claim = *ret_claim;
	return result;
}

static int run(const struct options *options)
{
	struct net_claim *claim = NULL;
	char plugin_dir[PATH_MAX];
	struct guardian_config config = {
		.run_dir = options->run_dir,
		.state_dir = options->state_dir,
		.plugin_dir = options->plugin_dir ? plugin_dir : NULL,
	};
	int result;

	if (options->plugin_dir && !find_plugin_dir(options->plugin_dir, plugin_dir))
		return EXIT_FAILURE;
	config.conf = load(options->conf_path);
	if (!config.conf)
		return EXIT_MISTAKE;
	if (!fits_machine(options, &config)) {
		conf_free(config.conf);
		return EXIT_MISTAKE;
	}
	result = take_place(&config, &claim);
	if (result == 0)
		result = guardian_run(&config);
	else
		conf_free(config.conf);
	run_lock_release(config.lock);
	net_claim_release(claim);
	return result < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct options options;

	open_standard_descriptors();
	options = parse(argc, argv);
	if (options.mode < MODE_DONE && sodium_init() < 0) {
		fputs("hbd: libsodium cannot be used on this machine\n", stderr);
		return EXIT_FAILURE;
	}
	switch (options.mode) {
	case MODE_RUN:
		return run(&options);
	case MODE_CHECK:
		return check(options.conf_path, options.plugin_dir);
	case MODE_PRINT:
		return print(options.conf_path);
	case MODE_DONE:
		return EXIT_SUCCESS;
	case MODE_WRONG:
		print_usage(stderr);
		return EXIT_MISTAKE;
	}
	return EXIT_FAILURE;
}
