/* Tokens: hbctl's documents, logs and the environment of plugins have them; scripts compare them. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "../../hbd/core/action.h"
#include "../../hbd/core/packet.h"
#include "../../hbd/core/role.h"

static const char *role(int value)
{
	return hbd_role_text((enum hbd_role)value);
}

static const char *reason(int value)
{
	return hbd_reason_text((enum hbd_reason)value);
}

static const char *alert(int value)
{
	return hbd_alert_text((enum hbd_alert)value);
}

static const char *severity(int value)
{
	return hbd_severity_text((enum hbd_severity)value);
}

static const char *call(int value)
{
	return hbd_call_text((enum hbd_plugin_call)value);
}

static const char *drop(int value)
{
	return hbd_drop_text((enum hbd_drop)value);
}

static const char *peer_state(int value)
{
	return hbd_peer_state_text((enum hbd_peer_state)value);
}

static void every_value_has_a_token_of_its_own(void **state)
{
	static const struct {
		const char *what;
		const char *(*text)(int value);
		int count;
	} rows[] = {
		{ "role", role, HBD_ROLE_COUNT },
		{ "reason", reason, HBD_REASON_COUNT },
		{ "alert", alert, HBD_ALERT_COUNT },
		{ "severity", severity, HBD_SEVERITY_CRITICAL + 1 },
		{ "call", call, HBD_CALL_RELEASE + 1 },
		{ "drop", drop, HBD_DROP_COUNT },
		{ "peer's state", peer_state, HBD_PEER_COUNT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (int value = 0; value < rows[i].count; value++) {
			const char *text = rows[i].text(value);

			if (text == NULL || strspn(text, "abcdefghijklmnopqrstuvwxyz-") == 0 ||
			    strlen(text) != strspn(text, "abcdefghijklmnopqrstuvwxyz-"))
				fail_msg("%s %d has no token", rows[i].what, value);
			for (int other = 0; other < value; other++)
				if (strcmp(text, rows[i].text(other)) == 0)
					fail_msg("%s %d and %d: both %s", rows[i].what, value,
						 other, text);
		}
}

/* "...because %s": it begins small and ends without a period. */
static void every_reason_has_a_sentence(void **state)
{
	(void)state;
	for (int value = 0; value < HBD_REASON_COUNT; value++) {
		const char *text = hbd_reason_sentence((enum hbd_reason)value);

		assert_non_null(text);
		assert_true(islower((unsigned char)text[0]));
		assert_int_not_equal(text[strlen(text) - 1], '.');
	}
}

static void one_fault_is_named_and_more_are_several(void **state)
{
	static const struct {
		int faults;
		const char *text;
	} rows[] = {
		{ HBD_FAULT_NONE, "none" },
		{ HBD_FAULT_INTERFACE, "interface" },
		{ HBD_FAULT_ADDRESS, "address" },
		{ HBD_FAULT_TAKEOVER, "takeover" },
		{ HBD_FAULT_CHECK, "check" },
		{ HBD_FAULT_REFUSED, "refused" },
		{ HBD_FAULT_PARTLY, "partly" },
		{ HBD_FAULT_INTERFACE | HBD_FAULT_CHECK, "several" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(hbd_fault_text((enum hbd_fault)rows[i].faults), rows[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_value_has_a_token_of_its_own),
		cmocka_unit_test(every_reason_has_a_sentence),
		cmocka_unit_test(one_fault_is_named_and_more_are_several),
	};

	return cmocka_run_group_tests_name("role", tests, NULL, NULL);
}
