/* hbctl: the arguments; what the commands do is in command_*.c. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "commands.h"

/* Options that a command knows; --socket and --help are for all. */
enum option_bit {
	OPTION_JSON = 1 << 0,
	OPTION_WAIT = 1 << 1,
	OPTION_ID = 1 << 2,
	OPTION_TO = 1 << 3,
	OPTION_DRY_RUN = 1 << 4,
	OPTION_FORCE = 1 << 5,
};

struct command {
	const char *name;
	int (*run)(const struct command_options *options, const char *argument);
	const char *argument;	/* its name in the usage, NULL = takes none */
	bool optional;		/* the argument may be left out */
	unsigned options;	/* bits of enum option_bit */
	const char *summary;
	const char *help;	/* lines of at most 79 columns */
};

static const char status_help[] =
	"Shows whether all is well and what to do if not, then both nodes, every group\n"
	"and heartbeat link, the fence, scheduling and alerts.\n\n"
	"Exit status, as monitoring has it: 0 good, 1 warning (served, but no standby, a\n"
	"bad link, an alert that could not be delivered), 2 critical (nobody or both\n"
	"serve a group, a fault, keys that differ), 3 unknown (hbd cannot be asked).\n";

static const char switchover_help[] =
	"Hands GROUP over to the other node. It must be primary here, and the other\n"
	"node alive, without fault and of the same configuration; otherwise the reason\n"
	"is said and nothing changes. If the other node does not take it, this one\n"
	"serves it again.\n\n"
	"Exit status: 0 done (without --wait: begun), 1 refused or not taken, 3 hbd\n"
	"cannot be asked. With --dry-run: 0 it would work, 1 it would not.\n";

static const char maintenance_help[] =
	"Takes this node out of service, or puts it back: 'on' hands what it serves to\n"
	"the other node, without a break, and from then on it takes nothing over; 'off'\n"
	"ends that. Kept over restarts and reboots. Without a word: says how it is.\n\n"
	"'on' is refused, with the reason, if the other node could not serve. With\n"
	"--force this node goes on serving until the other one can take over.\n\n"
	"Exit status: 0 done, and on the disk, 1 refused, 3 hbd cannot be asked.\n";

static const char alert_help[] =
	"Sends a test alert through the spool to everybody whom alerts are configured\n"
	"for, and waits up to 30 s for its delivery.\n\n"
	"Exit status: 0 delivered, 1 not (yet), 3 hbd cannot be asked.\n";

static const char genkey_help[] =
	"Writes a new random key to FILE, readable for its owner only, or prints it. A\n"
	"file that exists is never overwritten. Both nodes need the same key file.\n\n"
	"Exit status: 0 done, 1 failed.\n";

static const struct command commands[] = {
	{
		.name = "status",
		.run = command_status,
		.options = OPTION_JSON,
		.summary = "is all well, and what to do if not",
		.help = status_help,
	},
	{
		.name = "switchover",
		.run = command_switchover,
		.argument = "GROUP",
		.options = OPTION_JSON | OPTION_WAIT | OPTION_TO | OPTION_DRY_RUN,
		.summary = "hand a group over to the other node",
		.help = switchover_help,
	},
	{
		.name = "maintenance",
		.run = command_maintenance,
		.argument = "on|off",
		.optional = true,
		.options = OPTION_JSON | OPTION_FORCE,
		.summary = "take this node out of service, or put it back",
		.help = maintenance_help,
	},
	{
		.name = "alert",
		.run = command_alert,
		.argument = "test",
		.options = OPTION_JSON,
		.summary = "send a test alert on its real way",
		.help = alert_help,
	},
	{
		.name = "genkey",
		.run = command_genkey,
		.argument = "FILE",
		.optional = true,
		.options = OPTION_ID,
		.summary = "make a new secret key for both nodes",
		.help = genkey_help,
	},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void print_options(unsigned options)
{
	printf("\nOptions:\n");
	printf("  -s, --socket PATH  the daemon's control socket (%s)\n", CLIENT_SOCKET_DEFAULT);
	if (options & OPTION_JSON)
		printf("  -j, --json         print JSON\n");
	if (options & OPTION_WAIT)
		printf("  -w, --wait         wait for the end, show the result and the time\n");
	if (options & OPTION_TO)
		printf("  -t, --to NODE      the node to be primary; nothing to do if it is\n");
	if (options & OPTION_DRY_RUN)
		printf("  -n, --dry-run      say whether it would work now, and do nothing\n");
	if (options & OPTION_FORCE)
		printf("  -f, --force        though the other node could not serve\n");
	if (options & OPTION_ID)
		printf("  -i, --id NUMBER    the key's number, 1 to 255 (1)\n");
	printf("  -h, --help         this text\n");
}

static int print_help(void)
{
	printf("Usage: hbctl [--socket PATH] COMMAND [OPTION...] [ARGUMENT]\n\n"
	       "Asks the failover daemon hbd(8) on this machine, or tells it what to do.\n\n"
	       "Commands:\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		printf("  %-11s  %-7s  %s\n", commands[i].name,
		       commands[i].argument ? commands[i].argument : "", commands[i].summary);
	printf("  %-11s  %-7s  %s\n", "help", "COMMAND", "what a command does");
	print_options(0);
	printf("  -V, --version      the version\n\nhbctl(8) has more.\n");
	return EXIT_DONE;
}

static int print_command_help(const struct command *command)
{
	bool optional = command->optional;

	printf("Usage: hbctl %s [OPTION...]", command->name);
	if (command->argument)
		printf(optional ? " [%s]" : " %s", command->argument);
	printf("\n\n%s", command->help);
	print_options(command->options);
	return EXIT_DONE;
}

static const struct command *find_command(const char *name)
{
	const char *names[COMMAND_COUNT];

	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
		names[i] = commands[i].name;
	}
	command_complain_unknown("command", name, names, COMMAND_COUNT);
	fprintf(stderr, "'hbctl help' lists the commands.\n");
	return NULL;
}

/* What the command line said. */
struct arguments {
	struct command_options options;
	unsigned given;		/* bits of enum option_bit */
	bool help;
	bool version;
};

static const struct option long_options[] = {
	{"socket", required_argument, NULL, 's'}, {"json", no_argument, NULL, 'j'},
	{"wait", no_argument, NULL, 'w'},	  {"id", required_argument, NULL, 'i'},
	{"to", required_argument, NULL, 't'},	  {"dry-run", no_argument, NULL, 'n'},
	{"force", no_argument, NULL, 'f'},
	{"help", no_argument, NULL, 'h'},	  {"version", no_argument, NULL, 'V'},
	{NULL, 0, NULL, 0},
};

static bool parse_key_id(const char *text, uint8_t *ret_id)
{
	char *end;
	long number = strtol(text, &end, 10);

	if (*text == '\0' || *end != '\0' || number < 1 || number > 255) {
		fprintf(stderr, "hbctl: --id: '%s' is not a number from 1 to 255\n", text);
		return false;
	}
	*ret_id = (uint8_t)number;
	return true;
}

static void complain_option(const char *option)
{
	static const char *const names[] = {"--socket", "--json", "--wait", "--id", "--to",
					    "--dry-run", "--force", "--help", "--version"};

	command_complain_unknown("option", option, names, sizeof(names) / sizeof(names[0]));
}

static bool parse_option(int option, char **argv, struct arguments *arguments)
{
	switch (option) {
	case 's':
		arguments->options.socket = optarg;
		return true;
	case 'j':
		arguments->options.json = true;
		arguments->given |= OPTION_JSON;
		return true;
	case 'w':
		arguments->options.wait = true;
		arguments->given |= OPTION_WAIT;
		return true;
	case 't':
		arguments->options.to = optarg;
		arguments->given |= OPTION_TO;
		return true;
	case 'n':
		arguments->options.dry_run = true;
		arguments->given |= OPTION_DRY_RUN;
		return true;
	case 'f':
		arguments->options.force = true;
		arguments->given |= OPTION_FORCE;
		return true;
	case 'i':
		arguments->given |= OPTION_ID;
		return parse_key_id(optarg, &arguments->options.key_id);
	case 'h':
		arguments->help = true;
		return true;
	case 'V':
		arguments->version = true;
		return true;
	case ':':
		fprintf(stderr, "hbctl: %s needs a value\n", argv[optind - 1]);
		return false;
	default:
		complain_option(optopt ? (char[]){'-', (char)optopt, '\0'} : argv[optind - 1]);
		return false;
	}
}

static const char *option_name(unsigned options)
{
	if (options & OPTION_JSON)
		return "--json";
	if (options & OPTION_WAIT)
		return "--wait";
	if (options & OPTION_TO)
		return "--to";
	if (options & OPTION_DRY_RUN)
		return "--dry-run";
	return options & OPTION_FORCE ? "--force" : "--id";
}

static int run(const struct command *command, const struct arguments *arguments,
	       char *const *words, int count)
{
	unsigned unknown = arguments->given & ~command->options;

	if (unknown) {
		fprintf(stderr, "hbctl: '%s' does not take %s\n", command->name,
			option_name(unknown));
		return EXIT_CANNOT_ASK;
	}
	if (command->argument && !command->optional && count == 0) {
		fprintf(stderr, "hbctl: '%s' needs %s: hbctl %s %s\n", command->name,
			command->argument, command->name, command->argument);
		return EXIT_CANNOT_ASK;
	}
	if (count > (command->argument ? 1 : 0)) {
		fprintf(stderr, "hbctl: '%s' is one word too many\n", words[count - 1]);
		return EXIT_CANNOT_ASK;
	}
	return command->run(&arguments->options, count > 0 ? words[0] : NULL);
}

static int dispatch(const struct arguments *arguments, char *const *words, int count)
{
	bool help = arguments->help;
	const struct command *command;

	if (arguments->version || (count > 0 && strcmp(words[0], "version") == 0)) {
		printf("hbctl %s\n", HBD_VERSION);
		return EXIT_DONE;
	}
	if (count > 0 && strcmp(words[0], "help") == 0) {
		help = true;
		words++;
		count--;
	}
	if (count == 0 && help)
		return print_help();
	if (count == 0) {
		fprintf(stderr, "hbctl: no command was given; 'hbctl help' lists them\n");
		return EXIT_CANNOT_ASK;
	}
	command = find_command(words[0]);
	if (!command)
		return EXIT_CANNOT_ASK;
	return help ? print_command_help(command) : run(command, arguments, words + 1, count - 1);
}

int main(int argc, char **argv)
{
	struct arguments arguments = {
		.options = {.socket = CLIENT_SOCKET_DEFAULT, .key_id = 1},
	};
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":s:jwi:t:nfhV", long_options, NULL)) != -1) {
		if (!parse_option(option, argv, &arguments))
			return EXIT_CANNOT_ASK;
	}
	int exit_status = dispatch(&arguments, argv + optind, argc - optind);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "hbctl: cannot write to standard output\n");
		return EXIT_CANNOT_ASK;
	}
	return exit_status;
}
