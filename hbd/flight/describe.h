/*
 * Events and actions for humans and for programs, made from the tables: a member that has a row is
 * shown without further ado.
 */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "field.h"
#include "file.h"
#include "player.h"

/* How names are found and instants are counted. */
struct flight_scene {
	const struct flight_facts *facts;
	int64_t end_ns;		/* instants are told relative to it */
};

/* The group's name; its number if the recording has none. */
const char *flight_group_name(const struct flight_scene *scene, unsigned group, char buffer[16]);

/* Adds the members of a struct to an object: words as words, instants in seconds. */
void flight_describe_json(const struct flight_scene *scene, const struct flight_type *type,
			  const void *object, json_t *into);

/* "group www, until -0.450000 s": the same on one line. Members that are 0 are left out. */
void flight_describe_text(const struct flight_scene *scene, const struct flight_type *type,
			  const void *object, char *text, size_t room);

/* A heartbeat or handshake: "heartbeat 4711, www primary epoch 4"; or why it was dropped. */
void flight_describe_packet(const struct flight_scene *scene, const struct flight_step *step,
			    char *text, size_t room);
