/*
 * Sends an alert as a mail, by SMTP (libcurl).
 *
 * Each recipient is a transaction of its own on one connection: one who is refused is named, and
 * keeps it from nobody else. 5xx answers and what only a human can change (a certificate, a
 * password) end with 1, everything that may pass with 75. A password goes out only over TLS or to
 * this machine itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "../lib/mime.h"
#include "../lib/transfer.h"

#define ANSWER_BYTES 256
#define ADDRESS_BYTES 321
#define HOST_BYTES 256

static const struct plugin_parameter parameters[] = {
	{ "to", PLUGIN_STRINGS, true, NULL, NULL,
	  "who gets it: \"ops@example.org\" or \"On call <ops@example.org>\"" },
	{ "server", PLUGIN_STRING, false, NULL, "localhost",
	  "HOST, HOST:PORT, smtp://HOST:PORT (STARTTLS) or smtps://HOST:PORT (TLS from the start)" },
	{ "from", PLUGIN_STRING, false, NULL, NULL,
	  "sender; hbd@ and this machine's name if it is not set" },
	{ "tls", PLUGIN_WORD, false, "required optional off", NULL,
	  "STARTTLS; required if it is not set, off for a server on this machine" },
	{ "user", PLUGIN_STRING, false, NULL, NULL, "name for SMTP AUTH" },
	{ "password_file", PLUGIN_STRING, false, NULL, NULL,
	  "file whose first line is the password; readable by hbd's user only" },
	{ "ca_file", PLUGIN_STRING, false, NULL, NULL,
	  "PEM file of the authorities that may have signed the server's certificate" },
	{ "tls_verify", PLUGIN_BOOLEAN, false, NULL, "true", "verify the server's certificate" },
	{ "helo", PLUGIN_STRING, false, NULL, NULL,
	  "name to greet the server with; this machine's if it is not set" },
	{ .name = NULL },
};

static const struct plugin_about about = {
	.name = "email",
	.summary = "sends alerts as mails by SMTP",
	.parameters = parameters,
};

struct upload {
	const char *bytes;
	size_t left;
};

struct mailer {
	const struct plugin_input *input;
	CURL *curl;
	char error[CURL_ERROR_SIZE];
	char answer[ANSWER_BYTES];	/* the server's last line */
	char host_name[HOST_BYTES];	/* of this machine */
	char *url;
	char from[ADDRESS_BYTES];	/* "<hbd@lb1>" */
	const char *from_header;
	char *to_header;
	char *mail;
};

/* What ends up in a header or a command must not start another one. */
static void check_line(const char *name, const char *text)
{
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
			plugin_end(PLUGIN_FAILED, "%s: \"%s\" has a character that is not plain ASCII",
				   name, text);
}

/* "On call <ops@example.org>" or "ops@example.org" to "<ops@example.org>". */
static void read_address(const char *name, const char *text, char address[ADDRESS_BYTES])
{
	const char *open = strrchr(text, '<');
	const char *from = open ? open + 1 : text;
	size_t length = open ? strcspn(from, ">") : strlen(from);

	check_line(name, text);
	if (length == 0 || length > ADDRESS_BYTES - 3 || memchr(from, ' ', length) ||
	    (open && from[length] != '>'))
		plugin_end(PLUGIN_FAILED, "%s: \"%s\" is not a mail address", name, text);
	snprintf(address, ADDRESS_BYTES, "<%.*s>", (int)length, from);
}

static bool is_this_machine(const char *host, size_t length)
{
	static const char *const names[] = { "localhost", "127.0.0.1", "[::1]" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == length && !strncasecmp(names[i], host, length))
			return true;
	return false;
}

static size_t host_length(const char *host)
{
	return host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");
}

static void set_security(struct mailer *mailer, bool smtps, bool local)
{
	const char *tls = plugin_string(mailer->input, "tls");
	const char *user = plugin_string(mailer->input, "user");
	long use = CURLUSESSL_ALL;

	if (tls ? !strcmp(tls, "off") : local)
		use = CURLUSESSL_NONE;
	else if (tls && !strcmp(tls, "optional"))
		use = CURLUSESSL_TRY;
	if (user && !smtps && !local && use != CURLUSESSL_ALL)
		plugin_end(PLUGIN_FAILED, "a password is sent to another machine only with "
			   "tls = \"required\" or smtps://");
	curl_easy_setopt(mailer->curl, CURLOPT_USE_SSL, use);
	if (user) {
		char *password = plugin_secret(mailer->input, "password_file");

		if (!password)
			plugin_end(PLUGIN_FAILED, "user is set, but no password_file");
		curl_easy_setopt(mailer->curl, CURLOPT_USERNAME, user);
		curl_easy_setopt(mailer->curl, CURLOPT_PASSWORD, password);
		free(password);
	}
}

/* libcurl greets with the path of the URL. */
static void set_server(struct mailer *mailer)
{
	const char *server = plugin_string(mailer->input, "server");
	const char *helo = plugin_string(mailer->input, "helo");
	bool smtps = !strncmp(server, "smtps://", 8);
	const char *host = strstr(server, "://");

	host = host ? host + 3 : server;
	if (strstr(server, "://") && !smtps && strncmp(server, "smtp://", 7))
		plugin_end(PLUGIN_FAILED, "server: \"%s\" begins with neither smtp:// nor smtps://",
			   server);
	if (asprintf(&mailer->url, "%s://%.*s/%s", smtps ? "smtps" : "smtp",
		     (int)strcspn(host, "/"), host, helo ? helo : mailer->host_name) < 0)
		plugin_end(PLUGIN_AGAIN, "out of memory");
	check_line("server", mailer->url);
	curl_easy_setopt(mailer->curl, CURLOPT_URL, mailer->url);
	curl_easy_setopt(mailer->curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	set_security(mailer, smtps, is_this_machine(host, host_length(host)));
}

static void set_sender(struct mailer *mailer)
{
	static char own[HOST_BYTES + 16];
	const char *from = plugin_string(mailer->input, "from");

	snprintf(own, sizeof(own), "hbd <hbd@%s>", mailer->host_name);
	mailer->from_header = from ? from : own;
	read_address("from", mailer->from_header, mailer->from);
	curl_easy_setopt(mailer->curl, CURLOPT_MAIL_FROM, mailer->from);
}

/* Checks all before the first is sent to. */
static void read_recipients(struct mailer *mailer)
{
	size_t length, count = plugin_count(mailer->input, "to");
	FILE *out = open_memstream(&mailer->to_header, &length);
	char address[ADDRESS_BYTES];

	for (size_t i = 0; out && i < count; i++) {
		const char *to = plugin_item(mailer->input, "to", i);

		read_address("to", to, address);
		fprintf(out, "%s%s", i ? ", " : "", to);
	}
	if (!out || fclose(out) != 0)
		plugin_end(PLUGIN_AGAIN, "out of memory");
}

/* The same for each try of one message to the same people, so that mail programs show it once. */
static void write_id(const struct mailer *mailer, char *id, size_t bytes)
{
	const char *domain = strchr(mailer->from, '@');
	unsigned hash = 5381;

	for (const char *c = mailer->to_header; *c; c++)
		hash = hash * 33 ^ (unsigned char)*c;
	domain = domain ? domain + 1 : mailer->host_name;
	snprintf(id, bytes, "%s.%08x@%.*s", plugin_fact(mailer->input, "id"), hash,
		 (int)strcspn(domain, ">"), domain);
}

static void write_mail(struct mailer *mailer)
{
	const char *severity = plugin_fact(mailer->input, "severity");
	const char *kind = plugin_fact(mailer->input, "kind");
	char id[512], extra[256];

	write_id(mailer, id, sizeof(id));
	check_line("id", id);
	check_line("severity", severity);
	check_line("kind", kind);
	snprintf(extra, sizeof(extra), "X-Hbd-Severity: %.40s\r\nX-Hbd-Kind: %.40s\r\n", severity,
		 kind);
	mailer->mail = mime_write(&(struct mime_mail){
		.from = mailer->from_header,
		.to = mailer->to_header,
		.subject = plugin_fact(mailer->input, "subject"),
		.id = id,
		.text = plugin_fact(mailer->input, "text"),
		.date = time(NULL),
		.importance = strcmp(severity, "critical") ? "normal" : "high",
		.extra = extra,
	});
	if (!mailer->mail)
		plugin_end(PLUGIN_AGAIN, "out of memory");
}

static size_t on_read(char *buffer, size_t size, size_t count, void *context)
{
	struct upload *upload = context;
	size_t bytes = size * count < upload->left ? size * count : upload->left;

	memcpy(buffer, upload->bytes, bytes);
	upload->bytes += bytes;
	upload->left -= bytes;
	return bytes;
}

/* The server's answers come here line by line; a refusal is not covered by the "bye" after it. */
static size_t on_answer(char *buffer, size_t size, size_t count, void *context)
{
	struct mailer *mailer = context;
	size_t length = size * count;

	while (length > 0 && (unsigned char)buffer[length - 1] <= ' ')
		length--;
	if (length > 0 && (mailer->answer[0] < '4' || buffer[0] >= '4'))
		snprintf(mailer->answer, sizeof(mailer->answer), "%.*s",
			 length < ANSWER_BYTES ? (int)length : ANSWER_BYTES - 1, buffer);
	return size * count;
}

/* 0, or the exit status that this recipient's fate asks for. */
static int judge(struct mailer *mailer, CURLcode code, const char *to)
{
	long status = 0;

	curl_easy_getinfo(mailer->curl, CURLINFO_RESPONSE_CODE, &status);
	if (code == CURLE_OK) {
		plugin_say("%s: %s", to, mailer->answer);
		return EXIT_SUCCESS;
	}
	if (status >= 400 && mailer->answer[0])
		plugin_say("%s: %s: the server says: %s", to,
			   transfer_text(code, mailer->error), mailer->answer);
	else if (code == CURLE_USE_SSL_FAILED)
		plugin_say("%s: the server offers no STARTTLS: give it a certificate, or, if the way to "
			   "it is safe, set tls = \"off\"", to);
	else
		plugin_say("%s: %s", to, transfer_text(code, mailer->error));
	if (status >= 500 && code != CURLE_OPERATION_TIMEDOUT)
		return PLUGIN_FAILED;
	if (status >= 400 || transfer_may_succeed_later(code))
		return PLUGIN_AGAIN;
	return PLUGIN_FAILED;
}

static int send_to(struct mailer *mailer, const char *to)
{
	struct upload upload = { mailer->mail, strlen(mailer->mail) };
	char address[ADDRESS_BYTES];
	struct curl_slist *list;
	CURLcode code;
	int result;

	read_address("to", to, address);
	list = curl_slist_append(NULL, address);
	if (!list)
		plugin_end(PLUGIN_AGAIN, "out of memory");
	mailer->answer[0] = '\0';
	curl_easy_setopt(mailer->curl, CURLOPT_MAIL_RCPT, list);
	curl_easy_setopt(mailer->curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(mailer->curl, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(mailer->curl, CURLOPT_READDATA, &upload);
	curl_easy_setopt(mailer->curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)upload.left);
	curl_easy_setopt(mailer->curl, CURLOPT_HEADERFUNCTION, on_answer);
	curl_easy_setopt(mailer->curl, CURLOPT_HEADERDATA, mailer);
	code = curl_easy_perform(mailer->curl);
	result = judge(mailer, code, to);
	curl_easy_setopt(mailer->curl, CURLOPT_MAIL_RCPT, NULL);
	curl_slist_free_all(list);
	return result;
}

int main(int argc, char **argv)
{
	struct plugin_input input;
	struct mailer mailer = { .input = &input };
	int status = EXIT_SUCCESS;

	plugin_begin(argc, argv, &about, &input);
	mailer.curl = transfer_new(&input, mailer.error);
	if (gethostname(mailer.host_name, sizeof(mailer.host_name) - 1) < 0)
		strcpy(mailer.host_name, "localhost");
	set_server(&mailer);
	set_sender(&mailer);
	read_recipients(&mailer);
	write_mail(&mailer);
	for (size_t i = 0; i < plugin_count(&input, "to"); i++)
		status = plugin_worse(status, send_to(&mailer, plugin_item(&input, "to", i)));
	curl_easy_cleanup(mailer.curl);
	curl_global_cleanup();
	free(mailer.mail);
	free(mailer.to_header);
	free(mailer.url);
	json_decref(input.document);
	return status;
}
