/*
 * Frames that a fence may see, made from a few words, and what a frame that comes back says.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum frame_kind {
	FRAME_UNSET = 0,
	FRAME_ECHO,	     /* ICMP or ICMPv6 echo request */
	FRAME_FRAGMENT,	     /* a later one */
	FRAME_OPTIONS,	     /* behind a hop-by-hop header (IPv6), IP options (IPv4) */
	FRAME_ARP_REQUEST,
	FRAME_ARP_REPLY,
	FRAME_SOLICITATION,  /* from, to: as in the header; about: the target */
	FRAME_ADVERTISEMENT,
	FRAME_OTHER,	     /* no protocol that anybody knows */
};

struct frame_shape {
	enum frame_kind kind;
	const char *from, *to; /* addresses of either family; ARP: sender and target */
	const char *about;
	unsigned tags;	       /* VLAN tags: the first of 802.1ad if there are two */
	size_t cut;	       /* only that many bytes; 0 = all */
	size_t payload_bytes;  /* ECHO: of data, which begin with mark */
	uint64_t mark;
};

#define FRAME_SHAPE_BYTES_MAX 9000

/* Writes the frame, to everybody and checksums included; returns its length. */
size_t frame_make(const struct frame_shape *shape, uint8_t *bytes);

/* The same without Ethernet header. */
size_t frame_make_payload(const struct frame_shape *shape, uint8_t *bytes);

/* True if an untagged frame speaks for the address: ARP sender, IP source, target of an
 * advertisement. */
bool frame_speaks_for(const uint8_t *bytes, size_t length, const char *address);

/* The mark in an echo reply; 0 = it is none. */
uint64_t frame_echo_mark(const uint8_t *bytes, size_t length);
