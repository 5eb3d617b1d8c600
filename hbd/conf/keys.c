#include "loader.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_FILE_BYTES_MAX 128
#define HEX_DIGITS (2 * HBD_KEY_BYTES)

/* NULL if the file may be trusted with a secret, else why not. */
static const char *distrust(const struct stat *status)
{
	if (S_ISDIR(status->st_mode))
		return "is a directory";
	if (!S_ISREG(status->st_mode))
		return "is not a regular file";
	if (status->st_uid != 0 && status->st_uid != geteuid())
		return "belongs neither to root nor to the user that reads it";
	return NULL;
}

/* Opens path, if it may be trusted; else tells why not and returns -1. */
static int open_key(struct conf_loader *loader, unsigned line, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;
	const char *problem;

	if (fd < 0 && errno == ENOENT) {
		conf_mistake(loader, line, "key file %s: there is none; 'hbctl genkey' makes one, "
			     "both nodes need the same", path);
		return -1;
	}
	if (fd < 0 || fstat(fd, &status) < 0) {
		conf_mistake(loader, line, "key file %s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	problem = distrust(&status);
	if (!problem && !(status.st_mode & 077))
		return fd;
	close(fd);
	if (problem)
		conf_mistake(loader, line, "key file %s %s", path, problem);
	else
		conf_mistake(loader, line, "key file %s: its mode %04o lets others at the key; "
			     "chmod 600 %s", path, (unsigned)status.st_mode & 07777, path);
	return -1;
}

/* "ID HEX64" with at most one newline after it. NULL, or what is wrong; says nothing of the key. */
static const char *parse_key(const char *text, struct hbd_key *ret_key)
{
	unsigned long id;
	size_t hex_bytes;
	const char *hex_end;
	char *end;

	id = strtoul(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end != ' ')
		return "does not begin with a number and a space; it must hold \"ID HEX64\"";
	if (id < 1 || id > 255)
		return "has a key number that is out of range (1..255)";
	text = end + 1;
	if (sodium_hex2bin(ret_key->bytes, sizeof(ret_key->bytes), text, strlen(text), NULL,
			   &hex_bytes, &hex_end) != 0 || hex_bytes != HBD_KEY_BYTES)
		return "does not hold 64 hexadecimal digits after the number";
	if (*hex_end == '\n')
		hex_end++;
	if (*hex_end)
		return "holds more than one line \"ID HEX64\"";
	if (sodium_is_zero(ret_key->bytes, sizeof(ret_key->bytes)))
		return "holds a key of zeros; 'hbctl genkey' makes a real one";
	ret_key->id = (uint8_t)id;
	return NULL;
}

static const char *read_key(int fd, struct hbd_key *ret_key)
{
	char text[KEY_FILE_BYTES_MAX + 1];
	ssize_t bytes = read(fd, text, sizeof(text) - 1);
	const char *problem = NULL;

	if (bytes < 0)
		problem = "cannot be read";
	else if (bytes == 0)
		problem = "is empty";
	else if (bytes == KEY_FILE_BYTES_MAX)
		problem = "is too long; it must hold one line \"ID HEX64\"";
	else if (memchr(text, '\0', (size_t)bytes))
		problem = "is not a text file; it must hold one line \"ID HEX64\"";
	if (!problem) {
		text[bytes] = '\0';
		problem = parse_key(text, ret_key);
	}
	sodium_memzero(text, sizeof(text));
	return problem;
}

/* The index of the key with that number, or -1. */
static int find_key(const struct hbd_conf *conf, uint8_t id)
{
	for (int i = 0; i < conf->key_count; i++) {
		if (conf->keys[i].id == id)
			return i;
	}
	return -1;
}

static void load_key(struct conf_loader *loader, unsigned index)
{
	struct hbd_conf *conf = loader->conf;
	const char *path = conf->key_paths[index], *problem;
	unsigned line = conf->key_lines[index];
	int fd = open_key(loader, line, path);
	struct hbd_key key;

	if (fd < 0)
		return;
	problem = read_key(fd, &key);
	close(fd);
	if (problem)
		conf_mistake(loader, line, "key file %s %s", path, problem);
	else if (find_key(conf, key.id) >= 0)
		conf_mistake(loader, line, "key file %s: key number %u is taken already; every "
			     "key needs its own", path, key.id);
	else
		conf->keys[conf->key_count++] = key;
	sodium_memzero(&key, sizeof(key));
}

void conf_load_key_files(struct conf_loader *loader)
{
	loader->conf->key_count = 0;
	for (unsigned i = 0; i < loader->conf->key_path_count; i++)
		load_key(loader, i);
}

int conf_load_keys(struct hbd_conf *conf, struct conf_errors *ret_errors)
{
	struct conf_loader loader = { .conf = conf };

	conf_load_key_files(&loader);
	if (!loader.no_memory && loader.errors.count == 0)
		return 0;
	sodium_memzero(conf->keys, sizeof(conf->keys));
	conf->key_count = 0;
	*ret_errors = loader.errors;
	return loader.no_memory ? -ENOMEM : -EINVAL;
}

void conf_key_generate(uint8_t id, struct hbd_key *ret_key)
{
	ret_key->id = id;
	randombytes_buf(ret_key->bytes, sizeof(ret_key->bytes));
}

const char *conf_key_format(const struct hbd_key *key, char text[CONF_KEY_TEXT_BYTES])
{
	char hex[HEX_DIGITS + 1];

	sodium_bin2hex(hex, sizeof(hex), key->bytes, sizeof(key->bytes));
	snprintf(text, CONF_KEY_TEXT_BYTES, "%u %s\n", key->id, hex);
	sodium_memzero(hex, sizeof(hex));
	return text;
}

/* A short write to a regular file is a full disk. */
static int write_all(int fd, const char *text, size_t bytes)
{
	ssize_t done = write(fd, text, bytes);

	if (done < 0)
		return -errno;
	if ((size_t)done != bytes)
		return -ENOSPC;
	return fsync(fd) < 0 ? -errno : 0;
}

int conf_key_write(const char *path, const struct hbd_key *key)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), result;
	char text[CONF_KEY_TEXT_BYTES];

	if (fd < 0)
		return -errno;
	conf_key_format(key, text);
	result = write_all(fd, text, strlen(text));
	sodium_memzero(text, sizeof(text));
	if (close(fd) < 0 && result == 0)
		result = -errno;
	if (result < 0)
		unlink(path);
	return result;
}
