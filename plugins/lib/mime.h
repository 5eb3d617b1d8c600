/* A mail from its parts: RFC 5322 headers, RFC 2047 subject, text as it is or quoted-printable. */
#pragma once

#include <stddef.h>
#include <time.h>

struct mime_mail {
	const char *from;		/* "hbd <hbd@lb1>"; ASCII, one line, as to, id, importance */
	const char *to;			/* "a@example.org, b@example.org" */
	const char *subject;		/* UTF-8 */
	const char *id;			/* without < and > */
	const char *text;		/* UTF-8, lines */
	time_t date;
	const char *importance;		/* "high", "normal" */
	const char *extra;		/* more header lines, each with \r\n */
};

/* The whole mail with \r\n line ends; free() it. NULL if out of memory. */
char *mime_write(const struct mime_mail *mail);
