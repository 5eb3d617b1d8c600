#include "mime.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_CHARS_MAX 76	/* of quoted-printable and of a folded header */
#define BARE_CHARS_MAX 900	/* of a text that is sent as it is; SMTP allows 998 */
#define WORD_BYTES_MAX 39	/* of an encoded word: 52 characters in base64 */

static bool is_plain(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || (unsigned char)*text > '~')
			return false;
	return true;
}

static void write_base64(FILE *out, const unsigned char *bytes, size_t count)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < count; i += 3) {
		unsigned value = (unsigned)bytes[i] << 16;

		if (i + 1 < count)
			value |= (unsigned)bytes[i + 1] << 8;
		if (i + 2 < count)
			value |= bytes[i + 2];
		fputc(digits[value >> 18], out);
		fputc(digits[value >> 12 & 63], out);
		fputc(i + 1 < count ? digits[value >> 6 & 63] : '=', out);
		fputc(i + 2 < count ? digits[value & 63] : '=', out);
	}
}

/* Encoded words, none of which ends inside of a character. */
static void write_encoded(FILE *out, const char *text)
{
	const char *separator = "";

	while (*text) {
		size_t count = strnlen(text, WORD_BYTES_MAX);

		while (text[count] && ((unsigned char)text[count] & 0xc0) == 0x80 && count > 1)
			count--;
		fprintf(out, "%s=?utf-8?B?", separator);
		write_base64(out, (const unsigned char *)text, count);
		fprintf(out, "?=");
		separator = "\r\n ";
		text += count;
	}
}

/* Folds at blanks, where a line gets too long. */
static void write_folded(FILE *out, size_t column, const char *text)
{
	while (*text) {
		size_t blanks = strspn(text, " ");
		size_t word = blanks + strcspn(text + blanks, " ");

		if (blanks > 0 && column + word > LINE_CHARS_MAX) {
			fprintf(out, "\r\n");
			column = 0;
		}
		fprintf(out, "%.*s", (int)word, text);
		column += word;
		text += word;
	}
}

static void write_header(FILE *out, const char *name, const char *text)
{
	fprintf(out, "%s: ", name);
	if (is_plain(text))
		write_folded(out, strlen(name) + 2, text);
	else
		write_encoded(out, text);
	fprintf(out, "\r\n");
}

static void write_date(FILE *out, time_t date)
{
	/* names of days and months are English in a mail, whatever the locale */
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm local;
	char zone[8];

	if (!localtime_r(&date, &local))
		return;
	strftime(zone, sizeof(zone), "%z", &local);
	fprintf(out, "Date: %.3s, %d %.3s %d %02d:%02d:%02d %s\r\n", days + 3 * local.tm_wday,
		local.tm_mday, months + 3 * local.tm_mon, local.tm_year + 1900, local.tm_hour,
		local.tm_min, local.tm_sec, zone);
}

/* One character of the text; a blank at the end of a line must be encoded. */
static size_t write_quoted(FILE *out, unsigned char byte, bool ends_line, size_t column)
{
	bool plain = (byte > ' ' && byte <= '~' && byte != '=') ||
		     ((byte == ' ' || byte == '\t') && !ends_line);
	size_t width = plain ? 1 : 3;

	if (column + width > LINE_CHARS_MAX - 1) {
		fprintf(out, "=\r\n");
		column = 0;
	}
	if (plain)
		fputc(byte, out);
	else
		fprintf(out, "=%02X", byte);
	return column + width;
}

/* Such a text needs no encoding, and is read easily wherever it turns up. */
static bool is_bare(const char *text)
{
	size_t column = 0;

	for (; *text; text++) {
		bool ends = *text == '\n';

		column = ends ? 0 : column + 1;
		if (column > BARE_CHARS_MAX || (!ends && (*text < ' ' || *text > '~')))
			return false;
	}
	return true;
}

static void write_text(FILE *out, const char *text)
{
	bool bare = is_bare(text);
	size_t column = 0;

	fprintf(out, "Content-Transfer-Encoding: %s\r\n\r\n", bare ? "7bit" : "quoted-printable");
	for (; *text; text++) {
		if (*text == '\n') {
			fprintf(out, "\r\n");
			column = 0;
		} else if (bare) {
			fputc(*text, out);
		} else {
			column = write_quoted(out, (unsigned char)*text,
					      text[1] == '\n' || !text[1], column);
		}
	}
}

char *mime_write(const struct mime_mail *mail)
{
	char *bytes = NULL;
	size_t count;
	FILE *out = open_memstream(&bytes, &count);

	if (!out)
		return NULL;
	write_date(out, mail->date);
	write_header(out, "From", mail->from);
	write_header(out, "To", mail->to);
	write_header(out, "Subject", mail->subject);
	fprintf(out, "Message-ID: <%s>\r\n", mail->id);
	fprintf(out, "Importance: %s\r\nAuto-Submitted: auto-generated\r\n%s", mail->importance,
		mail->extra);
	fprintf(out, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n");
	write_text(out, mail->text);
	if (fclose(out) != 0) {
		free(bytes);
		return NULL;
	}
	return bytes;
}
