/* hbd-replay: reads a recording, replays it and says what happened. hbd-replay(8) describes it. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../core/time.h"
#include "timeline.h"

#define EXIT_DIFFERS 1
#define EXIT_MISTAKE 2
#define EXIT_UNREADABLE 3
#define EXIT_ASSERTED 4

struct options {
	const char *path;
	struct flight_timeline timeline;
	bool done, wrong;
};

static void print_usage(FILE *stream)
{
	fputs("Usage: hbd-replay [-a] [-j] [-f SECONDS] [-t SECONDS] FILE\n"
	      "\n"
	      "Reads what the flight recorder of hbd wrote, replays it and tells what happened.\n"
	      "See hbd-replay(8).\n"
	      "\n"
	      "  -a, --all           every step, not only what is worth telling\n"
	      "  -j, --json          one object a line\n"
	      "  -f, --from SECONDS  from so many seconds before the last step\n"
	      "  -t, --to SECONDS    until so many seconds before the last step\n"
	      "  -V, --version       print the version\n"
	      "  -h, --help          print this\n"
	      "\n"
	      "Exit status: 0 the replay is the same, 1 it differs, 2 usage, 3 the file cannot be\n"
	      "read, 4 the replay ended in a failed assertion.\n",
	      stream);
}

static void complain_usage(struct options *options, const char *what, const char *text)
{
	fprintf(stderr, "hbd-replay: %s%s; see hbd-replay --help\n", text, what);
	options->wrong = true;
}

static const struct option long_options[] = {
	{ "all", no_argument, NULL, 'a' },
	{ "json", no_argument, NULL, 'j' },
	{ "from", required_argument, NULL, 'f' },
	{ "to", required_argument, NULL, 't' },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/* "-30" and "30" both are half a minute before the end. */
static void take_seconds(struct options *options, const char *text, int64_t *ret_ns)
{
	char *end = NULL;
	double seconds = strtod(text, &end);

	if (end == text || *end != '\0' || !(seconds > -1e9 && seconds < 1e9)) {
		complain_usage(options, ": this is no number of seconds", text);
		return;
	}
	*ret_ns = (int64_t)((seconds < 0 ? seconds : -seconds) * (double)HBD_S_NS);
}

static void take_option(struct options *options, int option)
{
	switch (option) {
	case 'a':
		options->timeline.all = true;
		break;
	case 'j':
		options->timeline.json = true;
		break;
	case 'f':
		take_seconds(options, optarg, &options->timeline.from_ns);
		break;
	case 't':
		take_seconds(options, optarg, &options->timeline.to_ns);
		break;
	case 'V':
		puts("hbd-replay " HBD_VERSION);
		options->done = true;
		break;
	case 'h':
		print_usage(stdout);
		options->done = true;
		break;
	default:
		fputs("hbd-replay --help lists the options\n", stderr);	/* getopt has complained */
		options->wrong = true;
	}
}

static struct options parse(int argc, char **argv)
{
	struct options options = { .timeline = { .from_ns = -HBD_NEVER_NS } };
	int option;

	while (!options.done && !options.wrong &&
	       (option = getopt_long(argc, argv, "ajf:t:Vh", long_options, NULL)) != -1)
		take_option(&options, option);
	if (options.done || options.wrong)
		return options;
	if (optind == argc)
		complain_usage(&options, "", "no FILE is named (the log of hbd says where it recorded)");
	else if (optind + 1 < argc)
		complain_usage(&options, ": only one FILE can be replayed at a time", argv[optind + 1]);
	else if (options.timeline.from_ns > options.timeline.to_ns)
		complain_usage(&options, "", "--from is later than --to, so that nothing lies between");
	else
		options.path = argv[optind];
	return options;
}

/* ---- the file ------------------------------------------------------------------------------------ */

static int complain(const char *path, const char *what)
{
	fprintf(stderr, "hbd-replay: %s: %s\n", path, what);
	return EXIT_UNREADABLE;
}

static int read_all(int fd, uint8_t **ret_bytes, size_t *ret_length)
{
	uint8_t *bytes = malloc(FLIGHT_FILE_BYTES_MAX + 1);
	size_t length = 0;
	ssize_t n = 1;

	if (!bytes)
		return -ENOMEM;
	while (n > 0 && length <= FLIGHT_FILE_BYTES_MAX) {
		n = read(fd, bytes + length, FLIGHT_FILE_BYTES_MAX + 1 - length);
		if (n > 0)
			length += (size_t)n;
	}
	if (n < 0 || length > FLIGHT_FILE_BYTES_MAX) {
		free(bytes);
		return n < 0 ? -errno : -EFBIG;
	}
	*ret_bytes = bytes;
	*ret_length = length;
	return 0;
}

static int load(const char *path, uint8_t **ret_bytes, size_t *ret_length)
{
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	int result = fd < 0 ? -errno : read_all(fd, ret_bytes, ret_length);

	if (fd > STDIN_FILENO)
		close(fd);
	return result;
}

/* ---- the replay ---------------------------------------------------------------------------------- */

static int replay(const struct options *options, const struct flight_file *file)
{
	struct flight_player *first = NULL, *second = NULL;
	struct flight_summary summary;

	if (flight_player_new(file, &first) < 0 || flight_player_new(file, &second) < 0)
		return complain(options->path, strerror(ENOMEM));
	flight_timeline_measure(first, &summary);
	flight_timeline_print(file, second, &options->timeline, &summary, stdout);
	flight_player_free(first);
	flight_player_free(second);
	if (fflush(stdout) != 0)
		return complain("standard output", strerror(errno));
	if (summary.why[0])
		return complain(options->path, summary.why);
	return summary.differences > 0 ? EXIT_DIFFERS : EXIT_SUCCESS;
}

/*
 * In a process of its own: what ended an engine by a failed assertion ends its replay too, and that is
 * an answer as well.
 */
static int replay_apart(const struct options *options, const struct flight_file *file)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		setvbuf(stdout, NULL, _IOLBF, 0);
		_exit(replay(options, file));
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return complain("replay", strerror(errno));
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	fprintf(stderr, "hbd-replay: %s: the replay was ended by signal %d (%s): what is recorded here "
		"makes hbd " HBD_VERSION " fail, or the file was made by hand\n", options->path,
		WTERMSIG(status), strsignal(WTERMSIG(status)));
	return EXIT_ASSERTED;
}

static int run(const struct options *options)
{
	struct flight_file *file = NULL;
	uint8_t *bytes = NULL;
	char why[FLIGHT_WHY_BYTES] = "";
	size_t length = 0;
	int result = load(options->path, &bytes, &length), status;

	if (result == 0)
		result = flight_file_parse(bytes, length, why, &file);
	if (result < 0)
		status = complain(options->path, why[0] ? why : strerror(-result));
	else
		status = replay_apart(options, file);
	flight_file_free(file);
	free(bytes);
	return status;
}

int main(int argc, char **argv)
{
	struct options options = parse(argc, argv);

	if (options.done)
		return EXIT_SUCCESS;
	if (options.wrong)
		return EXIT_MISTAKE;
	if (sodium_init() < 0) {
		fputs("hbd-replay: libsodium cannot be used on this machine\n", stderr);
		return EXIT_UNREADABLE;
	}
	return run(&options);
}
