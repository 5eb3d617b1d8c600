/* To a daemon on this machine that has a modem. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run.h"
#include "sms.h"

#define NUMBER_BYTES 32
#define PATH_BYTES 512
#define FILE_MODE 0660		/* the daemon's group, which its directory gives the file, removes it */

/* "+49 (172) 123-4567" to "491721234567"; ends the program if it is no number. */
static void read_number(const char *to, char number[NUMBER_BYTES])
{
	size_t length = 0;

	for (const char *c = to; *c; c++) {
		if (isdigit((unsigned char)*c) && length < NUMBER_BYTES - 1)
			number[length++] = *c;
		else if (!strchr(" -()", *c) && !(c == to && *c == '+'))
			plugin_end(PLUGIN_FAILED, "to: \"%s\" is not a telephone number", to);
	}
	number[length] = '\0';
	if (length == 0)
		plugin_end(PLUGIN_FAILED, "to: \"%s\" is not a telephone number", to);
}

static int complain(const char *path, const char *what)
{
	int error = errno;

	plugin_say("%s: %s: %s", path, what, strerror(error));
	return error == ENOSPC || error == EDQUOT || error == EIO ? PLUGIN_AGAIN : PLUGIN_FAILED;
}

/* smstools passes over names that end in .LOCK; what is renamed into place is complete. */
static int write_file(const char *temporary, const char *path, const char *text)
{
	int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
	size_t bytes = strlen(text);
	int result = 0;

	if (fd < 0)
		return complain(temporary, "create");
	/* whatever the umask */
	if (fchmod(fd, FILE_MODE) < 0 || write(fd, text, bytes) != (ssize_t)bytes || fsync(fd) < 0)
		result = complain(temporary, "write");
	if (close(fd) < 0 && result == 0)
		result = complain(temporary, "write");
	if (result == 0 && rename(temporary, path) < 0)
		result = complain(path, "rename to");
	if (result != 0)
		unlink(temporary);
	return result;
}

int sms_smstools_send(const struct plugin_input *input, const char *to, const char *text)
{
	const char *directory = plugin_string(input, "directory");
	char temporary[PATH_BYTES], path[PATH_BYTES], number[NUMBER_BYTES];
	char *file;
	int result;

	read_number(to, number);
	if (snprintf(path, sizeof(path), "%s/hbd-%s-%d", directory, number, (int)getpid()) >=
	    (int)sizeof(path) ||
	    snprintf(temporary, sizeof(temporary), "%s/.hbd-%s-%d.LOCK", directory, number,
		     (int)getpid()) >= (int)sizeof(temporary))
		plugin_end(PLUGIN_FAILED, "directory: %s is too long", directory);
	if (asprintf(&file, "To: %s\nAlphabet: UTF-8\n\n%s\n", number, text) < 0)
		plugin_end(PLUGIN_AGAIN, "out of memory");
	result = write_file(temporary, path, file);
	if (result == 0)
		plugin_say("%s: handed over to smstools", to);
	free(file);
	return result;
}

static bool is_ascii(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text > '~')
			return false;
	return true;
}

int sms_gammu_send(const struct plugin_input *input, const char *to, const char *text)
{
	const char *config = plugin_string(input, "config");
	const char *words[16] = { plugin_string(input, "program"), NULL };
	char recipient[NUMBER_BYTES + 1] = "+", length[24];
	size_t count = 1;
	int status;

	read_number(to, recipient + 1);
	snprintf(length, sizeof(length), "%zu", strlen(text));
	if (config) {
		words[count++] = "-c";
		words[count++] = config;
	}
	words[count++] = "TEXT";
	words[count++] = to[0] == '+' ? recipient : recipient + 1;
	words[count++] = "-len";
	words[count++] = length;
	if (!is_ascii(text))
		words[count++] = "-unicode";
	words[count++] = "-text";
	words[count++] = text;
	status = run_program(words, "", 0);
	if (status != 0) {
		plugin_say("%s: %s ended with status %d", to, words[0], status);
		return PLUGIN_AGAIN;
	}
	plugin_say("%s: handed over to gammu-smsd", to);
	return 0;
}
