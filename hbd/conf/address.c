#include "loader.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

const char *hbd_address_text(const struct hbd_address *address, char *text)
{
	const void *bytes = &address->v6;

	if (address->family == AF_INET)
		bytes = &address->v4;
	if (!inet_ntop(address->family, bytes, text, INET6_ADDRSTRLEN))
		strcpy(text, "?");
	return text;
}

bool hbd_address_equal(const struct hbd_address *a, const struct hbd_address *b)
{
	if (a->family != b->family)
		return false;
	if (a->family == AF_INET)
		return a->v4.s_addr == b->v4.s_addr;
	return IN6_ARE_ADDR_EQUAL(&a->v6, &b->v6);
}

static unsigned address_bits(const struct hbd_address *address)
{
	return address->family == AF_INET ? 32 : 128;
}

/* NULL if a host can have the address, else why not. */
static const char *unusable(const struct hbd_address *address)
{
	const struct in6_addr *v6 = &address->v6;
	in_addr_t v4 = ntohl(address->v4.s_addr);

	if (address->family == AF_INET) {
		if (v4 >> 24 == 0)
			return "is unspecified (0.0.0.0/8)";
		if (v4 == INADDR_BROADCAST)
			return "is the broadcast address";
		if (v4 >> 28 == 14)
			return "is a multicast address";
		return v4 >> 28 == 15 ? "is reserved (240.0.0.0/4)" : NULL;
	}
	if (IN6_IS_ADDR_UNSPECIFIED(v6))
		return "is unspecified (::)";
	if (IN6_IS_ADDR_MULTICAST(v6))
		return "is a multicast address";
	return IN6_IS_ADDR_V4MAPPED(v6) ? "is an IPv4 address in IPv6 notation; write it as IPv4" :
					  NULL;
}

static bool is_loopback(const struct hbd_address *address)
{
	if (address->family == AF_INET)
		return ntohl(address->v4.s_addr) >> 24 == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(&address->v6);
}

static bool parse_address(struct conf_loader *loader, unsigned line, const char *text,
			  struct hbd_address *ret_address)
{
	struct hbd_address address = { .family = AF_INET };
	const char *problem;

	if (inet_pton(AF_INET, text, &address.v4) != 1) {
		address.family = AF_INET6;
		if (inet_pton(AF_INET6, text, &address.v6) != 1) {
			conf_mistake(loader, line,
				     "\"%.64s\" is not an IPv4 or IPv6 address%s", text,
				     strpbrk(text, "ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ") ?
				     "; names are not looked up" : "");
			return false;
		}
	}
	problem = unusable(&address);
	if (problem) {
		conf_mistake(loader, line, "address %s %s", text, problem);
		return false;
	}
	*ret_address = address;
	return true;
}

/* As the kernel would accept it: dev_valid_name(). */
static bool parse_interface(struct conf_loader *loader, unsigned line, const char *text,
			    char ret_interface[IF_NAMESIZE])
{
	if (!text[0]) {
		conf_mistake(loader, line, "the name of the interface is empty");
		return false;
	}
	if (strlen(text) >= IF_NAMESIZE) {
		conf_mistake(loader, line,
			     "interface name \"%.64s\" is longer than %d letters", text,
			     IF_NAMESIZE - 1);
		return false;
	}
	if (strchr(text, ':')) {
		conf_mistake(loader, line,
			     "\"%s\" is not an interface; aliases are not needed, write \"%.*s\"",
			     text, (int)strcspn(text, ":"), text);
		return false;
	}
	for (const char *p = text; *p; p++) {
		if (*p == '/' || isspace((unsigned char)*p) || iscntrl((unsigned char)*p)) {
			conf_mistake(loader, line, "\"%s\" is not the name of an interface", text);
			return false;
		}
	}
	if (!strcmp(text, ".") || !strcmp(text, "..")) {
		conf_mistake(loader, line, "\"%s\" is not the name of an interface", text);
		return false;
	}
	strcpy(ret_interface, text);
	return true;
}

bool conf_parse_link(struct conf_loader *loader, unsigned line, const char *text,
		     struct hbd_conf_link *ret_link)
{
	char address[CONF_STRING_BYTES_MAX + 1];
	const char *percent = strchr(text, '%');
	struct hbd_conf_link link;

	if (!percent) {
		conf_mistake(loader, line,
			     "link \"%.64s\" names no interface; write \"ADDRESS%%INTERFACE\", as "
			     "in \"10.78.0.1%%eth1\"", text);
		return false;
	}
	memcpy(address, text, (size_t)(percent - text));
	address[percent - text] = '\0';
	if (strchr(address, '/')) {
		conf_mistake(loader, line, "link \"%.64s\": a link has no prefix length; write "
			     "\"%.*s%.64s\"", text, (int)strcspn(address, "/"), address, percent);
		return false;
	}
	if (!parse_address(loader, line, address, &link.address) ||
	    !parse_interface(loader, line, percent + 1, link.interface))
		return false;
	if (is_loopback(&link.address) && strcmp(link.interface, "lo") != 0) {
		conf_mistake(loader, line, "link \"%s\": a loopback address never leaves this "
			     "machine", text);
		return false;
	}
	*ret_link = link;
	return true;
}

static bool host_bits_are(const struct hbd_address *address, unsigned prefix, bool ones)
{
	const uint8_t *bytes = address->family == AF_INET ? (const uint8_t *)&address->v4 :
							    address->v6.s6_addr;

	for (unsigned bit = prefix; bit < address_bits(address); bit++) {
		if (((bytes[bit / 8] >> (7 - bit % 8)) & 1) != ones)
			return false;
	}
	return true;
}

/* Networks of one or two addresses have neither a name nor a broadcast (RFC 3021, RFC 6164). */
static bool check_host_part(struct conf_loader *loader, unsigned line,
			    const struct hbd_conf_vip *vip)
{
	char text[INET6_ADDRSTRLEN];
	const char *problem = NULL;

	hbd_address_text(&vip->address, text);
	if (vip->prefix + 1u >= address_bits(&vip->address))
		return true;
	if (host_bits_are(&vip->address, vip->prefix, false))
		problem = vip->address.family == AF_INET ?
			  "is the address of the network itself" :
			  "is the routers' anycast address of its network";
	else if (vip->address.family == AF_INET && host_bits_are(&vip->address, vip->prefix, true))
		problem = "is the broadcast address of its network";
	if (!problem)
		return true;
	conf_mistake(loader, line, "address %s/%u %s, not of a host; is the length right?", text,
		     vip->prefix, problem);
	return false;
}

/* slash: what follows '/', or NULL. */
static bool parse_prefix(struct conf_loader *loader, unsigned line, const char *slash,
			 struct hbd_conf_vip *vip)
{
	unsigned bits = address_bits(&vip->address);
	unsigned long prefix;
	char *end;

	if (!slash) {
		vip->prefix = (uint8_t)bits;
		return true;
	}
	prefix = strtoul(slash, &end, 10);
	if (!isdigit((unsigned char)*slash) || *end) {
		conf_mistake(loader, line, "prefix length \"/%.64s\" is not a number%s", slash,
			     strchr(slash, '.') ? "; write /24 for 255.255.255.0" : "");
		return false;
	}
	if (prefix < 1 || prefix > bits) {
		conf_mistake(loader, line, "prefix length /%.20s is out of range (1..%u)", slash,
			     bits);
		return false;
	}
	vip->prefix = (uint8_t)prefix;
	return true;
}

/* Cuts text at white space; -1 if there are more than max words. */
static int split(char *text, char **words, int max)
{
	int count = 0;
	char *rest, *word = strtok_r(text, " \t\r\n", &rest);

	for (; word; word = strtok_r(NULL, " \t\r\n", &rest)) {
		if (count == max)
			return -1;
		words[count++] = word;
	}
	return count;
}

/* "A[/len] dev IF", in words; says what is wrong with anything else. */
static bool check_vip_words(struct conf_loader *loader, unsigned line, const char *text,
			    char **words, int count)
{
	if (count == 3 && !strcmp(words[1], "dev"))
		return true;
	if (count == 1 && !strchr(text, '%'))
		conf_mistake(loader, line, "address \"%.64s\" names no interface; write \"%.64s "
			     "dev INTERFACE\"", text, words[0]);
	else if (count == 1)
		conf_mistake(loader, line, "address \"%.64s\" is written like a link; write "
			     "\"%.*s dev %.64s\"", text, (int)strcspn(text, "%"), text,
			     strchr(text, '%') + 1);
	else if (count == 2 && strcmp(words[1], "dev") != 0)
		conf_mistake(loader, line, "address \"%.64s\" lacks the word dev; write \"%.64s "
			     "dev %.64s\"", text, words[0], words[1]);
	else
		conf_mistake(loader, line, "address \"%.64s\" is not of the form \"ADDRESS/LENGTH "
			     "dev INTERFACE\"", text);
	return false;
}

bool conf_parse_vip(struct conf_loader *loader, unsigned line, const char *text,
		    struct hbd_conf_vip *ret_vip)
{
	char copy[CONF_STRING_BYTES_MAX + 1];
	struct hbd_conf_vip vip;
	char *words[3], *slash;
	int count;

	strcpy(copy, text);
	count = split(copy, words, 3);
	if (!check_vip_words(loader, line, text, words, count))
		return false;
	slash = strchr(words[0], '/');
	if (slash)
		*slash++ = '\0';
	if (!parse_address(loader, line, words[0], &vip.address) ||
	    !parse_prefix(loader, line, slash, &vip) ||
	    !parse_interface(loader, line, words[2], vip.interface))
		return false;
	if (is_loopback(&vip.address)) {
		conf_mistake(loader, line, "address %s is a loopback address; nobody else can "
			     "reach it", words[0]);
		return false;
	}
	if (!check_host_part(loader, line, &vip))
		return false;
	*ret_vip = vip;
	return true;
}

bool conf_parse_gateway(struct conf_loader *loader, unsigned line, const char *text,
			struct hbd_address *ret_gateway)
{
	struct hbd_address gateway;
	size_t length = strcspn(text, "/% \t");

	if (text[length]) {
		conf_mistake(loader, line, "gateway: \"%.64s\" is more than an address; write "
			     "\"%.*s\", it is asked for where the group's addresses are", text,
			     (int)(length < 64 ? length : 64), text);
		return false;
	}
	if (!parse_address(loader, line, text, &gateway))
		return false;
	if (is_loopback(&gateway)) {
		conf_mistake(loader, line, "gateway: %s is a loopback address; it says nothing of "
			     "the network", text);
		return false;
	}
	*ret_gateway = gateway;
	return true;
}
