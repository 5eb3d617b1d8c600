#include "conf_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../hbd/conf/loader.h"

const char full_text[] =
	"cluster = \"web\";\n"
	"nodes = ( { name = \"lb1\"; links = ( \"10.78.0.1%eth1\", \"10.77.0.1%eth0\" ); },\n"
	"          { name = \"lb2\"; links = ( \"10.78.0.2%eth1\", \"10.77.0.2%eth0\" ); } );\n"
	"keys = ( \"/etc/hbd/hbd.key\" );\n"
	"profile = \"lan\";\n"
	"groups = ( {\n"
	"  name = \"web\";\n"
	"  addresses = ( \"10.77.0.100/24 dev eth0\", \"fd77::100/64 dev eth0\" );\n"
	"  prefer = \"lb1\";  failback = \"manual\";\n"
	"  checks   = ( { unit = \"haproxy.service\"; },\n"
	"               { http = \"http://127.0.0.1:8404/health\"; interval_ms = 500; } );\n"
	"  takeover = ( { plugin = \"conntrackd\"; },\n"
	"               { plugin = \"postgresql\"; order = \"before\"; data = \"/main\"; } );\n"
	"} );\n"
	"alerts = ( { plugin = \"email\"; to = ( \"ops@example.org\" );\n"
	"             server = \"smtps://mail.example.org\"; severity = \"warning\"; },\n"
	"           { plugin = \"sms\"; to = ( \"+15550100\" ); severity = \"critical\"; } );\n";

char *replaced(const char *text, const char *old, const char *new)
{
	const char *found = strstr(text, old);
	char *result;

	assert_non_null(found);
	if (asprintf(&result, "%.*s%s%s", (int)(found - text), text, new, found + strlen(old)) < 0)
		fail();
	return result;
}

struct hbd_conf *loaded(const char *text)
{
	struct conf_errors errors = { 0 };
	struct hbd_conf *conf = NULL;
	int result = conf_load_text("test", text, strlen(text), &conf, &errors);

	conf_errors_print(&errors, "test", stderr);
	assert_int_equal(errors.count, 0);
	assert_int_equal(result, 0);
	return conf;
}

char *printed(const struct hbd_conf *conf)
{
	char *text = NULL;
	size_t bytes;
	FILE *stream = open_memstream(&text, &bytes);

	assert_non_null(stream);
	conf_print(conf, stream);
	fclose(stream);
	return text;
}
