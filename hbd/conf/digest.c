#include "loader.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>

#include "print.h"

/* Keeps these hashes apart from all others made with the same function. */
static const unsigned char purpose[] = "hbd configuration digest";

int conf_digest(const struct hbd_conf *conf, uint64_t *ret_digest)
{
	unsigned char hash[crypto_generichash_BYTES];
	uint64_t digest = 0;
	char *text = NULL;
	size_t bytes;
	FILE *stream = open_memstream(&text, &bytes);

	if (!stream)
		return -ENOMEM;
	conf_print_agreed(conf, stream);
	if (fclose(stream) != 0) {
		free(text);
		return -ENOMEM;
	}
	crypto_generichash(hash, sizeof(hash), (const unsigned char *)text, bytes, purpose,
			   sizeof(purpose) - 1);
	free(text);
	for (unsigned i = 0; i < sizeof(digest); i++)
		digest = digest << 8 | hash[i];
	*ret_digest = digest;
	return 0;
}
