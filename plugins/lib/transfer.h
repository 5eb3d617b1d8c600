/* What programs that use libcurl have in common. */
#pragma once

#include <curl/curl.h>

#include "plugin.h"

/*
 * A handle with what every transfer here has: an end before hbd's deadline, no proxy, no redirects,
 * TLS 1.2 or later, the certificate verified (parameters ca_file and tls_verify). Ends the program
 * if that cannot be had. error: CURL_ERROR_SIZE bytes for what went wrong.
 */
CURL *transfer_new(const struct plugin_input *input, char *error);

/* True if the same transfer may go well later: no connection, no name, no time. */
bool transfer_may_succeed_later(CURLcode code);

/* What went wrong, in words. */
const char *transfer_text(CURLcode code, const char *error);
